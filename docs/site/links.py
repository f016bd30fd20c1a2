"""Links of Markdown pages: where they lead, and the anchors that headings make."""

import posixpath
import re
from pathlib import Path

LINK = re.compile(r"\[(?:[^\[\]]|\[[^\[\]]*\])*\]\(([^()\s]+)\)")
CODE = re.compile(r"^( *)(```+|~~~+).*?^\1\2[`~]* *$|(?<!`)(`+)(?!`)(?:(?!\n\n).)+?(?<!`)\3(?!`)",
                  re.S | re.M)


def without_code(text):
    """The text with code blanked out, every other character in its place."""
    return CODE.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)


def links(text):
    """(begin, end, target) of every link that does not leave the repository."""
    for match in LINK.finditer(without_code(text)):
        if not re.match(r"[a-z]+:", match[1]):
            yield match.start(1), match.end(1), match[1]


def target_path(page, target):
    """Path from the root of the repository to what a link of `page` leads to, and its anchor."""
    path, _, anchor = target.partition("#")
    if not path:
        return page, anchor
    return posixpath.normpath(posixpath.join(posixpath.dirname(page), path)), anchor


def anchors(text):
    """Anchors of the headings, as GitHub and MyST make them."""
    found = []
    for heading in re.findall(r"^#+ +(.+?)[ #]*$", re.sub(r"^```.*?^```", "", text, flags=re.S | re.M),
                              re.M):
        heading = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")
        number = sum(1 for other in found if re.fullmatch(re.escape(slug) + r"(-\d+)?", other))
        found.append(f"{slug}-{number}" if number else slug)
    return found


def pages(root):
    """Every Markdown page of the site, as paths from the root of the repository."""
    found = sorted(path.relative_to(root).as_posix() for path in Path(root, "docs").rglob("*.md"))
    return found + ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"]


def pages_of_folder(root, folder):
    """What a link to a folder leads to: the pages in it, its own page first."""
    found = sorted(path.relative_to(root).as_posix() for path in Path(root, folder).glob("*.md"))
    return sorted(found, key=lambda page: posixpath.basename(page) != "README.md")
