"""The site builds strictly, asks nothing of the network when it is opened, and shows what the code and the results say.

The lessons are left unrun here, which takes a minute or two; ``make docs`` runs them, and the tests beside this one.
"""

import inspect
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import jax
import pytest

import throughtime as tt
from throughtime.cells.catalog import CELLS
from throughtime.plots.theme import DARK, LIGHT

CHECKOUT = Path(__file__).parents[2]
DOCS = CHECKOUT / "docs"
FOREIGN = re.compile(r"^(?:https?:)?//")


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    finished = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)],
        cwd=CHECKOUT, capture_output=True, text=True, check=False,
        env={**os.environ, "THROUGHTIME_DOCS": "quick", "NO_MKDOCS_2_WARNING": "1"},
    )  # fmt: skip
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return folder


@pytest.fixture(scope="module")
def making():
    """The scripts that make pictures and tables."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(DOCS / "making"))
        import benchmark_pictures
        import cell_pictures
        import lessons
        import readable_shapes
        import results
        import scale_pictures
        import svg

        modules = (benchmark_pictures, cell_pictures, lessons, readable_shapes, results, scale_pictures, svg)
        yield {module.__name__: module for module in modules}
        for name in (module.__name__ for module in modules):
            sys.modules.pop(name, None)


class Loads(HTMLParser):
    """Everything that a browser fetches by itself when it opens the page."""

    def __init__(self, text: str):
        super().__init__()
        self.found: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag != "a":  # a link is followed by the reader
            wanted = ("src", "srcset", "href", "data", "poster", "xlink:href")
            self.found += [value for name in wanted if (value := given.get(name))]
        self.found += re.findall(r"url\(['\"]?([^'\")]+)", given.get("style") or "")


def test_what_a_page_loads():
    page = (
        '<link href="//a.org/b.css"><script src="c.js"></script><a href="https://d.org">x</a><i style="color:url(e)">'
    )
    assert Loads(page).found == ["//a.org/b.css", "c.js", "e"]


def test_pages_load_nothing_from_elsewhere(site):
    pages = list(site.rglob("*.html"))
    assert len(pages) > 40
    foreign = {(page.name, what) for page in pages for what in Loads(page.read_text()).found if FOREIGN.match(what)}
    assert foreign == set()
    for sheet in site.rglob("*.css"):
        loaded = re.findall(r"url\(['\"]?([^'\")]+)|@import\s+['\"]([^'\"]+)", sheet.read_text())
        assert [what for pair in loaded for what in pair if FOREIGN.match(what)] == [], sheet
    # The theme fetches this one library from elsewhere, where a page has such a diagram.
    assert not any('class="mermaid"' in page.read_text() for page in pages)


def test_every_marker_is_replaced(site):
    for page in site.rglob("*.html"):
        assert not re.search(r"<!-- (?:lesson|table|figures)\b", page.read_text()), page


def test_every_public_name_is_in_the_reference(site):
    anchors = {
        anchor
        for page in (site / "reference").glob("*.html")
        for anchor in re.findall(r'id="([\w.]+)"', page.read_text())
    }
    missing = {name for name in tt.__all__ if f"throughtime.{name}" not in anchors}
    assert missing <= {"cells", "kernels", "losses", "tasks"}  # modules; their contents are in the reference
    assert {"throughtime.kernels.available", "throughtime.kernels.off", "throughtime.losses.masked_mean"} <= anchors


def test_signatures_show_shapes(site, making):
    readable = making["readable_shapes"]
    assert readable.aliases()["InputWeights"] == "Array[G*H, D]"
    assert readable.readable("Inputs | None", readable.aliases()) == "Array[T, D] | Array[B, T, D] | None"
    assert readable.readable("Bool[Array, 'B T']", {}) == "Bool[B, T]"
    assert readable.readable("Float[Array, '*steps GH']", {}) == "Array[..., G*H]"
    shown = re.sub(r"<[^>]+>", "", (site / "reference" / "networks.html").read_text())
    assert "Array[B, T, D]" in shown
    assert not re.search(r"\b(?:Float|Int)\[Array", shown)


def test_docstrings_become_markdown(site, making):
    text = "See :func:`tt.unroll`.\n\nEquations::\n\n    y = h\n\n===  ====\na    b\n     c\nd    e\n===  ====\n\nEnd."
    table = "| | |\n|---|---|\n| a | b c |\n| d | e |"
    assert making["readable_shapes"].markdown(text) == f"See `tt.unroll`.\n\nEquations:\n\n    y = h\n\n{table}\n\nEnd."
    for page in (site / "reference").glob("*.html"):
        shown = re.sub(r"<[^>]+>", "", page.read_text())
        assert not re.search(r"={5}|\w::\n|:(?:func|class|meth):", shown), page


def test_examples_of_docstrings_are_code(site):
    pages = {page.name: page.read_text() for page in (site / "reference").glob("*.html")}
    assert not [name for name, page in pages.items() if 'class="example"' in page or "<blockquote>" in page]
    forecasting = re.sub(r"<[^>]+>", "", "".join(re.findall(r"<pre>.*?</pre>", pages["forecasting.html"], re.S)))
    assert "model = tt.Forecaster(horizon=12).fit(frame)" in forecasting.replace("&gt;", ">")


@pytest.mark.parametrize("script", ["cell_pictures", "benchmark_pictures", "scale_pictures"])
def test_pictures_are_what_their_script_draws(making, script):
    """Else run it: python docs/making/SCRIPT.py."""
    made = making["svg"].drawn(making[script].PICTURES)
    folder = making[script].FOLDER
    assert {path.name for path in folder.iterdir()} == set(made)
    for name, text in made.items():
        assert (folder / name).read_text() == text, f"{name}: run python docs/making/{script}.py"


def test_pictures_become_part_of_the_page(site):
    """In the page's colors; with the file's own they would be the system's, whatever the reader chose."""
    page = (site / "cells" / "lstm.html").read_text()
    figure = page[page.index('<figure class="tt">') : page.index("</figure>")]
    assert "<title>One step of an LSTM" in figure
    assert "prefers-color-scheme" not in figure


