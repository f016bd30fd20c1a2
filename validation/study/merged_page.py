"""A page of Markdown of which some sections are written anew and the others stay."""

import re


class Section:
    """A heading, the lines below it, and the sections below those. An empty line ends each."""

    def __init__(self, heading=""):
        self.heading, self.lines, self.parts = heading, [], []

    def blocks(self):
        text = "\n".join(([self.heading] if self.heading else []) + self.lines).rstrip("\n")
        return ([text] if text else []) + [block for part in self.parts for block in part.blocks()]


def sections(text):
    """The page as a tree."""
    root = Section()
    path = [(0, root)]
    for line in text.splitlines():
        level = len(re.match(r"#*(?= )|", line).group())
        if level == 0:
            path[-1][1].lines.append(line)
            continue
        while path[-1][0] >= level:
            path.pop()
        path[-1][1].parts.append(Section(line))
        path.append((level, path[-1][1].parts[-1]))
    return root


def merge(old, new):
    """`new` into `old`: a section of the same heading takes the new lines, others are added."""
    # Which programs and machines measured: those of what stays, too.
    machines = [line for line in old.lines if line.startswith("- xbar ")]
    while new.lines[-1:] == [""]:
        new.lines.pop()
    if new.lines:
        old.lines = new.lines + [line for line in machines if line not in new.lines]
    for part in new.parts:
        same = [one for one in old.parts if one.heading == part.heading]
        if same:
            merge(same[0], part)
        else:
            # Beside its like: another network of the same study.
            kind = part.heading.partition(":")[0]
            like = [k for k, one in enumerate(old.parts) if one.heading.partition(":")[0] == kind]
            old.parts.insert(like[-1] + 1 if like else len(old.parts), part)


def merged(old, new):
    """The page `new`, and the sections of `old` that it does not have, in the order of `old`."""
    tree = sections(old)
    merge(tree, sections(new))
    return "\n\n".join(tree.blocks()) + "\n"
