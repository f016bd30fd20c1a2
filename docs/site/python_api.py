"""The page of the Python package's functions and classes, for autodoc."""

import importlib

MISSING = """# Python package

The package was not built when this site was made. `scripts/setup-python`, then
`cmake --preset release -DXBAR_BUILD_PYTHON=ON -DPython_EXECUTABLE=$PWD/build/python/bin/python`, then
`scripts/build-docs` again fill this page. [The guide](GUIDE) shows what the package does.
"""


def directives(module):
    names = [name for name in module.__all__ if not name.startswith("_")]
    for name in sorted(names, key=lambda name: (isinstance(getattr(module, name), type), name)):
        kind = "class" if isinstance(getattr(module, name), type) else "function"
        yield f".. auto{kind}:: {module.__name__}.{name}"
        if kind == "class":
            yield "   :members:"
        yield ""


def page(guide):
    """Markdown; `guide` is the page to begin with."""
    try:
        module = importlib.import_module("xbar")
    except ImportError:
        return MISSING.replace("GUIDE", guide)
    text = ["# Python package", "", f"[The guide]({guide}) shows these at work.", "", "## xbar", "",
            "```{eval-rst}", *directives(module), "```", "", "## xbar.torch", ""]
    try:
        layers = importlib.import_module("xbar.torch")
    except ImportError:
        text += ["Needs PyTorch, which was not there when this site was made.", ""]
    else:
        text += ["```{eval-rst}", *directives(layers), "```", ""]
    return "\n".join(text)
