"""Pages of the C++ API: a page a library, a section a header, from what Doxygen read."""

import re
from pathlib import Path

# Libraries in the order of docs/architecture.md; where their headers are: folder/include.
LIBRARIES = ["core", "device", "fit", "solver", "surrogate", "surrogate/calibrate", "mapping", "nn", "onnx",
             "sweep", "report", "validation"]


def headers(root, library):
    return sorted(path.relative_to(root).as_posix()
                  for path in Path(root, library, "include").rglob("*.hpp"))


def namespaces(root, library):
    texts = [(root / header).read_text() for header in headers(root, library)]
    return sorted(set(re.findall(r"^namespace ([a-z_:]+) \{$", "\n".join(texts), re.M)))


def library_page(root, library):
    names = ", ".join(f"`{name}`" for name in namespaces(root, library))
    text = [f"# {library}/", "", f"Target `xbar::{library.replace('/', '_')}`, namespace {names}. "
            "A section a header.", ""]
    for header in headers(root, library):
        include = header.split("/include/")[1]
        text += [f"## {include}", "", "```cpp", f"#include <{include}>", "```", "",
                 f"```{{doxygenfile}} {header}", "```", ""]
    return "\n".join(text)


def pages(root, libraries):
    """{file name: Markdown} of the libraries and of their overview."""
    names = [library.replace("/", "-") for library in libraries]
    found = {f"{name}.md": library_page(root, library) for name, library in zip(names, libraries)}
    found["index.md"] = "\n".join([
        "# C++ libraries", "",
        "Made from the public headers, `FOLDER/include/xbar/FOLDER/`. What each folder answers and what it may",
        "use: [architecture](../architecture.md).", "",
        "```{toctree}", ":maxdepth: 2", "", *names, "```", ""])
    return found
