"""What editors and type checkers see of long lists of keywords is what the calls take."""

import re

import numpy as np
import pytest

import xbar


def keywords_of(function):
    """Names and defaults after the star, from the signature that the stub holds."""
    text = function.__nb_signature__[0][0]
    after = text[text.index("*, ") + 3 : text.rindex(") ->")]
    found = re.findall(r"(\w+): ([^=]+?) = (\\\d+|'[^']*'|[^,\s]+)", after)
    defaults = function.__nb_signature__[0][2] or ()
    value = lambda text: defaults[int(text[1:])] if text.startswith("\\") else eval(text)
    return {name: value(default) for name, _, default in found}


@pytest.mark.parametrize(
    ("function", "call"),
    [
        (xbar.Technology.__init__, xbar.Technology),
        (xbar.CrossbarMatrix.__init__, lambda **k: xbar.CrossbarMatrix(np.eye(2), **k)),
        (xbar.train, lambda **k: xbar.train("mlp", "glyphs", **k)),
        (xbar.evaluate, lambda **k: xbar.evaluate("mlp", {}, "glyphs", **k)),
        (xbar.remap, lambda **k: xbar.remap("mlp", {}, "glyphs", **k)),
    ],
)
def test_signatures_name_what_is_taken(function, call):
    with pytest.raises(ValueError, match="expected keywords") as refused:
        call(no_such_keyword=1)
    taken = re.search(r"expected keywords (.*), got", str(refused.value))[1].split(", ")
    stated = [name for name in keywords_of(function)
              if name not in ("mode", "technology", "weights", "progress", "strategy")]
    assert stated == taken


def test_stated_defaults_are_the_defaults():
    weight = np.random.default_rng(1).normal(size=(20, 30)).astype(np.float32)
    x = np.ones(30, np.float32)
    plain = xbar.CrossbarMatrix(weight).forward(x)
    technology = xbar.Technology(**keywords_of(xbar.Technology.__init__))
    stated = keywords_of(xbar.CrossbarMatrix.__init__)
    assert np.array_equal(xbar.CrossbarMatrix(weight, technology, **stated).forward(x), plain)
