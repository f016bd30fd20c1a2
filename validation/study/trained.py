"""What the commands of validation/xchangr, rxnn and scale share: trained networks, and commands of
xbar that are run once.

    OUT/MODEL/
      STUDY.table.json      what the tables of docs/results.md are made of
      NAME.json             standard output of one `xbar evaluate --json`
      NAME/                 folder of one `xbar remap`
"""

import argparse
import json
import math
import os
import shutil
import subprocess
import sys
from pathlib import Path

from folders import Problem, data_name, read_json, write_json
from networks import RESNET_PIXELS, VGG_PIXELS

ROOT = Path(__file__).resolve().parents[2]
MODELS = ROOT / "examples/models"
# Of the weights of SimpNet's authors: pixels 0 to 255.
SIMPNET_PIXELS = {"pixel-mean": "0.491400,0.482157,0.446529",
                  "pixel-deviation": "0.247031,0.243486,0.261588"}

# Networks without batch normalisation, which cannot be refitted.
PLAIN = {"lenet5"}

# --model -> flags of the network.
NETWORKS = {
    "lenet5": {"model": "lenet5"},
    "resnet20": {"model": "resnet20"} | RESNET_PIXELS,
    "resnet56": {"model": "resnet56"} | RESNET_PIXELS,
    "simpnet8": {"model": str(MODELS / "simpnet8.toml")} | SIMPNET_PIXELS,
    "simpnet1m": {"model": str(MODELS / "simpnet1m.toml")} | SIMPNET_PIXELS,
    "vgg8s": {"model": "vgg8s"} | VGG_PIXELS,
    "vgg16": {"model": "vgg16"} | VGG_PIXELS,
}


def wires(terminals, line):
    """Flags of SOURCE:SINK and WORDLINE:BITLINE, ohm."""
    try:
        source, sink = (f"{float(value):g}" for value in terminals.split(":"))
        wordline, bitline = (f"{float(value):g}" for value in line.split(":"))
    except ValueError:
        raise Problem(f"expected two resistances like 0:0, got '{terminals}' and '{line}'")
    return {"source-ohm": source, "sink-ohm": sink, "wordline-ohm": wordline,
            "bitline-ohm": bitline}


def tile(size):
    return {"tile-rows": str(int(size)), "tile-columns": str(int(size))}


def parser(description, model):
    """Of the arguments that every study of trained networks takes."""
    result = argparse.ArgumentParser(description=description,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    result.add_argument("--model", default=model, choices=NETWORKS)
    result.add_argument("--weights", type=Path, required=True, help="its trained weights")
    result.add_argument("--data", required=True, help="as for xbar evaluate, cifar10=DIR")
    result.add_argument("--test-images", type=int, default=0, help="0: all")
    result.add_argument("--calibration-images", type=int, default=250)
    result.add_argument("--out", type=Path, help="default: out/STUDY")
    result.add_argument("--xbar", type=Path, default=ROOT / "build/release/apps/cli/xbar")
    return result


class Commands:
    """Runs the commands of one network that have not been run yet."""

    def __init__(self, options):
        self.options = options
        self.family = Path(sys.argv[0]).resolve().parent.name
        self.study = Path(sys.argv[0]).resolve().name
        self.folder = (options.out or ROOT / "out" / self.family) / options.model
        if not os.access(options.xbar, os.X_OK):
            raise Problem(f"--xbar: expected the program, found none at {options.xbar}")
        self.flags = NETWORKS[options.model] | {"weights": str(options.weights),
                                                "data": options.data}
        if options.test_images:
            self.flags["test-images"] = str(options.test_images)

    def execute(self, command, flags):
        line = [str(self.options.xbar), command]
        line += [f"--{key}={value}" for key, value in (self.flags | flags).items()]
        process = subprocess.run(line + (["--json"] if command == "evaluate" else []),
                                 stdout=subprocess.PIPE, text=True)
        if process.returncode == 130:
            raise KeyboardInterrupt
        if process.returncode != 0:
            raise Problem(f"xbar {command} ended with code {process.returncode}")
        return process.stdout

    def evaluate(self, name, flags):
        """Accuracy by R_on of one technology, and ideal."""
        path = self.folder / f"{name}.json"
        found = read_json(path)
        if found is None or found["flags"] != self.flags | flags:
            found = {"flags": self.flags | flags,
                     "result": json.loads(self.execute("evaluate", flags))}
            write_json(path, found)
        return found["result"]

    def accuracy(self, name, flags):
        """Of one technology: (ideal, wired)."""
        result = self.evaluate(name, flags)
        return result["ideal"]["accuracy"], result["wired"][0]["accuracy"]

    def remap(self, name, flags):
        """What one `xbar remap` found."""
        folder = self.folder / name
        run = read_json(folder / "run.json")
        wanted = {key: value for key, value in flags.items()}
        if run is None or not run["finished"] or any(
                str(run["settings"].get(key)) != value and
                run["settings"].get(key) != f"[{value}]" for key, value in wanted.items()):
            shutil.rmtree(folder, ignore_errors=True)
            print(f"  {folder}: re-mapping", flush=True)
            self.execute("remap", flags | {
                "calibration-images": str(self.options.calibration_images), "out": str(folder)})
            run = read_json(folder / "run.json")
        return run["results"]

    def write(self, title, technology, header, table, notes):
        """The study as docs/results.md shows it; prints it, too."""
        path = self.folder / f"{self.study}.table.json"
        images = f", first {self.options.test_images} test images" if self.options.test_images else ""
        technology = {"data": data_name(self.options.data) + images} | technology
        write_json(path, {"family": self.family, "study": self.study, "title": title,
                          "model": self.options.model, "technology": technology,
                          "header": header, "rows": table, "notes": notes})
        widths = [max(len(str(row[k])) for row in [header, *table]) for k in range(len(header))]
        for row in [header, *table]:
            print("  ".join(str(cell).ljust(width) for cell, width in zip(row, widths)).rstrip())
        for note in notes:
            print(note)
        print(f"written to {path}\nnext: scripts/update-results --study {self.folder}")


def on_ohm_of_drop(commands, name, flags, drop, low, high):
    """R_on at which the network as it is loses `drop`, by bisection of its logarithm; None if it
    does not lie between the two."""
    def lost(on_ohm):
        ideal, wired = commands.accuracy(f"{name}-{on_ohm:g}ohm", flags | {"on-ohm": f"{on_ohm:g}"})
        return ideal - wired

    if not lost(low) > drop > lost(high):
        return None
    while high / low > 1.03:
        middle = float(f"{math.sqrt(low * high):.3g}")
        if middle in (low, high):
            break
        if lost(middle) > drop:
            low = middle
        else:
            high = middle
    return min((low, high), key=lambda on_ohm: abs(lost(on_ohm) - drop))


def run(study):
    """A study as a command; does not return."""
    try:
        study()
        sys.exit(0)
    except Problem as problem:
        print(f"{Path(sys.argv[0]).name}: {problem}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print(f"\n{Path(sys.argv[0]).name}: interrupted; the same command goes on",
              file=sys.stderr)
        sys.exit(130)
