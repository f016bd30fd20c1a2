"""Where a study keeps its results, and what is read back from there.

    OUT/MODEL/
      ideal/seed-1/                     `xbar train --mode ideal`, shared by all studies
      in-situ/NAME/seed-1/              `xbar train --mode in-situ`; NAME: what differs from the
                                        base technology, "base" where nothing does
      deployed/NAME/seed-1/evaluation.json    `xbar evaluate` of the ideally trained weights
      STUDY.study.json, STUDY.csv       which folders belong to a study; its results, a row a run

A folder whose command failed holds failure.json: the exit code and the message.
"""

import json
import math
import os
import statistics
from pathlib import Path


class Problem(Exception):
    """Something the user can put right; its text says what."""


def data_name(data):
    """Of the flag --data, NAME=DIR; with the form of the files, which their folder's name tells."""
    name, _, folder = data.partition("=")
    names = {"mnist": "MNIST", "fashion-mnist": "Fashion-MNIST", "cifar10": "CIFAR-10",
             "cifar100": "CIFAR-100"}
    forms = [form for form, word in (("JPEG", "jpeg"), ("lossless, in part", "lossless"))
             if word in Path(folder).name.lower()]
    return names.get(name, name) + (f" ({forms[0]})" if forms else "")


def write_json(path, value):
    """Replaces the file in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")
    os.replace(part, path)


def read_json(path):
    """The value in the file; None where there is no file."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Problem(f"cannot read {path}: {error.strerror}")
    except json.JSONDecodeError as error:
        raise Problem(f"{path} is not JSON: {error}")


def read_result(folder):
    """What came out in the folder of one command: accuracy and loss on the test images, by the
    exact circuit where there is one, seconds, surrogate and its largest certified error; or the
    failure. None where it has not been run, or not to its end."""
    failure = read_json(folder / "failure.json")
    if failure:
        return {"failure": failure["message"]}
    evaluation = read_json(folder / "evaluation.json")
    if evaluation:
        wired = evaluation["result"]["wired"][0]
        return {"accuracy": wired["accuracy"], "loss": wired["loss"],
                "seconds": evaluation["seconds"], "surrogate": wired["surrogate"], "error": None}
    run = read_json(folder / "run.json")
    if not run or not run["finished"]:
        return None
    leg = run["results"]["runs"][0]
    certificate = leg.get("certificate", {})
    return {"accuracy": leg["exact_accuracy"], "loss": leg["test_loss"],
            "seconds": leg["train_seconds"], "surrogate": certificate.get("surrogate"),
            "error": certificate.get("worst_error")}


class Study:
    """One study as its STUDY.study.json names it, with the results of its folders."""

    def __init__(self, path):
        self.path = Path(path)
        document = read_json(self.path)
        if document is None:
            raise Problem(f"{path}: no such study")
        try:
            self.family = document.get("family", "txsim")
            self.name, self.title = document["study"], document["title"]
            self.model, self.length = document["model"], document["length"]
            self.legs, self.seeds = document["legs"], document["seeds"]
            self.settings, self.technology = document["settings"], document["technology"]
            self.values = [point["value"] for point in document["points"]]
            self.folders = {(point["value"], leg, seed): self.path.parent / folder
                            for point in document["points"]
                            for leg, by_seed in point["folders"].items()
                            for seed, folder in by_seed.items()}
        except (KeyError, TypeError, AttributeError) as error:
            raise Problem(f"{path}: not written by a command of validation/: {error!r}")
        self.results = {key: read_result(folder) for key, folder in self.folders.items()}

    def all(self, value, leg):
        """The results that there are, one a seed."""
        return [result for seed in self.seeds
                if (result := self.results.get((value, leg, str(seed)))) is not None]

    def values_of(self, value, leg, key):
        return [result[key] for result in self.all(value, leg) if result.get(key) is not None]

    def mean(self, value, leg, key="accuracy"):
        found = self.values_of(value, leg, key)
        return statistics.fmean(found) if found else None

    def spread(self, value, leg):
        """Standard deviation of the accuracy over the seeds; None for a single one."""
        found = self.values_of(value, leg, "accuracy")
        return statistics.stdev(found) if len(found) > 1 else None

    def failures(self, value, leg):
        return [result["failure"] for result in self.all(value, leg) if "failure" in result]

    def first_run(self):
        """run.json of one finished training."""
        for (_, leg, _), folder in self.folders.items():
            if leg != "deployed" and (run := read_json(folder / "run.json")) and run["finished"]:
                return run
        return None

    def standard_error(self, value, leg):
        """Of the mean accuracy: over the seeds, or, with one, that of so many test images."""
        spread = self.spread(value, leg)
        if spread is not None:
            return spread / math.sqrt(len(self.values_of(value, leg, "accuracy")))
        share, run = self.mean(value, leg), self.first_run()
        if share is None or run is None:
            return None
        return math.sqrt(share * (1 - share) / run["results"]["test_images"])


def percent(share, digits=2):
    return "" if share is None else f"{100 * share:.{digits}f}"


def rows(study):
    """The header, and a row a point: what the commands print and the page shows."""
    header = [study.title, "ideal, %"]
    header += [f"{leg}, % (spread)" for leg in study.legs]
    header += ["loss, nats", "seconds", "surrogate", "its error, %"]
    last = study.legs[-1]
    table = []
    for value in study.values:
        row = [value, percent(study.mean(value, "ideal"))]
        for leg in study.legs:
            text = percent(study.mean(value, leg))
            spread = study.spread(value, leg)
            if spread is not None:
                text += f" ({percent(spread)})"
            failed = len(study.failures(value, leg))
            if failed:
                text = f"{text} {failed} failed".strip()
            row.append(text or "-")
        loss, seconds = study.mean(value, last, "loss"), study.mean(value, last, "seconds")
        errors = study.values_of(value, last, "error")
        surrogates = study.values_of(value, last, "surrogate")
        row += ["" if loss is None else f"{loss:.4f}", "" if seconds is None else f"{seconds:.1f}",
                ", ".join(dict.fromkeys(surrogates)), percent(max(errors), 3) if errors else ""]
        table.append(row)
    return header, table
