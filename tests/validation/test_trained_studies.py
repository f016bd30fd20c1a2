"""validation/xchangr, rxnn, scale and devices/rates as a user runs them, on the built-in data:
test_trained_studies.py PROGRAM."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

PROGRAM = None
VALIDATION = Path(__file__).resolve().parents[2] / "validation"


class Studies(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory()
        cls.folder = Path(cls.scratch.name)
        subprocess.run([PROGRAM, "train", "--model", "lenet5", "--data", "glyphs", "--mode", "ideal",
                        "--epochs", "2", "--train-images", "1500", "--test-images", "200",
                        "--out", str(cls.folder / "trained")], check=True, capture_output=True)
        cls.common = ["--model", "lenet5", "--data", "glyphs", "--test-images", "200",
                      "--weights", str(cls.folder / "trained/ideal/weights.safetensors"),
                      "--xbar", PROGRAM, "--out", str(cls.folder / "out"),
                      "--calibration-images", "20"]

    @classmethod
    def tearDownClass(cls):
        cls.scratch.cleanup()

    def run_study(self, name, *arguments):
        return subprocess.run([str(VALIDATION / name), *self.common, *arguments],
                              capture_output=True, text=True)

    def test_the_strategies_are_compared_where_wires_cost_as_much(self):
        command = ("xchangr/wire-drop", "--tiles", "32", "--terminals", "20:20",
                   "--on-ohm", "300,20000", "--drop", "6", "--strategies", "srs,optimal")
        found = self.run_study(*command)
        self.assertEqual(found.returncode, 0, found.stderr)
        study = json.loads((self.folder / "out/lenet5/wire-drop.table.json").read_text())
        row = dict(zip(study["header"], study["rows"][0]))
        ideal, as_is = float(row["ideal"]), float(row["as is"])
        # To the width of the bisection and the half per cent that an image is.
        self.assertLess(abs(ideal - as_is - 6), 2.5)
        self.assertGreaterEqual(float(row["optimal"]), as_is)
        self.assertAlmostEqual(float(row["optimal recovers, %"]),
                               100 * (float(row["optimal"]) - as_is) / (ideal - as_is), delta=2)
        # Terminals cost something, and lines the rest of it.
        self.assertLess(as_is, float(row["without lines"]))
        self.assertLessEqual(float(row["without lines"]), ideal)
        # What has been run is not run again.
        run = self.folder / "out/lenet5/remap-32-20-20/run.json"
        before = run.stat().st_mtime_ns
        self.assertEqual(self.run_study(*command).returncode, 0)
        self.assertEqual(run.stat().st_mtime_ns, before)

    def test_sizes_are_swept(self):
        found = self.run_study("rxnn/network-loss", "--tiles", "16,32", "--on-ohm", "1000,100000")
        self.assertEqual(found.returncode, 0, found.stderr)
        study = json.loads((self.folder / "out/lenet5/network-loss.table.json").read_text())
        self.assertEqual([row[0] for row in study["rows"]], ["16 x 16", "32 x 32"])
        # Larger arrays of the same cells lose more.
        self.assertGreaterEqual(float(study["rows"][0][2]), float(study["rows"][1][2]))

    def test_freedoms_are_compared(self):
        found = self.run_study("xchangr/freedoms", "--tiles", "16,32", "--layouts", "differential",
                               "--moves", "columns,both", "--on-ohm", "1000")
        self.assertEqual(found.returncode, 0, found.stderr)
        study = json.loads((self.folder / "out/lenet5/freedoms.table.json").read_text())
        self.assertEqual([row[:2] for row in study["rows"]],
                         [["16 x 16", "differential"], ["32 x 32", "differential"]])
        self.assertEqual(study["header"][-2:], ["optimal, columns", "optimal, both"])
        for move in ("columns", "both"):
            run = json.loads((self.folder / f"out/lenet5/freedoms-32-differential-{move}/run.json")
                             .read_text())
            self.assertEqual(run["settings"]["move"], move)

    def test_seeds_have_an_interval(self):
        found = self.run_study("scale/device-seeds", "--variations", "0.3", "--seeds", "6")
        self.assertEqual(found.returncode, 0, found.stderr)
        study = json.loads((self.folder / "out/lenet5/device-seeds.table.json").read_text())
        row = dict(zip(study["header"], study["rows"][0]))
        self.assertEqual(row["seeds"], "6")
        low, high = map(float, row["95 % interval of the mean"].split(" to "))
        self.assertLess(low, float(row["mean"]))
        self.assertLess(float(row["mean"]), high)
        self.assertLessEqual(float(row["lowest"]), float(row["mean"]))
        self.assertEqual(study["family"], "scale")

    @unittest.skipUnless(shutil.which("mpirun"), "no mpirun")
    def test_two_ranks_are_timed(self):
        if "MPI             yes" not in subprocess.run([PROGRAM, "info"], capture_output=True,
                                                       text=True).stdout:
            self.skipTest("xbar is built without MPI")
        allowed = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
        out = self.folder / "scale"
        subprocess.run([str(VALIDATION / "scale/strong-scaling"), "--xbar", PROGRAM, "--steps", "2",
                        "--rounds", "1", "--out", str(out)], check=True, capture_output=True,
                       env=os.environ | allowed)
        study = json.loads((out / "strong-scaling.table.json").read_text())
        self.assertEqual([row[:2] for row in study["rows"]],
                         [["lenet5", "ideal"], ["lenet5", "in-situ"]])
        self.assertEqual(study["rows"][0][2], "62")  # thousands of weights and biases

    def test_training_by_pulses_is_timed(self):
        out = self.folder / "devices"
        subprocess.run([str(VALIDATION / "devices/rates"), "--xbar", PROGRAM, "--models", "lenet5",
                        "--rules", "stochastic", "--epochs", "1", "--train-images", "500",
                        "--rounds", "1", "--out", str(out)], check=True, capture_output=True)
        study = json.loads((out / "rates.table.json").read_text())
        rows = {row[1]: dict(zip(study["header"], row)) for row in study["rows"]}
        self.assertEqual(list(rows), ["float", "stochastic, no wires", "stochastic, wired"])
        for row in rows.values():
            share = float(row["images/s"]) / float(rows["float"]["images/s"])
            self.assertAlmostEqual(float(row["of float"]), share, delta=0.006)
        self.assertEqual(rows["float"]["at least 0.7"], "")

    def test_bad_arguments_are_named(self):
        found = self.run_study("xchangr/wire-drop", "--terminals", "0")
        self.assertEqual(found.returncode, 2)
        self.assertIn("expected two resistances like 0:0, got '0'", found.stderr)
        found = self.run_study("rxnn/network-loss", "--xbar", "nowhere")
        self.assertEqual(found.returncode, 2)
        self.assertIn("--xbar: expected the program, found none at nowhere", found.stderr)


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main()
