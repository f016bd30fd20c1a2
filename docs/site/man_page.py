"""`xbar man` as pages of the site: a page a command, every flag with an anchor of its own."""

import re


def plain(text):
    """A line of the manual without its typesetting."""
    text = re.sub(r"\\f[BIR]|\\[:&|]", "", text)
    return text.replace(r"\(aq", "'").replace(r"\(ha", "^").replace(r"\-", "-").replace(r"\e", "\\")


def markdown(text):
    return re.sub(r"([\\`*_{}\[\]<>|$#~^])", r"\\\1", text)


def sections(manual):
    """[(title, lines)] of the manual; commands are sections too."""
    found = []
    for line in manual.splitlines():
        heading = re.match(r'\.S[HS] "?(.*?)"?$', line)
        if heading:
            found.append((plain(heading[1]), []))
        elif found and line.strip(". "):
            found[-1][1].append(line)
    return found


def items(lines):
    """The text before the first item, and [(tag, [line of text])]."""
    before, found, tag_next = [], [], False
    for line in lines:
        if line == ".TP":
            tag_next = True
        elif tag_next:
            found.append((plain(line), []))
            tag_next = False
        else:
            (found[-1][1] if found else before).append(plain(line).strip())
    return " ".join(before), found


def command_page(name, lines):
    summary, flags = items(lines)
    text = [f"# {name}", "", markdown(summary) + ".", "", f"```{{program}} {name}", "```", ""]
    for tag, description in flags:
        text += [f"````{{option}} {tag}", markdown("\n".join(description)), "````", ""]
    return "\n".join(text)


def command_pages(manual):
    """{file name: Markdown} of the commands and of their overview."""
    found, overview = {}, ["# Commands", ""]
    for title, lines in sections(manual):
        summary, rest = items(lines)
        if title.startswith("xbar "):
            file = title.replace(" ", "-")
            found[file + ".md"] = command_page(title, lines)
            overview += [f"- [{title}]({file}.md): {markdown(summary)}"]
        elif title == "DESCRIPTION":
            overview += [markdown(summary), ""]
        elif title in ("ENVIRONMENT", "EXIT STATUS"):
            overview += ["", f"## {title.capitalize()}", ""]
            overview += [f"- `{tag}`: {markdown(' '.join(text))}" for tag, text in rest]
    if not found:
        raise ValueError("xbar man: expected sections of commands, found none")
    names = "\n".join(sorted(file[:-3] for file in found))
    overview += ["", "```{toctree}", ":hidden:", "", names, "```", ""]
    return {"index.md": "\n".join(overview), **found}
