"""Small figures: thinned curves, numbers at the ticks, matrices as images on one scale."""

import re

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from tests.plots.pages import Shown, bands, curves, images, points, svg, texts

from throughtime.plots import small
from throughtime.plots.notebook import Block, Picture
from throughtime.plots.small import (
    DECADES,
    MatrixGrid,
    draw_map,
    finish,
    log_if_wide,
    power_text,
    shrunk,
    small_axes,
    some,
    thinned,
)
from throughtime.plots.theme import BLUE, DASHES, GRAY, LINES, RED

WIDTH, HEIGHT = Picture.__new__.__defaults__[-1]


def shown(draw, size=(WIDTH, HEIGHT)):
    """Return the picture that a function draws."""
    return Shown(Block("title", pictures=[Picture("picture", "name", draw, size)]).html()).figure("picture")


def curve(x, y, *, x_ticks=None, **limits):
    """Return the picture of a curve with a label."""

    def draw(figure):
        axes = small_axes(figure, "step <k>")
        axes.plot(x, y, label="fall <1>")
        log_if_wide(axes, y)
        axes.set(**limits)
        finish(axes, x_ticks)

    return shown(draw)


def rgb(color):
    return [round(255 * share) for share in to_rgb(color)]


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


@pytest.mark.parametrize(
    "values", [[], [np.nan], [0.0, 0.0], [-3.0, 2.0], [7.0], [1e-300, 1e300], [np.inf, 1.0], [0.0, 1e-5, 1.0]]
)
def test_any_numbers_can_be_drawn(values):
    picture = curve(np.arange(len(values)), np.array(values))
    drawn = [points(path) for path in svg(picture, "path")]
    assert all(np.isfinite(places).all() for places in drawn)
    assert any(len(places) for places in drawn)


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

    picture = shown(draw)
    assert [path.get("style").split("stroke:")[1][:7] for path in curves(picture)] == [line.lower() for line in LINES]
    dashes = [path.get("style").partition("dasharray:")[2].split(";")[0] for path in curves(picture)]
    assert len(set(dashes)) == len(DASHES)
    assert [label for label in labels if label in texts(picture)] == labels[:2]


def test_a_band_has_its_opacity():
    def draw(figure):
        axes = small_axes(figure, "")
        axes.fill_between(np.arange(3), [0, 2, np.nan], [4, 8, 9], color=BLUE, alpha=0.25, linewidth=0)
        finish(axes)

    (band,) = bands(shown(draw))
    assert "fill-opacity:0.25" in band.get("style")


def test_a_long_line_is_thinned_to_means():
    y = np.arange(90_000.0)
    y[:300] = np.nan
    x, means = thinned(np.arange(90_000), y)
    assert len(x) == len(means) == small.POINTS
    assert np.isnan(means[0])
    assert x[1] == means[1] == 449.5  # of 300 to 599
    assert np.isnan(thinned(np.arange(2), np.array([1.0, np.inf]))[1][1])


def test_a_map_has_its_first_row_at_the_bottom():
    shares = np.array([[1.0, 0.0, 0.0], [0.0, 0.5, np.nan]])
    picture = shown(lambda figure: draw_map(small_axes(figure, "across"), shares, "up", y_ticks=[(1, "<b>")]))
    (image,) = images(picture)
    np.testing.assert_allclose(image[..., 3], [[0, 128, 89], [255, 0, 0]], atol=1)
    assert image[1, 0].tolist() == [*rgb(BLUE), 255]
    assert image[0, 2, :3].tolist() == rgb(GRAY)
    assert sorted(texts(picture)) == ["0", "1", "2", "<b>", "across", "up"]


def matrices(names, *numbers):
    grid = MatrixGrid(names, [np.array(matrix) for matrix in numbers])
    return shown(grid.draw, grid.size)


def test_the_sign_is_the_color_and_the_size_the_opacity():
    (image,) = images(matrices([""], [[-2.0, 0.0, 1.0], [np.nan, 2.0, -1.0]]))
    assert image.shape == (2, 3, 4)
    assert image[0, 0].tolist() == [*rgb(RED), 255]
    assert image[0, 1, 3] == 0
    np.testing.assert_allclose(image[0, 2], [*rgb(BLUE), 128], atol=1)
    assert image[1, 0].tolist() == [*rgb(GRAY), 255]
    assert image[1, 1].tolist() == [*rgb(BLUE), 255]
    np.testing.assert_allclose(image[1, 2], [*rgb(RED), 128], atol=1)


def test_all_zeros_are_clear():
    (image,) = images(matrices([""], np.zeros((3, 2))))
    assert (image[..., 3] == 0).all()


def test_matrices_share_a_scale_and_fill_rows():
    numbers = [[[1.0, 0.0]], [[-4.0, 2.0]], [[0.0, 0.0]], [[3.0, 0.0]], [[4.0, 4.0]]]
    picture = matrices(["a<", "b", "c", "d", "e"], *numbers)
    first, second, *_ = images(picture)
    np.testing.assert_allclose(first[0, :, 3], [64, 0], atol=1)
    np.testing.assert_allclose(second[0, :, 3], [255, 128], atol=1)
    assert texts(picture) == ["a<", "b", "c", "d", "e"]
    heights = [float(text.get("y")) for text in svg(picture, "text")]
    assert heights[0] == heights[3] < heights[4]


@pytest.mark.parametrize("shape", [(200, 7), (5, 64), (65, 1000)])
def test_a_large_matrix_keeps_what_stands_out(shape):
    matrix = np.random.default_rng(0).normal(size=shape) * 0.1
    matrix[-1, -1], matrix[0, shape[1] // 2] = -5, 4
    reduced = shrunk(matrix, 64)
    assert reduced.shape == tuple(min(side, 64) for side in shape)
    assert reduced[-1, -1] == -5
    assert reduced[0].max() == 4
    assert set(reduced.ravel()) <= set(matrix.ravel())


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
