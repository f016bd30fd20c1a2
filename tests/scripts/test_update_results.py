"""scripts/update-results on small folders made here; needs nothing outside the standard library."""

import contextlib
import importlib.machinery
import importlib.util
import io
import json
import tempfile
import unittest
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "update-results"
LOADER = importlib.machinery.SourceFileLoader("update_results", str(SCRIPT))
SPEC = importlib.util.spec_from_loader("update_results", LOADER)
results = importlib.util.module_from_spec(SPEC)
LOADER.exec_module(results)


def write(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value), encoding="utf-8")


def write_run(folder, leg, accuracy, model="lenet5", data="mnist=somewhere/mnist", epochs=2,
              planned=2, finished=True, certificate=None):
    """A folder of xbar train with one leg of so many epochs."""
    entry = {"name": leg, "test_accuracy": accuracy, "exact_accuracy": accuracy, "test_loss": 0.5,
             "train_seconds": 4.0}
    if certificate:
        entry["certificate"] = certificate
    write(folder / "run.json", {
        "xbar": "0.1.0", "command": "train", "finished": finished,
        "versions": {"xbar": "0.1.0", "threads": 2, "isa": "avx2"},
        "settings": {"data": data, "seed": "1", "epochs": str(planned)},
        "results": {"model": model, "data": data.partition("=")[0], "train_images": 600,
                    "test_images": 100, "runs": [entry] if finished else [], "deployed": []}})
    lines = [{"kind": "epoch", "epoch": k + 1, "test_accuracy": accuracy - 0.1 * (epochs - 1 - k),
              "test_loss": 0.5, "seconds": 2.0, "images_per_second": 300.0,
              "phase_seconds": {"forward": 1.5, "backward": 0.5}} for k in range(epochs)]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (folder / leg).mkdir(exist_ok=True)
    (folder / leg / "metrics.jsonl").write_text(text + '{"kind":"st', encoding="utf-8")


def write_study(folder, name, title, accuracies, legs=("in-situ",), length="short"):
    """A study of two seeds: accuracies[value] holds one of each; None stands for a divergence."""
    points = []
    for value, of_seeds in accuracies.items():
        folders = {}
        for leg in ("ideal", *legs):
            folders[leg] = {}
            for seed, accuracy in zip(("1", "2"), of_seeds):
                place = f"ideal/{seed}" if leg == "ideal" else f"{leg}/{name}-{value}/{seed}"
                folders[leg][seed] = place
                if leg == "ideal":
                    write_run(folder / place, "ideal", 0.98)
                elif accuracy is None:
                    write(folder / place / "failure.json",
                          {"code": 3, "message": "xbar: training diverged: the loss is NaN"})
                elif leg == "deployed":
                    write(folder / place / "evaluation.json",
                          {"settings": {}, "seconds": 1.0, "result": {"wired": [
                              {"accuracy": accuracy, "loss": 0.5, "surrogate": "exact"}]}})
                else:
                    write_run(folder / place, "in-situ-100000ohm", accuracy, certificate={
                        "surrogate": "closed-form", "worst_error": 0.00044})
        points.append({"value": value, "changes": {}, "folders": folders})
    write(folder / f"{name}.study.json", {
        "study": name, "title": title, "model": "lenet5", "length": length, "legs": list(legs),
        "seeds": ["1", "2"], "settings": {"epochs": "2"}, "technology": {"on-ohm": "100000"},
        "points": points})


