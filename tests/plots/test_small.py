"""Small figures of curves: places, ticks, the legend, thinned points."""

import re

import numpy as np
import pytest
from matplotlib.figure import Figure
from tests.plots.pages import SIZE, bands, curves, drawn, points, svg, texts

from throughtime.plots import small
from throughtime.plots.small import (
    DECADES,
    finish,
    log_if_wide,
    power_text,
    small_axes,
    some,
    thinned,
)
from throughtime.plots.theme import BLUE, DASHES, LINES

WIDTH, HEIGHT = SIZE


def curve(x, y, *, x_ticks=None, **limits):
    """Return the picture of a curve with a label."""

    def draw(figure):
        axes = small_axes(figure, "step <k>")
        axes.plot(x, y, label="fall <1>")
        log_if_wide(axes, y)
        axes.set(**limits)
        finish(axes, x_ticks)

    return drawn(draw)


def test_a_line_goes_from_corner_to_corner():
    picture = curve(np.array([3, 5, 11]), np.array([10.0, 20.0, 30.0]), ylim=(10, 30))
    (path,) = curves(picture)
    bottom, right = HEIGHT - small.BOTTOM, WIDTH - small.RIGHT
    quarter = small.LEFT + (right - small.LEFT) / 4
    middle = (bottom + small.TOP) / 2
    np.testing.assert_allclose(points(path), [[small.LEFT, bottom], [quarter, middle], [right, small.TOP]], atol=0.051)
    assert LINES[0].lower() in path.get("style")
    assert {"step <k>", "fall <1>", "10", "20", "30"} <= set(texts(picture))


def test_a_line_breaks_at_what_is_not_finite_and_an_isolated_point_is_a_dot():
    picture = curve(np.arange(6), np.array([1.0, 2.0, np.nan, 4.0, np.inf, 1.0]))
    (path,) = curves(picture)
    assert re.sub(r"[^ML]", "", path.get("d")) == "MLMM"
    assert len(svg(picture, "use")) == 2


def test_a_line_of_points_has_each_once():
    def draw(figure):
        axes = small_axes(figure, "")
        axes.plot(np.arange(3), [1, np.nan, 2], ".-")
        finish(axes)

    assert len(svg(drawn(draw), "use")) == 2


@pytest.mark.parametrize(
    "values", [[], [np.nan], [0.0, 0.0], [-3.0, 2.0], [7.0], [1e-300, 1e300], [np.inf, 1.0], [0.0, 1e-5, 1.0]]
)
def test_any_numbers_can_be_drawn(values):
    picture = curve(np.arange(len(values)), np.array(values))
    paths = [points(path) for path in svg(picture, "path")]
    assert all(np.isfinite(places).all() for places in paths)
    assert any(len(places) for places in paths)


def test_a_logarithmic_axis_has_even_decades():
    picture = curve(np.arange(3), np.array([1.0, 1e-2, 1e-4]))
    heights = points(curves(picture)[0])[:, 1]
    assert heights[1] - heights[0] == pytest.approx(heights[2] - heights[1], abs=0.11)
    assert {"1", "0.1", "0.01", "0.001", "10⁻⁴"} <= set(texts(picture))


def test_within_a_decade_a_logarithmic_axis_has_numbers_too():
    labels = set(texts(curve(np.arange(2), np.array([2e-5, 7e-5]), yscale="log")))
    assert {"2·10⁻⁵", "5·10⁻⁵"} <= labels


def test_ticks_are_round():
    labels = texts(curve(np.arange(2), np.array([-1500, 2600.0])))
    assert [power_text(10.0**power) for power in (-12, -3, 0, 3, 5)] == ["10⁻¹²", "0.001", "1", "1,000", "10⁵"]
    assert {"-1,000", "0", "1,000", "2,000"} <= set(labels)


def test_ticks_can_be_chosen_and_stay_inside():
    picture = curve(np.arange(3), np.arange(3.0), x_ticks=[(0, "<begin>"), (2, "2020-02-29 23:00")])
    first, last = (text for text in svg(picture, "text") if text.text in ("<begin>", "2020-02-29 23:00"))
    assert "text-anchor:middle" in first.get("style")
    assert "text-anchor:end" in last.get("style")


def test_curves_differ_in_more_than_color_and_the_legend_ends_where_no_room_is_left():
    labels = [f"a long name {number}" for number in range(len(LINES))]

    def draw(figure):
        axes = small_axes(figure, "")
        for number, label in enumerate(labels):
            axes.plot([0, 1], [0, number], label=label)
        finish(axes)

    picture = drawn(draw)
    assert [path.get("style").split("stroke:")[1][:7] for path in curves(picture)] == [line.lower() for line in LINES]
    dashes = [path.get("style").partition("dasharray:")[2].split(";")[0] for path in curves(picture)]
    assert len(set(dashes)) == len(DASHES)
    assert [label for label in labels if label in texts(picture)] == labels[:2]


def test_a_band_has_its_opacity():
    def draw(figure):
        axes = small_axes(figure, "")
        axes.fill_between(np.arange(3), [0, 2, np.nan], [4, 8, 9], color=BLUE, alpha=0.25, linewidth=0)
        finish(axes)

    (band,) = bands(drawn(draw))
    assert "fill-opacity:0.25" in band.get("style")


def test_a_long_line_is_thinned_to_means():
    y = np.arange(90_000.0)
    y[:300] = np.nan
    x, means = thinned(np.arange(90_000), y)
    assert len(x) == len(means) == small.POINTS
    assert np.isnan(means[0])
    assert x[1] == means[1] == 449.5  # of 300 to 599
    assert np.isnan(thinned(np.arange(2), np.array([1.0, np.inf]))[1][1])


def test_some_places_are_even_and_have_both_ends():
    assert some(5, 9).tolist() == [0, 1, 2, 3, 4]
    assert some(101, 5).tolist() == [0, 25, 50, 75, 100]


@pytest.mark.parametrize(
    ("values", "scale"), [([1, 11, np.nan], "log"), ([1, 9], "linear"), ([0, 9, 99], "linear"), ([], "linear")]
)
def test_an_axis_is_logarithmic_over_more_than_a_factor_of_ten_above_zero(values, scale):
    axes = Figure().subplots()
    log_if_wide(axes, np.array(values, float))
    assert axes.get_yscale() == scale


def test_a_logarithmic_axis_ends_where_rounding_begins():
    axes = Figure().subplots()
    log_if_wide(axes, np.array([1e-300, 1e20]))
    np.testing.assert_allclose(axes.get_ylim(), (1e20 * 10.0**-DECADES / 1.3, 1.3e20))
