"""SVG within a page: the page's color of text, a name, the same bytes each time, and ids that do not clash."""

import re
import xml.etree.ElementTree as ET

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure
from tests.plots.pages import style, svg, texts

from throughtime.plots.svg import inline_svg
from throughtime.plots.theme import INK, notebook_style


def picture(y=(1.0, 4.0, 2.0), name='a "name" & <more>'):
    with notebook_style():
        figure = Figure(figsize=(330 / 72, 176 / 72))
        axes = figure.subplots()
        axes.plot(np.arange(len(y)), y, "o-", color=INK, label="ink <1> $x$ id='a' #222222 _b_")
        axes.set_title(INK)
        axes.legend()
        return inline_svg(figure, name)


def test_the_outer_element_has_a_name_and_shrinks_with_the_page():
    root = ET.fromstring(picture())
    assert root.tag.endswith("svg")
    assert root.get("role") == "img"
    assert root.get("aria-label") == 'a "name" & <more>'
    assert root.get("viewBox") == "0 0 330 176"
    assert style(root)["width"] == "330px"
    assert style(root)["max-width"] == "100%"
    assert root.get("width") is root.get("height") is None


def test_ink_is_the_pages_color_of_text_and_nothing_else_is_changed():
    root = ET.fromstring(picture())
    assert INK not in "".join(element.get("style", "") for element in root.iter())
    assert any(style(path).get("stroke") == "currentColor" for path in svg(root, "path"))
    assert "ink <1> $x$ id='a' #222222 _b_" in texts(root)
    assert INK in texts(root)
    assert not any(style(path).get("fill") == "#ffffff" for path in svg(root, "path"))  # the background is clear


def test_the_page_is_not_touched():
    page = picture()
    assert "<style" not in page
    assert "<metadata" not in page
    assert not page.startswith("<?xml")
    assert not re.findall(r"https?://(?!www\.w3\.org/)", page)


def test_the_same_figure_has_the_same_bytes_whatever_the_users_style():
    before = mpl.rcParams.copy()
    page = picture()
    assert mpl.rcParams == before
    with mpl.rc_context({"axes.facecolor": "red", "lines.linewidth": 9, "font.size": 30, "axes.titlepad": 30}):
        assert picture() == page


def test_ids_are_those_that_are_used_and_no_other_figures():
    def ids(page):
        return re.findall(r' id="([^"]+)"', page)

    first, second = picture(), picture((1.0, 4.0, 2.001))
    used = set(re.findall(r'(?:url\(#|href="#)([^")]+)', first))
    assert set(ids(first)) == used
    assert len(ids(first)) == len(used) >= 2  # what is cut off, and a marker
    assert not set(ids(first)) & set(ids(second))


@pytest.mark.parametrize("label", ["_", "$", "$a$ \\frac", "a\nb"])
def test_any_label_can_be_drawn(label):
    with notebook_style():
        figure = Figure()
        figure.text(0.5, 0.5, label)
        assert "".join(texts(ET.fromstring(inline_svg(figure, label)))) == label.replace("\n", "")