class Page(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = Path(scratch.name)

    def page(self, *arguments):
        out = self.folder / "results.md"
        self.assertEqual(results.main([*map(str, arguments), "--out", str(out)]), 0)
        return out.read_text(encoding="utf-8")

    def test_holds_runs_against_their_targets(self):
        write_run(self.folder / "lenet", "ideal", 0.9925)
        write_run(self.folder / "resnet", "ideal", 0.61, "resnet20", "cifar10=d/cifar10-jpeg",
                  epochs=3, planned=30, finished=False)
        write_run(self.folder / "vgg", "ideal", 0.81, "vgg8s", "cifar10=d/cifar10-jpeg")
        text = self.page(self.folder / "lenet", self.folder / "resnet", self.folder / "vgg")
        self.assertIn("| lenet5 | MNIST | at least 99 | 99.25 | 2 of 2 | met |", text)
        self.assertIn("| resnet20 | CIFAR-10 (JPEG) | at least 85 within 30 epochs | 61.00 | 3 of 30 | "
                      "not met yet |", text)
        self.assertIn("| 81.00 | 2 of 2 | not met |", text)
        # Two epochs of 1.5 s and 0.5 s.
        self.assertIn("| lenet5, MNIST | ideal | 300 | 75.0 | 25.0 |", text)
        self.assertIn("- xbar 0.1.0, threads 2, isa avx2\n", text)
        self.assertNotIn(str(self.folder), text)

    def test_a_target_without_a_run_is_not_measured(self):
        write_run(self.folder / "vgg", "ideal", 0.81, "vgg8s", "cifar10=d")
        self.assertIn("| lenet5 | mnist | at least 99 |  |  | not measured |",
                      self.page(self.folder / "vgg"))

    def test_gives_means_spreads_and_verdicts_of_a_study(self):
        study = self.folder / "study"
        write_study(study, "nonlinearity", "nu",
                    {"0": (0.98, 0.97), "0.1": (0.97, 0.965), "1": (None, None)})
        text = self.page("--study", study)
        # (97 + 96.5)/2 = 96.75; the deviation of two is their distance over sqrt(2): 0.5/1.4142.
        self.assertIn("| 0.1 | 98.00 | 96.75 (0.35) | 0.5000 | 4.0 | closed-form | 0.044 |", text)
        self.assertIn("| 1 | 98.00 | 2 failed |", text)
        # 97.5 - 96.75
        self.assertIn("**reproduced** (largest loss against 0: 0.75 points)", text)
        self.assertIn("**reproduced** (0.00 %, against 97.50 % at 0)", text)

    def test_shows_the_studies_of_remapping(self):
        write(self.folder / "simpnet/wire-drop.table.json", {
            "family": "xchangr", "study": "wire-drop", "title": "Where wires cost 5 points",
            "model": "simpnet", "technology": {"line": "2 ohm a cell"},
            "header": ["array", "as is"], "rows": [["64 x 64", "89.9"]], "notes": ["A note."]})
        text = self.page("--study", self.folder / "simpnet")
        self.assertIn("### Where wires cost 5 points: simpnet\n\nline 2 ohm a cell.\n", text)
        self.assertIn("| array | as is |\n|---|---|\n| 64 x 64 | 89.9 |\n\nA note.\n", text)
        with self.assertRaisesRegex(results.Problem, "STUDY.table.json files, found none"):
            self.page("--study", self.folder)

    def test_keeps_the_other_sections_of_the_page(self):
        def drop(model, value):
            write(self.folder / f"{model}/wire-drop.table.json", {
                "family": "xchangr", "study": "wire-drop", "title": "Where wires cost 5 points",
                "model": model, "technology": {"line": "2 ohm a cell"},
                "header": ["array", "as is"], "rows": [["64 x 64", value]], "notes": []})
            return "--study", self.folder / model
        write_run(self.folder / "lenet", "ideal", 0.9925)
        write_study(self.folder / "study", "write-noise", "gamma, %", {"5": (0.9, 0.9)})
        self.page(*drop("simpnet", "89.9"))
        self.page("--study", self.folder / "study", "--keep")
        self.page(*drop("resnet", "70.0"), "--keep")
        whole = self.page(self.folder / "lenet", "--keep")
        for part in ("## Accuracy", "- xbar 0.1.0, threads 2", "#### write-noise", "89.9", "70.0"):
            self.assertEqual(whole.count(part), 1, part)
        self.assertLess(whole.index("89.9"), whole.index("70.0"))
        # Once more, and with another value: nothing is there twice, nothing else has changed.
        self.assertEqual(self.page(*drop("resnet", "70.0"), "--keep"), whole)
        self.assertEqual(self.page(*drop("resnet", "71.5"), "--keep"), whole.replace("70.0", "71.5"))
        with self.assertRaisesRegex(results.Problem, "--keep: expected a page at"):
            results.main([str(self.folder / "lenet"), "--keep", "--out", str(self.folder / "none.md")])

    def test_the_verdict_follows_the_figures(self):
        study = self.folder / "study"
        write_study(study, "nonlinearity", "nu",
                    {"0": (0.98, 0.97), "0.1": (0.97, 0.955), "1": (0.95, 0.95)})
        text = self.page("--study", study)
        self.assertIn("**not reproduced** (largest loss against 0: 1.25 points)", text)
        self.assertIn("**not reproduced** (95.00 %, against 97.50 % at 0)", text)

    def test_little_left_of_the_accuracy_is_no_convergence(self):
        study = self.folder / "study"
        write_study(study, "nonlinearity", "nu", {"0": (0.98, 0.98), "1": (0.48, 0.48)})
        self.assertIn("**reproduced** (48.00 %, against 98.00 % at 0)", self.page("--study", study))

    def test_sizes_by_leg(self):
        study = self.folder / "study"
        write_study(study, "array-size", "lines", {"16": (0.98, 0.98), "128": (0.96, 0.97)},
                    legs=("deployed", "in-situ"))
        text = self.page("--study", study)
        # Standard error of (96, 97): 0.7071/sqrt(2) = 0.5, twice that 1.0.
        ground = "from 16 to 128 a loss of 1.50 points; two standard errors: 1.00 points"
        self.assertIn(f"ideally trained, put on the arrays: **reproduced** ({ground})", text)
        self.assertIn(f"trained through the arrays: **reproduced** ({ground})", text)

    def test_a_best_ratio_must_be_clear_of_both_ends(self):
        for best, verdict in ((0.99, "reproduced"), (0.96, "not reproduced")):
            study = self.folder / f"study-{best}"
            write_study(study, "on-off-ratio", "R_off/R_on",
                        {"2": (0.9, 0.9), "5": (best, best), "50": (0.96, 0.96)})
            self.assertIn(f"**{verdict}** (best at 5", self.page("--study", study))

    def test_resistance_must_matter_at_the_low_end_only(self):
        for low, verdict in ((0.11, "reproduced"), (0.975, "not reproduced")):
            study = self.folder / f"study-{low}"
            write_study(study, "on-resistance", "R_on, ohm",
                        {"1000": (low, low), "100000": (0.98, 0.97)})
            self.assertIn(f"**{verdict}** (loss against ideal: at most 0.50 points from 100 kOhm on",
                          self.page("--study", study))

    def test_missing_points_give_no_verdict(self):
        study = self.folder / "study"
        write_study(study, "write-noise", "gamma, %", {"5": (0.9, 0.9)})
        self.assertEqual(self.page("--study", study).count("**not comparable** (points are missing)"),
                         2)

    def test_going_on_from_trained_weights_says_nothing_of_writes(self):
        study = self.folder / "study"
        write_study(study, "nonlinearity", "nu", {"0": (0.9, 0.9), "0.1": (0.9, 0.9), "1": (0.9, 0.9)},
                    length="further")
        self.assertEqual(self.page("--study", study).count("**not comparable** (going on from"), 2)

    def test_names_what_is_not_a_run(self):
        (self.folder / "empty").mkdir()
        for arguments, words in ((["empty"], "expected a run folder of xbar train"),
                                 (["--study", "empty"], "expected STUDY.study.json or STUDY.table.json files")):
            arguments = [str(self.folder / "empty") if word == "empty" else word
                         for word in arguments]
            with self.assertRaisesRegex(results.Problem, words):
                self.page(*arguments)

    def test_refuses_no_folder_at_all(self):
        with contextlib.redirect_stderr(io.StringIO()), self.assertRaises(SystemExit) as end:
            results.main([])
        self.assertEqual(end.exception.code, 2)


if __name__ == "__main__":
    unittest.main()
