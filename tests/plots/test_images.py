"""Images hold the numbers that they are made of."""

import numpy as np
import pytest
from tests.plots.pages import pixels

from throughtime.plots.images import SIDE, matrix_images, scale_uri, shrunk, signed_uri
from throughtime.plots.theme import BLUE, GRAY, RED


def rgb(color):
    return [int(color[place : place + 2], 16) for place in (1, 3, 5)]


def test_the_sign_is_the_color_and_the_size_the_opacity():
    image = pixels(signed_uri(np.array([[-2.0, 0.0, 1.0], [np.nan, 2.0, 9.0]]), 2.0))
    assert image.shape == (2, 3, 4)
    assert image[0, 0].tolist() == [*rgb(RED), 255]
    assert image[0, 1, 3] == 0
    assert image[0, 2].tolist() == [*rgb(BLUE), 128]
    assert image[1, 0].tolist() == [*rgb(GRAY), 255]
    assert image[1, 1].tolist() == image[1, 2].tolist() == [*rgb(BLUE), 255]


def test_all_zeros_are_clear():
    assert (pixels(signed_uri(np.zeros((3, 2)), 0.0))[..., 3] == 0).all()


def test_a_share_is_an_opacity():
    image = pixels(scale_uri(np.array([[0.0, 0.5, 1.0, 3.0, -1.0, np.nan]])))
    assert image[0, :5, 3].tolist() == [0, 128, 255, 255, 0]
    assert image[0, 5, :3].tolist() == rgb(GRAY)


@pytest.mark.parametrize("shape", [(200, 7), (5, SIDE), (65, 1000)])
def test_a_large_matrix_keeps_what_stands_out(shape):
    matrix = np.random.default_rng(0).normal(size=shape) * 0.1
    matrix[-1, -1], matrix[0, shape[1] // 2] = -5, 4
    small = shrunk(matrix)
    assert small.shape == tuple(min(side, SIDE) for side in shape)
    assert small[-1, -1] == -5
    assert small[0].max() == 4
    assert set(small.ravel()) <= set(matrix.ravel())


def test_matrices_share_a_scale():
    page = matrix_images([("a<", np.array([[1.0]])), ("b", np.array([[-4.0, 2.0]]))])
    first, second = (pixels(part.split('"')[0]) for part in page.split('src="')[1:])
    assert first[0, 0, 3] == 64
    assert second[0, :, 3].tolist() == [255, 128]
    assert "a&lt;" in page
