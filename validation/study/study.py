"""What the commands of validation/txsim and validation/devices share: the points of a study, run
one after the other.

Every point is a command of xbar with a folder of its own (folders.py). Finished ones are skipped and
unfinished trainings resumed, so that a study can be stopped and started at will; points that
studies share are run once. A point that fails is recorded and tried again at the next start; the
others go on.
"""

import argparse
import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from folders import Problem, Study, read_json, read_result, rows, write_json
from networks import NETWORKS, TECHNOLOGY

ROOT = Path(__file__).resolve().parents[2]


class Interrupted(Exception):
    """Ctrl-C or SIGTERM, after the command under way has saved."""


def parse(description, family, values, legs, arguments):
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="lenet5", choices=NETWORKS)
    parser.add_argument("--data", help="as for xbar train, mnist=DIR; default: the network's, "
                        "from the folder named by XBAR_DATA")
    parser.add_argument("--weights", type=Path, help="go on from these trained weights, shortly")
    parser.add_argument("--full", action="store_true", help="the full length: hours for CIFAR-10")
    parser.add_argument("--epochs", type=int, help="other than those of the length")
    parser.add_argument("--train-images", type=int, help="other than those of the length")
    parser.add_argument("--test-images", type=int, help="other than those of the length")
    parser.add_argument("--learning-rate", type=float, help="other than that of the length")
    parser.add_argument("--seeds", default="1,2,3", help="one training each; default: %(default)s")
    parser.add_argument("--values", default=",".join(values),
                        help="the points; default: %(default)s")
    parser.add_argument("--legs", default=",".join(legs),
                        help="of deployed (ideally trained weights put on the arrays) and in-situ "
                        "(trained through them); default: %(default)s")
    parser.add_argument("--out", type=Path,
                        help=f"default: out/{family}, out/{family}-further or out/{family}-full")
    parser.add_argument("--xbar", type=Path, default=ROOT / "build/release/apps/cli/xbar")
    options = parser.parse_args(arguments)
    try:
        options.seeds = [str(int(seed)) for seed in options.seeds.split(",")]
    except ValueError:
        parser.error(f"--seeds: expected numbers like 1,2,3, got '{options.seeds}'")
    if options.full and options.weights:
        parser.error("--full: expected without --weights; it begins with drawn weights")
    options.values = options.values.split(",")
    options.legs = options.legs.split(",")
    if not set(options.legs) <= {"deployed", "in-situ"}:
        parser.error(f"--legs: expected deployed, in-situ or both, got '{','.join(options.legs)}'")
    return options


