"""Docstrings of the Python package, columns and all, as reStructuredText."""

import re

COLUMNS = re.compile(r"(\S+(?: \S+)*?(?:, \S+)*)  +(\S.*)")


def escaped(text):
    """Prose as prose; what stands between backticks as code."""
    parts = re.split(r"`([^`]+)`", text)
    parts[::2] = [re.sub(r"([\\*_|<>])", r"\\\1", part) for part in parts[::2]]
    parts[1::2] = [f"``{part}``" for part in parts[1::2]]
    return "".join(parts)


def restructured(lines):
    """A block in columns, name and meaning, becomes a list; an indented block stays as it is."""
    result = []
    for block in re.split(r"\n\s*\n", "\n".join(lines).strip("\n")):
        rows = block.split("\n")
        if rows[0].startswith("    "):
            result += ["::", "", *rows, ""]
        elif COLUMNS.fullmatch(rows[0]):
            for row in rows:
                column = COLUMNS.fullmatch(row)
                if row.startswith(" "):
                    result.append("  " + escaped(row.strip()))
                elif column:
                    result.append(f"- **{escaped(column[1])}**: {escaped(column[2])}")
                else:  # the list is over
                    result += ["", escaped(row)]
            result.append("")
        else:
            result += [escaped(row.strip()) for row in rows] + [""]
    return result
