"""How Sphinx makes the site; scripts/build-docs calls it."""

import os
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from docstrings import restructured  # noqa: E402

root = Path(__file__).parents[2]
project = "xbar"
author = copyright = "The xbar authors"
release = re.search(r"^version: (\S+)", (root / "CITATION.cff").read_text(), re.M)[1]

extensions = ["myst_parser", "breathe", "sphinx.ext.autodoc"]
root_doc = "index"
myst_heading_anchors = 4
highlight_language = "text"
# A flag is --flag, in prose too.
smartquotes = False

breathe_projects = {"xbar": os.environ["XBAR_SITE_XML"]}
breathe_default_project = "xbar"
breathe_show_include = False
primary_domain = None

# What nn.Module says of its own members is in its own manual.
autodoc_inherit_docstrings = False
autodoc_typehints = "signature"
autodoc_member_order = "groupwise"

html_theme = "furo"
html_title = f"xbar {release}"
html_show_sphinx = False
html_copy_source = False
html_static_path = ["static"]
html_css_files = ["site.css"]


def setup(app):
    def rewrite(app, what, name, obj, options, lines):
        lines[:] = restructured(lines)

    app.connect("autodoc-process-docstring", rewrite)
