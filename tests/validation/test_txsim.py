"""validation/txsim as a user runs it, on the built-in data: test_txsim.py PROGRAM."""

import csv
import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

STUDIES = Path(__file__).resolve().parents[2] / "validation/txsim"
XBAR = sys.argv.pop(1)


class Studies(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.out = Path(scratch.name)

    def run_study(self, name, *flags):
        return subprocess.run(
            [STUDIES / name, "--model", "mlp", "--seeds", "1", "--epochs", "1", "--train-images",
             "2000", "--test-images", "500", "--out", self.out, "--xbar", XBAR, *flags],
            capture_output=True, text=True, check=False)

    def rows(self, name):
        with open(self.out / "mlp" / f"{name}.csv", encoding="utf-8", newline="") as file:
            return {(row["value"], row["leg"]): row for row in csv.DictReader(file)}

    def test_trains_at_every_point_once_and_goes_on_where_it_stopped(self):
        first = self.run_study("nonlinearity", "--values", "0,1")
        self.assertEqual(first.returncode, 0, first.stderr)
        self.assertIn("[  3/3] in-situ, nu = 1, seed 1: ", first.stdout)
        found = self.rows("nonlinearity")
        self.assertEqual(len(found), 4)
        for row in found.values():
            self.assertGreater(float(row["accuracy"]), 0.3)  # of ten classes
            self.assertGreater(float(row["seconds"]), 0)
        self.assertNotEqual(found["0", "in-situ"]["loss"], found["1", "in-situ"]["loss"])
        settings = [json.loads(path.read_text())["settings"]["nonlinearity"]
                    for path in sorted(self.out.glob("mlp/in-situ/*/seed-1/run.json"))]
        self.assertEqual(sorted(settings), ["0", "1"])

        # As after kill -9: the last training not known to be finished, its checkpoint there.
        run = next(self.out.glob("mlp/in-situ/nonlinearity-1*/seed-1/run.json"))
        document = json.loads(run.read_text())
        run.write_text(json.dumps(document | {"finished": False}))
        again = self.run_study("nonlinearity", "--values", "0,1")
        self.assertEqual(again.returncode, 0, again.stderr)
        self.assertEqual([line for line in again.stdout.splitlines() if line.startswith("[")],
                         [line for line in again.stdout.splitlines() if line.startswith("[  3/3]")])
        self.assertEqual(self.rows("nonlinearity")["1", "in-situ"]["loss"],
                         found["1", "in-situ"]["loss"])

        other = self.run_study("nonlinearity", "--values", "0,1", "--learning-rate", "0.01")
        self.assertEqual(other.returncode, 2)
        self.assertIn("was run with --learning-rate 0.05, expected 0.01", other.stderr)

    def test_records_a_failure_and_goes_on(self):
        done = self.run_study("cell-bits", "--values", "99/99,2/8")
        self.assertEqual(done.returncode, 1, done.stderr)
        found = self.rows("cell-bits")
        self.assertIn("99", found["99/99", "deployed"]["failure"])
        self.assertIn("failed: bits of cell/weight = 99/99, seed 1, deployed: ", done.stdout)
        self.assertGreater(float(found["2/8", "deployed"]["accuracy"]), 0.3)

    def test_names_what_is_wrong(self):
        for flags, words in ((["--values", "much"], "--values: expected values like 0,1,5,10"),
                             (["--seeds", "x"], "--seeds: expected numbers like 1,2,3"),
                             (["--data", "mnist=/nowhere"], "/nowhere"),
                             (["--xbar", "/nowhere"], "--xbar: expected the program")):
            done = self.run_study("write-noise", *flags)
            self.assertEqual(done.returncode, 2)
            self.assertIn(words, done.stderr)


if __name__ == "__main__":
    unittest.main()
