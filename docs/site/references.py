"""docs/references.bib as a page, and the keys that pages cite as links to it."""

import re

from links import without_code

KEY = re.compile(r"[A-Z][A-Za-z]+\d{4}[a-z]?")
CITED = re.compile(rf"\[({KEY.pattern}(?:[,;] {KEY.pattern})*)\](?![(\[])")
FIELDS = ["journal", "booktitle", "publisher", "howpublished", "institution", "volume", "pages", "year"]


def entries(bib):
    """[(key, {field: value})]"""
    for key, body in re.findall(r"^@\w+\{([^,]+),\n(.*?)^\}", bib, re.S | re.M):
        values = re.findall(r"(\w+)\s*=\s*\{(.*?)\},?\s*(?=\n\s*\w+\s*=|\Z)", body, re.S)
        yield key, {name: re.sub(r"[{}]|\s+(?=\s)", "", value) for name, value in values}


def page(bib):
    text = ["# References", "", "The sources of equations and figures, by the keys that pages and headers cite.", ""]
    for key, fields in sorted(entries(bib)):
        where = ", ".join(fields[name] for name in FIELDS if name in fields)
        text += [f"## {key}", "", f"{fields.get('author', '').replace(' and ', '; ')}: "
                 f"*{fields.get('title', '')}*. {where}."]
        if "doi" in fields:
            text[-1] += f" [doi:{fields['doi']}](https://doi.org/{fields['doi']})"
        text.append("")
    return "\n".join(text)


def cite(text, keys, reference_page):
    """Links the keys of every [Key] and [Key, Key] that is no link yet."""
    pieces, done = [], 0
    for match in CITED.finditer(without_code(text)):
        linked = KEY.sub(lambda key: f"[{key[0]}]({reference_page}#{key[0].lower()})"
                         if key[0] in keys else key[0], match[1])
        pieces += [text[done:match.start()], f"\\[{linked}\\]"]
        done = match.end()
    return "".join(pieces) + text[done:]
