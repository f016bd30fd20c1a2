#!/usr/bin/env python3
"""The Markdown pages: every link leads somewhere, every page is reached from docs/index.md.

Usage: test_docs.py links
       test_docs.py site BUILD_FOLDER     makes the site with program and package of that build
Exit code 77: skipped, a tool is missing.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "docs/site"))

from links import anchors, links, pages, pages_of_folder, target_path  # noqa: E402


def broken(root, page):
    """A line for every link of a page that leads nowhere."""
    text = (root / page).read_text()
    for begin, _, target in links(text):
        path, anchor = target_path(page, target)
        where = f"{page}:{text.count(chr(10), 0, begin) + 1}: {target}"
        if not (root / path).exists():
            yield f"{where}: no such file"
        elif anchor and anchor not in anchors((root / path).read_text()):
            yield f"{where}: no such heading"


def reached(root, first):
    """Every page on a way from `first`; a link to a folder leads to all pages in it."""
    found, todo = set(), [first]
    while todo:
        page = todo.pop()
        if page in found:
            continue
        found.add(page)
        for _, _, target in links((root / page).read_text()):
            path, _ = target_path(page, target)
            if (root / path).is_dir():
                todo += pages_of_folder(root, path)
            elif path.endswith(".md"):
                todo.append(path)
    return found


def sample(folder, files):
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def test_links():
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sample(folder, {
            "docs/index.md": "# A\n[b](b.md#two-words), [over\ntwo lines](b.md#two), [f](f/), `[c](c.md)`\n"
                             "```\n[d](d.md)\n```\n![picture](e.svg), [web](https://example.org/none)\n",
            "docs/b.md": "# B\n## Two `words`\n", "docs/f/in_folder.md": "# F\n", "docs/alone.md": "# Alone\n"})
        found = list(broken(folder, "docs/index.md"))
        assert found == [
            "docs/index.md:3: b.md#two: no such heading", "docs/index.md:7: e.svg: no such file"], found
        assert reached(folder, "docs/index.md") == {"docs/index.md", "docs/b.md", "docs/f/in_folder.md"}

    everything = subprocess.run(["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True)
    found = sorted(set(pages(ROOT)) | set(everything.stdout.split()))
    assert len(found) > 30, found
    problems = [line for page in found if (ROOT / page).exists() for line in broken(ROOT, page)]
    assert not problems, "\n".join(problems)
    unreached = set(pages(ROOT)) - reached(ROOT, "docs/index.md")
    assert not unreached, f"no way from docs/index.md to {sorted(unreached)}"


def build(out, from_folder):
    return subprocess.run([ROOT / "scripts/build-docs", "--quick", "--from", from_folder, "--out", out],
                          env=dict(os.environ, XBAR_SKIP_INSTALL="1"), capture_output=True, text=True)


def test_site(from_folder):
    with tempfile.TemporaryDirectory() as out:
        run = build(out, from_folder)
        if run.returncode == 2 and "scripts/install-deps --docs" in run.stderr:
            print("skipped:", run.stderr.strip())
            sys.exit(77)
        assert run.returncode == 0, run.stdout + run.stderr
        html = Path(out, "html")
        assert run.stdout.splitlines()[-1] == str(html / "index.html"), run.stdout
        program = Path(from_folder, "apps/cli/xbar")
        help_text = subprocess.run([program, "solve", "--help"], capture_output=True, text=True).stdout
        flags = set(re.findall(r"^ +(?:-\w,)?(--[a-z-]+)", help_text, re.M))
        assert len(flags) > 20, help_text
        page = (html / "commands/xbar-solve.html").read_text()
        for flag in flags:
            assert f'id="cmdoption-xbar-solve-{flag[2:]}"' in page or f"-{flag[2:]}" in page, flag
        assert "xbar::solver::" in (html / "cpp/solver.html").read_text()
        for path in html.rglob("*.html"):
            outside = re.findall(r'<(?:script|img|link|iframe)[^>]*(?:src|href)="(?:https?:)?//[^"]*"',
                                 path.read_text())
            assert not outside, f"{path.name} needs a network: {outside}"


if __name__ == "__main__":
    if sys.argv[1:] == ["links"]:
        test_links()
    else:
        test_site(sys.argv[2])
