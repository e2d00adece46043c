"""A display as HTML and as text: all words are there, as words."""

from tests.plots.pages import Shown, words

from throughtime.plots.notebook import Block, Picture, Table, listed

BLOCK = Block(
    "A <title>",
    ["A & B."],
    [("name", "<b>value</b>"), ("longer name", "2")],
    [Picture("caption <i>", "<svg><path/></svg>")],
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
    assert len(shown.figure("caption")[1]) == 1  # the picture's own HTML is left as it is
    assert "<script" not in page
    assert "color:" not in page.replace("border-color:", "")  # text is of the notebook's own color


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
