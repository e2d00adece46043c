"""A display as HTML and as text: all words are there, as words."""

import subprocess
import sys

from tests.plots.pages import Shown, name, texts, words

from throughtime.plots.notebook import Block, Picture, Table, listed


def draw(figure):
    figure.text(0.5, 0.5, "<drawn>")


BLOCK = Block(
    "A <title>",
    ["A & B."],
    [("name", "<b>value</b>"), ("longer name", "2")],
    [Picture("caption <i>", "a name & more", draw)],
    [Table(["gate", "n"], [["<i>", "12"], ["forget", "3"]])],
    ["a 'note'"],
)


def test_html_is_well_formed_and_escaped():
    page = BLOCK.html()
    shown = Shown(page)
    assert shown.title == "A <title>"
    assert words(shown.root[1]) == "A & B."
    assert shown.tables == [
        [["name", "<b>value</b>"], ["longer name", "2"]],
        [["gate", "n"], ["<i>", "12"], ["forget", "3"]],
    ]
    assert shown.captions == ["caption <i>"]
    assert shown.items == ["a 'note'"]
    assert texts(shown.figure("caption")) == ["<drawn>"]
    assert name(shown.figure("caption")) == "a name & more"
    assert "<script" not in page
    assert "color:" not in page.replace("color:inherit", "")  # text has the notebook's own color


def test_text_is_aligned():
    assert BLOCK.text().splitlines() == [
        "A <title>",
        "A & B.",
        "  name         <b>value</b>",
        "  longer name  2",
        "  gate     n",
        "  <i>     12",
        "  forget   3",
        "- a 'note'",
    ]


def test_long_lists_say_what_is_left_out():
    assert listed(["a", "b", "c"], 3) == ["a", "b", "c"]
    assert listed(["a", "b", "c", "d"], 2) == ["a", "b", "... and 2 more"]


def test_text_asks_for_no_matplotlib():
    command = """import sys, jax, throughtime as tt
history = tt.History(None, None, [], [], [], 0, 0, 0, "steps")
str(tt.LSTM(2, 3, key=jax.random.key(0))), str(tt.Forecaster(3)), str(history)
print(*sys.modules)"""
    loaded = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, check=True).stdout.split()
    assert "throughtime.plots.cells" in loaded
    assert "throughtime.plots.history" in loaded
    assert "matplotlib" not in loaded
