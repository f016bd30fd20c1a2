import pathlib
import re

import pages
import pytest

DOCS = pathlib.Path(__file__).parents[2] / "docs"
RUN = [DOCS / "python.md", DOCS / "coming-from.md", *sorted((DOCS / "tutorials").glob("*.md"))]


@pytest.mark.parametrize("path", RUN, ids=lambda path: path.stem)
def test_blocks_of_the_page_run_in_order(path, tmp_path, monkeypatch):
    page = path.read_text()
    if lacking := pages.missing(page):
        pytest.skip(f"needs {', '.join(lacking)}")
    monkeypatch.chdir(tmp_path)
    blocks = pages.blocks(page)
    assert len(blocks) == page.count("```python\n") + page.count("```bash\n") > 0
    assert sum(shown is not None for _, _, shown in blocks) == page.count("```text\n")
    names = {}
    for kind, text, shown in blocks:
        printed = pages.run(kind, text, names, tmp_path)
        if shown:
            wrong = pages.difference(shown, printed, pages.tolerance(page))
            assert wrong is None, f"not printed: {wrong}\nby\n{text}which printed\n{printed}"
    for picture in re.findall(r"!\[.*?\]\((\S+\.svg)\)", page):  # those shown are those drawn
        labels = [re.findall(r'aria-label="(.*?)"', (folder / picture).read_text())
                  for folder in (path.parent, tmp_path)]
        assert labels[0] == labels[1] != [], picture


@pytest.mark.parametrize(
    "shown, printed, agrees",
    [
        ("97.5 % of 10", "97.4 % of 10", True),  # within 5 %
        ("97.5 % of 10", "80 % of 10", False),
        ("R_on 20 kOhm", "R_on 20 Ohm", False),  # words are literal
        ("took ... s", "took 3.1 s", True),
        ("x = 0.02...", "x = 0.0289", True),
        ("x = 0.02...", "x = 0.03", False),
        ("a\n...\nd", "a\nb\nc\nd", True),
        ("a\n...", "a\nb", True),
        ("a\nb", "a", False),
        ("a", "a\nb", False),
        ("1e-5", "1e-4", False),
        ("-3.0", "3.0", False),
    ],
)
def test_shown_output_is_compared(shown, printed, agrees):
    assert (pages.difference(shown, printed, 0.05) is None) == agrees
