"""scripts/update-figures against small runs; needs nothing outside the standard library."""

import contextlib
import importlib.machinery
import importlib.util
import io
import json
import tempfile
import unittest
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "update-figures"
LOADER = importlib.machinery.SourceFileLoader("update_figures", str(SCRIPT))
SPEC = importlib.util.spec_from_loader("update_figures", LOADER)
figures = importlib.util.module_from_spec(SPEC)
LOADER.exec_module(figures)

README = f"before\n{figures.BEGIN}\nold\n{figures.END}\nafter\n"
RUN = {
    "machine": {"cpu": "A | B", "threads": 2},
    "sizes": [{"n": 16, "error": 0.0312}, {"n": 64, "error": 0.11}],
}


class Table(unittest.TestCase):
    def test_formats_values_by_path(self):
        lines = figures.table(RUN, [("Error", "sizes.1.error", "{:.1%}"), ("CPU", "machine.cpu", "{}")])
        self.assertEqual(lines.splitlines()[2:], ["| Error | 11.0% |", r"| CPU | A \| B |"])

    def test_picks_from_a_list_by_a_field(self):
        self.assertEqual(figures.look_up(RUN, "sizes.n=64.error"), 0.11)

    def test_a_format_may_take_several_fields(self):
        lines = figures.table(RUN, [("Machine", "machine", "{0[threads]} cores")])
        self.assertEqual(lines.splitlines()[2], "| Machine | 2 cores |")

    def test_names_a_missing_path(self):
        for path in ("machine.gpu", "sizes.2.error", "sizes.x", "sizes.n=32.error",
                     "sizes.m=1.error", "machine.cpu.name"):
            with self.assertRaisesRegex(figures.Problem, path):
                figures.table(RUN, [("?", path, "{}")])

    def test_names_a_value_that_does_not_fit(self):
        with self.assertRaisesRegex(figures.Problem, "machine.cpu"):
            figures.table(RUN, [("CPU", "machine.cpu", "{:.1%}")])


class Region(unittest.TestCase):
    def test_replaces_only_what_is_marked(self):
        self.assertEqual(figures.replace_region(README, "new"), README.replace("old", "new"))

    def test_refuses_a_file_without_one_region(self):
        for text in ("", figures.BEGIN, README + README, f"{figures.END}{figures.BEGIN}"):
            with self.assertRaises(figures.Problem):
                figures.replace_region(text, "new")


class Command(unittest.TestCase):
    def test_writes_then_agrees(self):
        figures.FIGURES = [("Error", "sizes.n=16.error", "{:.1%}")]
        with tempfile.TemporaryDirectory() as folder:
            run_file, readme = Path(folder, "run.json"), Path(folder, "README.md")
            run_file.write_text(json.dumps(RUN), encoding="utf-8")
            readme.write_text(README, encoding="utf-8")
            arguments = ["--run", str(run_file), "--readme", str(readme)]
            with contextlib.redirect_stderr(io.StringIO()):
                self.assertEqual(figures.main([*arguments, "--check"]), 1)
            self.assertEqual(figures.main(arguments), 0)
            self.assertEqual(figures.main([*arguments, "--check"]), 0)
            text = readme.read_text(encoding="utf-8")
        self.assertTrue(text.startswith("before\n") and text.endswith("\nafter\n"))
        self.assertIn("| Error | 3.1% |", text)


if __name__ == "__main__":
    unittest.main()