class Runner:
    """Runs the commands of one study that have not been run yet."""

    def __init__(self, family, name, technology, options):
        self.options = options
        self.family = family
        self.technology = technology
        self.length = "full" if options.full else "further" if options.weights else "short"
        network = NETWORKS[options.model]
        self.settings = dict(network[self.length])
        for key in ("epochs", "train-images", "test-images", "learning-rate"):
            value = getattr(options, key.replace("-", "_"))
            if value is not None:
                self.settings[key] = f"{value:g}"
        self.data = options.data or network["data"]
        suffix = "" if self.length == "short" else f"-{self.length}"
        self.folder = (options.out or ROOT / f"out/{family}{suffix}") / options.model
        self.name = name

    def where(self, leg, changes, seed):
        name = "_".join(f"{key}-{value}" for key, value in sorted(changes.items())) or "base"
        return Path(leg, f"seed-{seed}") if leg == "ideal" else Path(leg, name, f"seed-{seed}")

    def flags(self, leg, changes, seed):
        """Of the command, apart from places: the data, weights made here, --out."""
        flags = {"model": self.options.model, "seed": seed} | self.technology
        if leg == "deployed":
            kept = ("pixel-mean", "pixel-deviation", "train-images", "test-images")
            flags |= {key: self.settings[key] for key in kept if key in self.settings}
        else:
            flags |= self.settings | {"mode": leg}
            if self.options.weights:
                flags["weights"] = str(self.options.weights)
        return flags if leg == "ideal" else flags | changes

    def check_settings(self, folder, flags):
        """What lies in the folder must have been run with these flags."""
        document = read_json(folder / "run.json") or read_json(folder / "evaluation.json")
        if document is None:
            return
        for key, value in flags.items():
            found = document["settings"].get(key)
            if found != value:
                raise Problem(f"{folder} was run with --{key} {found}, expected {value}; "
                              "give another --out")

    def execute(self, command):
        """Exit code, standard output and the message of a command."""
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   text=True, start_new_session=True)
        try:
            out, errors = process.communicate()
        except Interrupted:
            process.send_signal(signal.SIGINT)
            process.communicate()
            raise
        lines = [line for line in errors.replace("\r", "\n").splitlines() if line.strip()]
        return process.returncode, out, lines[-1].strip() if lines else ""

    def run(self, leg, changes, seed):
        """One command, unless it has been run; true if it was run now."""
        folder = self.folder / self.where(leg, changes, seed)
        flags = self.flags(leg, changes, seed)
        self.check_settings(folder, flags)
        if (found := read_result(folder)) is not None and "failure" not in found:
            return False
        (folder / "failure.json").unlink(missing_ok=True)
        command = [str(self.options.xbar), "evaluate" if leg == "deployed" else "train",
                   "--data", self.data]
        for key, value in flags.items():
            command.append(f"--{key}={value}")
        if leg == "deployed":
            ideal = self.folder / self.where("ideal", {}, seed)
            command += ["--weights", str(ideal / "ideal/weights.safetensors"), "--json"]
        else:
            command += ["--out", str(folder)]
            if (folder / "run.json").exists():
                command.append("--resume")
        begin = time.monotonic()
        code, out, message = self.execute(command)
        if code == 130:
            raise Interrupted
        if code != 0:
            if leg == "ideal":
                raise Problem(message or f"{command[0]} ended with code {code}")
            write_json(folder / "failure.json", {"code": code, "message": message})
        elif leg == "deployed":
            write_json(folder / "evaluation.json",
                       {"settings": flags, "seconds": time.monotonic() - begin,
                        "result": json.loads(out)})
        return True

    def run_all(self, title, points, legs):
        """Runs what is missing, a line a command; returns the study."""
        tasks = [("ideal", "", {}, seed) for seed in self.options.seeds]
        tasks += [(leg, value, changes, seed) for leg in legs
                  for value, changes in points.items() for seed in self.options.seeds]
        begin, ran = time.monotonic(), 0
        for done, (leg, value, changes, seed) in enumerate(tasks, 1):
            if not self.run(leg, changes, seed):
                continue
            ran += 1
            result = read_result(self.folder / self.where(leg, changes, seed))
            text = result.get("failure") or f"{100 * result['accuracy']:.2f} %"
            left = (time.monotonic() - begin) / ran * (len(tasks) - done)
            print(f"[{done:3}/{len(tasks)}] {leg}{f', {title} = {value}' if value else ''}, "
                  f"seed {seed}: {text}   about {left / 60:.0f} min left", flush=True)
        manifest = self.folder / f"{self.name}.study.json"
        all_legs = ["ideal", *legs]
        write_json(manifest, {
            "family": self.family, "study": self.name, "title": title, "model": self.options.model,
            "length": self.length, "legs": legs, "seeds": self.options.seeds,
            "settings": self.settings, "technology": self.technology,
            "points": [{"value": value, "changes": changes,
                        "folders": {leg: {seed: str(self.where(leg, changes, seed))
                                          for seed in self.options.seeds} for leg in all_legs}}
                       for value, changes in points.items()]})
        return Study(manifest)


def write_csv(study, path):
    """A row a run."""
    columns = ("accuracy", "loss", "seconds", "surrogate", "error", "failure")
    with open(path, "w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(("study", "model", "value", "leg", "seed", *columns))
        for (value, leg, seed), result in study.results.items():
            cells = [(result or {}).get(column) for column in columns]
            table.writerow((study.name, study.model, value, leg, seed, *cells))


def print_table(study):
    header, table = rows(study)
    widths = [max(len(row[k]) for row in [header, *table]) for k in range(len(header))]
    for row in [header, *table]:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())


def interrupt(*_):
    raise Interrupted


def main(description, title, values, changes, legs, technology=TECHNOLOGY, arguments=None):
    """A study as a command; does not return.
    @param title       the swept quantity, with its unit
    @param values      its values, as texts
    @param changes     value -> flags that differ from `technology`
    @param legs        the default of --legs
    @param technology  flags of all points
    """
    command = Path(sys.argv[0]).resolve()
    family, name = command.parent.name, command.name
    options = parse(description, family, values, legs, arguments)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interrupt)
    try:
        if not os.access(options.xbar, os.X_OK):
            raise Problem(f"--xbar: expected the program, found none at {options.xbar}")
        try:
            points = {value: {key: flag for key, flag in changes(value).items()
                              if technology.get(key) != flag} for value in options.values}
        except ValueError:
            raise Problem(f"--values: expected values like {','.join(values)}, "
                          f"got '{','.join(options.values)}'")
        runner = Runner(family, name, technology, options)
        study = runner.run_all(title, points, options.legs)
        table = study.path.with_name(f"{name}.csv")
        write_csv(study, table)
        print_table(study)
        failures = [f"{title} = {value}, seed {seed}, {leg}: {result['failure']}"
                    for (value, leg, seed), result in study.results.items()
                    if "failure" in (result or {})]
        for failure in failures:
            print(f"failed: {failure}")
        print(f"written to {table}\nnext: scripts/update-results --study {study.path.parent}")
        sys.exit(1 if failures else 0)
    except Problem as problem:
        print(f"{name}: {problem}", file=sys.stderr)
        sys.exit(2)
    except Interrupted:
        print(f"\n{name}: interrupted; the same command goes on", file=sys.stderr)
        sys.exit(130)
