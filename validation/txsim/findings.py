"""What the paper found [Roy2021], as rules on the numbers of a study here.

The paper's figures are of other networks too, its wires, learning rates and many settings are not
published. A verdict is therefore on the direction and the rough size of an effect.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

REPRODUCED, NOT_REPRODUCED, NOT_COMPARABLE = "reproduced", "not reproduced", "not comparable"
LEG_WORDS = {"in-situ": "trained through the arrays", "deployed": "ideally trained, put on the arrays"}


@dataclass
class Finding:
    statement: str  # of the paper
    rule: str  # that it is held to
    check: Callable  # (study, leg) -> verdict, what it rests on
    why: str = ""  # it may not be reproduced: an assumption, not a measurement
    of_writes: bool = False  # going on from trained weights makes too few and small ones to tell

    def verdict(self, study, leg):
        if self.of_writes and study.length == "further":
            return NOT_COMPARABLE, "going on from trained weights makes few and small writes"
        return self.check(study, leg)


def points(share):
    return f"{100 * share:.2f} points"


def measured(study, leg, wanted=lambda value: True):
    """Numeric value -> mean accuracy; 0 where a run diverged or failed."""
    found = {}
    for value in study.values:
        if not wanted(float(value)):
            continue
        mean = study.mean(value, leg)
        diverged = any("diverged" in failure for failure in study.failures(value, leg))
        if mean is not None or diverged:
            found[float(value)] = 0.0 if diverged else mean
    return found


def costs_little(limit, most=0.01):
    def check(study, leg):
        found = measured(study, leg, lambda value: value <= limit)
        if 0 not in found or len(found) < 2:
            return NOT_COMPARABLE, "points are missing"
        worst = max(found[0] - share for value, share in found.items() if value)
        return (REPRODUCED if worst <= most else NOT_REPRODUCED,
                f"largest loss against 0: {points(worst)}")
    return check


def does_not_converge(value):
    def check(study, leg):
        found = measured(study, leg)
        if 0 not in found or value not in found:
            return NOT_COMPARABLE, "points are missing"
        return (REPRODUCED if found[value] < found[0] / 2 else NOT_REPRODUCED,
                f"{100 * found[value]:.2f} %, against {100 * found[0]:.2f} % at 0")
    return check


def costs_between(value, least, most):
    def check(study, leg):
        found = measured(study, leg)
        if 0 not in found or value not in found:
            return NOT_COMPARABLE, "points are missing"
        loss = found[0] - found[value]
        return (REPRODUCED if least <= loss <= most else NOT_REPRODUCED,
                f"loss against 0: {points(loss)}")
    return check


def error_of_difference(study, leg, a, b):
    names = {float(value): value for value in study.values}
    errors = [study.standard_error(names[key], leg) for key in (a, b)]
    return math.hypot(*(error or 0 for error in errors))


def slightly_worse_when_larger(most=0.05):
    def check(study, leg):
        found = measured(study, leg)
        if len(found) < 2:
            return NOT_COMPARABLE, "points are missing"
        small, large = min(found), max(found)
        loss = found[small] - found[large]
        limit = 2 * error_of_difference(study, leg, small, large)
        return (REPRODUCED if limit < loss <= most else NOT_REPRODUCED,
                f"from {small:g} to {large:g} a loss of {points(loss)}; two standard errors: "
                f"{points(limit)}")
    return check


def matters_at_low_resistance_only(reram=1e5, little=0.01, much=0.03):
    def check(study, leg):
        found = measured(study, leg)
        ideal = study.mean(study.values[0], "ideal")
        high = [share for ohm, share in found.items() if ohm >= reram]
        if not high or min(found, default=reram) >= reram or ideal is None:
            return NOT_COMPARABLE, "points are missing"
        at_high, at_low = ideal - min(high), ideal - found[min(found)]
        return (REPRODUCED if at_high <= little and at_low >= much else NOT_REPRODUCED,
                f"loss against ideal: at most {points(at_high)} from 100 kOhm on, "
                f"{points(at_low)} at {min(found):g} ohm")
    return check


def best_near(paper):
    def check(study, leg):
        found = measured(study, leg)
        if len(found) < 3:
            return NOT_COMPARABLE, "points are missing"
        best = max(found, key=found.get)
        ends = [end for end in (min(found), max(found)) if end != best]
        clear = len(ends) == 2 and all(
            found[best] - found[end] > 2 * error_of_difference(study, leg, best, end)
            for end in ends)
        return (REPRODUCED if clear and paper / 2 <= best <= 2 * paper else NOT_REPRODUCED,
                f"best at {best:g}, {'clear of' if clear else 'not clear of'} both ends of the sweep; "
                f"from {100 * min(found.values()):.2f} to {100 * max(found.values()):.2f} %")
    return check


def no_sweep(study, leg):
    return NOT_COMPARABLE, "no sweep of it is known to us"


ON_KEPT = ("Where analog cells are written as asked, the ratio acts through the wires alone: the higher, the less "
           "current of cells that are off,\n  the smaller their loss. What might set an upper end, noise or "
           "levels, is not in this sweep.")
OFF_KEPT = ("Where analog cells are written as asked, the ratio acts through the wires alone: the lower, the higher "
            "R_on, the smaller their loss.\n  What might set a lower end, noise or levels, is not in this sweep.")

FINDINGS = {
    "nonlinearity": [
        Finding("nu up to 0.1 can be borne.", "the accuracy at every nu up to 0.1 is at most 1 point "
                "below that at nu = 0", costs_little(0.1), of_writes=True),
        Finding("Training does not converge at nu = 1.", "it diverges, or ends below half the accuracy "
                "of nu = 0", does_not_converge(1),
                "The paper's formula is not known to us; nu is taken as the exponent of CrossSim's "
                "asymmetric update\n  (`device/update.hpp`), whose steps at the two bounds differ by a factor of "
                "e at nu = 1. Small networks, and short training, bear more.", of_writes=True),
    ],
    "write-noise": [
        Finding("gamma up to 5 % can be borne.", "the accuracy at every gamma up to 5 % is at most "
                "1 point below that without noise", costs_little(5), of_writes=True),
        Finding("gamma = 10 % costs about 10 points.", "a loss of 5 to 20 points",
                costs_between(10, 0.05, 0.2),
                "The unit of the paper's gamma is not known to us; here a write has the deviation gamma "
                "sqrt(range |dG|).\n  The paper's figure is not stated to be of this network.", of_writes=True),
    ],
    "array-size": [
        Finding("Larger crossbars are slightly worse.", "from the smallest to the largest array the "
                "accuracy falls by more than two standard errors and at most 5 points",
                slightly_worse_when_larger(),
                "At R_on 100 kOhm the wires take a few percent of the current, nearly the same share "
                "everywhere, which a network of this size bears."),
    ],
    "on-resistance": [
        Finding("Wires matter little for ReRAM and PCM, much for cells of low resistance.",
                "a loss of at most 1 point against ideal arithmetic from 100 kOhm on, and of at least 3 "
                "at the lowest R_on", matters_at_low_resistance_only()),
    ],
    "on-off-ratio": [
        Finding("The best ratio is about 5 where R_on is kept.", "the best of the sweep lies within a "
                "factor of 2 of 5 and is more than two standard errors above both its ends",
                best_near(5), ON_KEPT),
    ],
    "on-off-ratio-off-kept": [
        Finding("The best ratio is about 8 where R_on is varied.", "the best of the sweep lies within a "
                "factor of 2 of 8 and is more than two standard errors above both its ends",
                best_near(8), OFF_KEPT),
    ],
    "cell-bits": [
        Finding("(The paper uses cells of 2 bits, weights of 32.)", "none", no_sweep),
    ],
    "converter-bits": [
        Finding("(The paper uses DACs of 1 bit; its ADCs are not stated.)", "none", no_sweep),
    ],
}