def test_the_sites_colors_are_those_of_the_report():
    css = (DOCS / "stylesheets" / "throughtime.css").read_text()
    names = {"ink": "ink", "soft": "soft", "line": "line", "card": "card", "page": "page", "model": "model"}
    names |= {str(number): f"baseline-{number}" for number in range(1, 6)}
    for scheme, colors in (("default", LIGHT), ("slate", DARK)):
        block = css[css.index(f'[data-md-color-scheme="{scheme}"]') :].partition("}")[0]
        for name, key in names.items():
            assert f"--tt-{name}: {colors[key].lower()};" in block, (scheme, name)


@pytest.mark.parametrize("name", CELLS)
def test_a_cells_page_has_the_docstrings_equations(name):
    """Which are executed in tests/cells/test_equations.py."""
    lines = inspect.getdoc(CELLS[name]).partition("Equations::\n\n")[2].splitlines()
    expected = [line.strip() for line in lines[: lines.index("")]]
    page = (DOCS / "cells" / f"{name}.md").read_text()
    block = page.partition("## Equations\n\n")[2].partition("\n\n")[0]
    assert [line.strip() for line in block.splitlines()] == expected


@pytest.mark.parametrize("name", CELLS)
def test_a_cells_page_counts_its_parameters(name):
    page = (DOCS / "cells" / f"{name}.md").read_text()
    formula = re.search(r"^Parameters: `([^`]+)`", page, re.M)[1]
    shapes = jax.eval_shape(lambda: jax.tree.leaves(CELLS[name](3, 5, key=jax.random.key(0))))
    assert eval(formula, {"H": 5, "D": 3}) == sum(shape.size for shape in shapes)


def test_results_tables(making, tmp_path, monkeypatch):
    results = making["results"]
    monkeypatch.setattr(results, "RESULTS", tmp_path)
    for machine, figure in (("a-1core", 1), ("a-2core", 2)):
        (tmp_path / f"things-2026-01-02-{machine}.md").write_text(
            f"# Things, 2026-01-02\n\n- processor: P\n- cores: {machine[2]}\n- command: `c`\n\n"
            f"## One\n\n| x |\n|---|\n| {figure} |\n\ntext\n\n| other |\n|---|\n\n## Two\n\n| y |\n|---|\n| 3 |\n"
        )
    assert results.results_table("things", "One").startswith("| x |\n|---|\n| 2 |\n\n`")
    assert "P, 1 core, 2026-01-02. `c`" in results.results_table("things/1core", "One")
    assert results.rows(["| a | b |", "|---|---:|", "| 1 |  |"]) == [["a", "b"], ["1", ""]]
    with pytest.raises(KeyError, match="no table under 'Three': expected one of One, Two"):
        results.results_table("things", "Three")
    with pytest.raises(FileNotFoundError, match="no results of others"):
        results.newest("others", ".md")


def test_a_lesson_becomes_a_page(making):
    lessons, pictures = making["lessons"], {}
    cells = [
        {"cell_type": "code", "source": ["import numpy"], "metadata": {}},
        {"cell_type": "markdown", "source": ["# Title\n", "\n", "Words."], "metadata": {}},
    ]
    first, second = lessons.reading_order(cells)
    assert "".join(first["source"]).strip() == "Words."
    assert second is cells[0]
    stream = {"output_type": "stream", "text": ["1\n", "2\n"]}
    assert lessons.shown(stream, "x", pictures) == "``` { .text .output .no-copy }\n1\n2\n```"
    drawn = {"output_type": "display_data", "data": {"image/png": "AAAA"}}
    assert "(x-1.png)" in lessons.shown(drawn, "x", pictures)
    assert pictures == {"x-1.png": b"\x00\x00\x00"}
    wrong = {"output_type": "error", "ename": "ValueError", "evalue": "no"}
    with pytest.raises(RuntimeError, match="lesson x failed: ValueError: no"):
        lessons.shown(wrong, "x", pictures)
