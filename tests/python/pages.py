"""Runs the blocks of a page of docs/ in order: python in one session, bash in the same folder.

A text block behind one shows what it prints: "..." stands for anything, on a line of its own for any lines.
Comments: <!-- needs NAME -->, a module or program without which the page is skipped; <!-- tolerance 0.05 -->,
how far numbers may be off, relative, where it is not 0.002 (accuracies depend on the instruction set).
"""

import contextlib
import importlib.util
import io
import math
import re
import shutil
import subprocess

BLOCK = re.compile(r"^```(python|bash)\n(.*?)^```\n(?:\s*^```text\n(.*?)^```\n)?", re.S | re.M)
NUMBER = re.compile(r"(?<![\w.])[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?", re.I)


def missing(page):
    """What the page needs and this machine lacks."""
    names = re.findall(r"<!-- needs (\S+) -->", page)
    lacking = [n for n in names if not (shutil.which(n) or importlib.util.find_spec(n))]
    # The package can be installed without the program.
    if "```bash\n" in page and not shutil.which("xbar"):
        lacking.append("xbar on the PATH")
    return lacking


def tolerance(page):
    stated = re.search(r"<!-- tolerance (\S+) -->", page)
    return float(stated[1]) if stated else 0.002


def blocks(page):
    """Triples of language, text and what is shown of its output, None where nothing is."""
    return [(kind, text, shown or None) for kind, text, shown in BLOCK.findall(page)]


def run(kind, text, names, folder):
    """What the block prints. `names` is the session of the python blocks."""
    if kind == "python":
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(text, "block of the page", "exec"), names)
        return printed.getvalue()
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", text], cwd=folder, text=True,
                          capture_output=True, timeout=300)
    assert done.returncode == 0, f"exit code {done.returncode} of\n{text}{done.stdout}{done.stderr}"
    return done.stdout


def _line_agrees(shown, printed, tolerance):
    # Words and digits before "..." literally, "..." as anything, and each number as one to be compared.
    pattern, numbers, at = "", [], 0
    for part in re.finditer(rf"{NUMBER.pattern}(?!\d|\.\d|\.\.\.)|\.\.\.", shown, re.I):
        pattern += re.escape(shown[at : part.start()])
        if part[0] == "...":
            pattern += ".*"
        else:
            pattern += f"({NUMBER.pattern})"
            numbers.append(float(part[0]))
        at = part.end()
    found = re.fullmatch(pattern + re.escape(shown[at:]), printed, re.I)
    return found is not None and all(
        math.isclose(float(got), number, rel_tol=tolerance)
        for got, number in zip(found.groups(), numbers, strict=True))


def difference(shown, printed, tolerance):
    """The first shown line that was not printed in its place, None if all were."""
    rest = [line.rstrip() for line in printed.splitlines()]
    anywhere = False
    for line in (line.rstrip() for line in shown.splitlines()):
        if line == "...":
            anywhere = True
            continue
        while rest and anywhere and not _line_agrees(line, rest[0], tolerance):
            rest.pop(0)
        if not rest or not _line_agrees(line, rest.pop(0), tolerance):
            return line
        anywhere = False
    return None if anywhere or not rest else f"(end; more was printed: {rest[0]})"
