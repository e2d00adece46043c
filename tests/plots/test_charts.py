"""Charts draw what they are given, break where there is nothing, and are bounded."""

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from tests.plots.pages import pixels, svg, words

from throughtime.plots import charts
from throughtime.plots.charts import Band, Line, chart, heat_map, power_words, powers, rounds, some, thinned, wide


def drawn(*lines, **options):
    return ET.fromstring(chart(lines, x_label="step <k>", name='a "name" & more', **options))


def places(path):
    return [[float(number) for number in pair.split()] for pair in re.findall(r"[ML]([\d. -]+)", path.get("d"))]


def test_a_line_goes_from_corner_to_corner():
    picture = drawn(Line(np.array([3, 5, 11]), np.array([10.0, 20.0, 30.0]), "fall <1>", "#123456"), y_range=(10, 30))
    (path,) = (path for path in svg(picture, "path") if path.get("fill") == "none")
    bottom, right = charts.HEIGHT - charts.BOTTOM, charts.WIDTH - charts.RIGHT
    quarter = charts.LEFT + (right - charts.LEFT) / 4
    assert places(path) == [[charts.LEFT, bottom], [quarter, (bottom + charts.TOP) / 2], [right, charts.TOP]]
    assert path.get("stroke") == "#123456"
    texts = [words(text) for text in svg(picture, "text")]
    assert {"step <k>", "fall <1>", "10", "20", "30"} <= set(texts)
    assert picture.get("aria-label") == 'a "name" & more'
    assert "max-width:100%" in picture.get("style")


def test_a_line_breaks_where_nothing_is_and_a_point_alone_is_a_dot():
    picture = drawn(Line(np.arange(6), np.array([1.0, 2.0, np.nan, 4.0, np.inf, 1.0])))
    (path,) = (path for path in svg(picture, "path") if path.get("fill") == "none")
    assert re.sub(r"[\d. ]", "", path.get("d")) == "MLMM"
    assert len(svg(picture, "circle")) == 2


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize(
    "values", [[], [np.nan], [0.0, 0.0], [-3.0, 2.0], [7.0], [1e-300, 1e300], [np.inf, 1.0], [0.0, 1e-5, 1.0]]
)
def test_any_numbers_can_be_drawn(values, log):
    y = np.array(values)
    picture = drawn(Line(np.arange(len(y)), y), log=log)
    for path in svg(picture, "path"):
        for x, height in places(path):
            assert 0 <= x <= charts.WIDTH
            assert charts.TOP - 0.1 <= height <= charts.HEIGHT - charts.BOTTOM + 0.1
    assert "nan" not in ET.tostring(picture, encoding="unicode")


def test_a_logarithmic_axis_has_even_decades():
    picture = drawn(Line(np.arange(3), np.array([1.0, 1e-2, 1e-4])), log=True)
    (path,) = (path for path in svg(picture, "path") if path.get("fill") == "none")
    first, second, third = (height for _, height in places(path))
    assert second - first == pytest.approx(third - second, abs=0.11)
    assert {"1", "0.1", "0.01", "0.001", "10⁻⁴"} <= {words(text) for text in svg(picture, "text")}


def test_a_band_lies_between_its_bounds():
    x = np.arange(3)
    line, band = (
        Line(x, np.array([0.0, 10.0, 10.0])),
        Band(x, np.array([0.0, 2.0, np.nan]), np.array([4.0, 8.0, 9.0]), "red"),
    )
    picture = ET.fromstring(chart([line], [band], x_label="", name="", y_range=(0, 10)))
    (polygon,) = svg(picture, "polygon")
    assert len(polygon.get("points").split()) == 4  # where a bound is unknown there is no band


def test_a_long_line_is_thinned_to_means():
    y = np.arange(90_000.0)
    y[:300] = np.nan
    x, means = thinned(np.arange(90_000), y)
    assert len(x) == len(means) == charts.POINTS
    assert np.isnan(means[0])
    assert x[1] == means[1] == 449.5  # of 300 to 599
    assert len(chart([Line(np.arange(90_000), y)], x_label="", name="")) < 6_000


def test_a_map_has_its_first_row_at_the_bottom():
    shares = np.array([[1.0, 0.0, 0.0], [0.0, 0.5, 0.5]])
    page = heat_map(shares, x_ticks=[(0, "a")], y_ticks=[(1, "<b>")], x_label="across", y_label="up", name="map")
    picture = ET.fromstring(page)
    (image,) = svg(picture, "image")
    assert pixels(image.get("href"))[..., 3].tolist() == [[0, 128, 128], [255, 0, 0]]
    assert [words(text) for text in svg(picture, "text")] == ["<b>", "a", "across", "up"]


def test_ticks_are_round():
    assert [word for _, word in rounds(0.13, 0.87)] == ["0.2", "0.4", "0.6", "0.8"]
    assert [word for _, word in rounds(-1500, 2600)] == ["-1,000", "0", "1,000", "2,000"]
    assert rounds(3.0, 3.0) == [(3.0, "3")]
    assert [place for place, _ in powers(2e-9, 30.0)] == [10.0, 0.1, 0.001, 1e-5, 1e-7]
    assert [word for _, word in powers(2.0, 7.0)] == ["2", "7"]
    assert [power_words(exponent) for exponent in (-12, -3, 0, 3, 5)] == ["10⁻¹²", "0.001", "1", "1,000", "10⁵"]


def test_some_places_are_even_and_have_both_ends():
    assert some(5, 9).tolist() == [0, 1, 2, 3, 4]
    assert some(101, 5).tolist() == [0, 25, 50, 75, 100]


def test_wide_asks_for_a_factor_of_ten_above_zero():
    assert wide(np.array([1.0, 11.0, np.nan]))
    assert not wide(np.array([1.0, 9.0]))
    assert not wide(np.array([0.0, 9.0]))
    assert not wide(np.array([]))
