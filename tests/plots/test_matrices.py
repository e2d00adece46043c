"""Matrices and maps as images: the sign is the color, the size the opacity."""

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from tests.plots.pages import drawn, images, svg, texts

from throughtime.plots.matrices import MatrixGrid, draw_map, shrunk
from throughtime.plots.small import small_axes
from throughtime.plots.theme import BLUE, GRAY, RED


def rgb(color):
    return [round(255 * share) for share in to_rgb(color)]


def test_a_map_has_its_first_row_at_the_bottom():
    shares = np.array([[1.0, 0.0, 0.0], [0.0, 0.5, np.nan]])
    picture = drawn(lambda figure: draw_map(small_axes(figure, "across"), shares, "up", y_ticks=[(1, "<b>")]))
    (image,) = images(picture)
    np.testing.assert_allclose(image[..., 3], [[0, 128, 89], [255, 0, 0]], atol=1)
    assert image[1, 0].tolist() == [*rgb(BLUE), 255]
    assert image[0, 2, :3].tolist() == rgb(GRAY)
    assert sorted(texts(picture)) == ["0", "1", "2", "<b>", "across", "up"]


def matrices(names, *numbers):
    grid = MatrixGrid(names, [np.array(matrix) for matrix in numbers])
    return drawn(grid.draw, grid.size)


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
