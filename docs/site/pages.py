#!/usr/bin/env python3
"""Writes what Sphinx reads: the pages of docs/ with their links adapted, and the generated ones.

Usage: pages.py --out FOLDER --doxygen XML_FOLDER --xbar PROGRAM --libraries NAME...

The sidebar is docs/index.md: a section there is a group, its links in their order. Files that have
not changed are not written, so that Sphinx does again only what it must.
"""

import argparse
import os
import posixpath
import re
import subprocess
from pathlib import Path

import cpp_api
import header_members
import man_page
import python_api
import references
from links import links, pages, pages_of_folder, target_path

ROOT = Path(__file__).resolve().parents[2]
BIB = "docs/references.bib"
# In docs/index.md: the place of links to the pages that exist in the site alone.
MARK = "<!-- site: reference -->"
GENERATED = {"Commands and their flags": "commands/index.md", "C++ libraries": "cpp/index.md",
             "Python package": "python-api.md"}


class Site:
    """The files of the site, by their path in it."""

    def __init__(self):
        self.files = {}
        self.keys = {key for key, _ in references.entries((ROOT / BIB).read_text())}
        self.places = {page: self.place(page) for page in pages(ROOT)}

    @staticmethod
    def place(page):
        folder, name = posixpath.split(page)
        if folder == "":
            return name.lower()
        return posixpath.join(posixpath.relpath(folder, "docs"), name.replace("README", "index")).removeprefix("./")

    def destination(self, path):
        """Where a file or folder of the repository is in the site; brings it along."""
        if path in self.places:
            return self.places[path]
        if path == BIB:
            return "references.md"
        if (ROOT / path).is_dir():
            listed = pages_of_folder(ROOT, path)
            if not listed or listed[0] not in self.places:
                raise SystemExit(f"{path}: expected a folder with pages of the site, found none")
            return posixpath.join(posixpath.relpath(path, "docs"), "index.md")
        self.files.setdefault("files/" + path, (ROOT / path).read_bytes())
        return "files/" + path

    def add_page(self, page):
        place, text = self.places[page], (ROOT / page).read_text()
        pieces, done = [], 0
        for begin, end, target in links(text):
            path, anchor = target_path(page, target)
            if path == page:
                continue
            where = posixpath.relpath(self.destination(path), posixpath.dirname(place) or ".")
            pieces += [text[done:begin], where, "#" + anchor if anchor else ""]
            done = end
        text = "".join(pieces) + text[done:]
        bibliography = posixpath.relpath("references.md", posixpath.dirname(place) or ".")
        self.files[place] = references.cite(text, self.keys, bibliography)

    def add_folder(self, folder):
        """The page that a link to a folder opens: its README.md, if it has one, and the list of pages."""
        place = posixpath.join(posixpath.relpath(folder, "docs"), "index.md")
        title = {"adr": "Decisions"}.get(posixpath.basename(folder), posixpath.basename(folder).capitalize())
        text = self.files.get(place, f"# {title}\n")
        names = [posixpath.basename(page)[:-3] for page in pages_of_folder(ROOT, folder)
                 if not page.endswith("README.md")]
        if names:
            text += "\n".join(["", "```{toctree}", ":maxdepth: 1", "", *names, "```", ""])
        self.files[place] = text

    def add_index(self):
        """The start page, with the sidebar: its sections and the pages that they are first to name."""
        text, named = self.files["index.md"], {"index.md"}
        if MARK not in text:
            raise SystemExit(f"docs/index.md: expected a line {MARK}, found none")
        text = text.replace(MARK, "\n".join(f"- [{title}]({page})" for title, page in GENERATED.items()))
        for title, section in re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", text, re.S | re.M):
            found = [target.partition("#")[0] for _, _, target in links(section)]
            found = [page for page in dict.fromkeys(found) if page.endswith(".md") and page not in named]
            named.update(found)
            if found:
                text += "\n".join(["", "```{toctree}", ":hidden:", f":caption: {title}", "",
                                   *(page[:-3] for page in found), "```", ""])
        self.files["index.md"] = text

    def write(self, out):
        for path, content in self.files.items():
            data = content if isinstance(content, bytes) else content.encode()
            target = out / path
            if not target.exists() or target.read_bytes() != data:
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(data)
        for path in out.rglob("*"):
            if path.is_file() and path.relative_to(out).as_posix() not in self.files:
                path.unlink()


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--doxygen", type=Path, required=True)
    parser.add_argument("--xbar", required=True)
    parser.add_argument("--libraries", nargs="+", default=cpp_api.LIBRARIES)
    arguments = parser.parse_args()

    site = Site()
    for page in site.places:
        site.add_page(page)
    for folder in sorted({posixpath.dirname(page) for page in site.places} - {"", "docs"}):
        site.add_folder(folder)
    site.add_index()
    site.files["references.md"] = references.page((ROOT / BIB).read_text())
    site.files["python-api.md"] = python_api.page("python.md")
    manual = subprocess.run([arguments.xbar, "man"], check=True, capture_output=True, text=True).stdout
    for folder, generated in {"commands": man_page.command_pages(manual),
                              "cpp": cpp_api.pages(ROOT, arguments.libraries),
                              "doxygen": header_members.prepared(arguments.doxygen)}.items():
        site.files.update({f"{folder}/{name}": text for name, text in generated.items()})
    os.makedirs(arguments.out, exist_ok=True)
    site.write(arguments.out)


if __name__ == "__main__":
    main()
