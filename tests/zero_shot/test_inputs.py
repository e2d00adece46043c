"""What the network reads of a window, value by value."""

import numpy as np
import pytest

from throughtime.zero_shot import BASES, SHAPES, WINDOW_NUMBERS, Seasons, inputs_of
from throughtime.zero_shot.bases import bases
from throughtime.zero_shot.histories import histories
from throughtime.zero_shot.inputs import ERROR_FLOOR, LIMIT

B = 3
SHORT, LONG = np.array([7, 1, 12]), np.array([28, 1, 1])


@pytest.fixture(scope="module")
def values():
    """Histories of 150, 40 and 9 steps, one with gaps."""
    draw = np.random.default_rng(0)
    values = 5 + np.cumsum(draw.normal(size=(B, 150)), axis=1) + 3 * np.sin(np.arange(150) * 2 * np.pi / 7)
    values[1, :110] = values[2, :141] = np.nan
    values[0, 100:130][draw.random(30) < 0.4] = np.nan
    return values


@pytest.mark.parametrize("name", SHAPES)
def test_shapes_and_finite_numbers(name, values):
    shape, kinds = SHAPES[name], len(BASES)
    values = np.concatenate([np.full((B, shape.context), np.nan), values], axis=1)
    inputs = inputs_of(values, Seasons(SHORT, LONG), shape)
    assert inputs.context.shape == (B, shape.context // shape.patch, 3 * shape.patch + 5)
    assert inputs.future.shape == (B, shape.horizon // shape.patch, kinds * shape.patch + 5)
    assert inputs.window.shape == (B, WINDOW_NUMBERS)
    assert inputs.bases.shape == (B, kinds, shape.horizon)
    assert all(np.isfinite(array).all() for array in inputs)
    assert all(array.dtype == np.float32 for array in inputs[:4])


def test_tokens(values):
    """By hand: values in units of the window, seasonal differences, masks, and phases that count from the cutoff."""
    shape, row, m = SHAPES["short"], 0, SHORT[0]
    inputs = inputs_of(values, Seasons(SHORT, LONG), shape)
    y, center, scale = values[row], inputs.center[row, 0], inputs.scale[row, 0]
    differences = np.abs(y[-shape.context + m :] - y[-shape.context : -m])
    assert center == pytest.approx(y[-m:].mean())
    assert scale == pytest.approx(np.nanmean(differences))
    recent, earlier = y[-shape.context :], y[-shape.context - m : -m].copy()
    earlier[:m] = np.nan  # no part of the context
    tokens = inputs.context[row]
    parts = [
        np.nan_to_num(np.arcsinh((recent - center) / scale)),
        np.nan_to_num(np.arcsinh((recent - earlier) / scale)),
        np.isfinite(recent),
    ]
    for place, part in enumerate(parts):
        found = tokens[:, place * shape.patch : (place + 1) * shape.patch]
        np.testing.assert_allclose(found.ravel(), part, rtol=1e-5, atol=1e-6)
    middles = np.arange(shape.context).reshape(-1, shape.patch).mean(axis=1) - shape.context
    ahead = np.arange(shape.horizon).reshape(-1, shape.patch).mean(axis=1)
    for places, phases in ((middles, tokens[:, -5:]), (ahead, inputs.future[row][:, -5:])):
        angles = [2 * np.pi * places / season for season in (m, LONG[row])]
        waves = np.stack([wave(angle) for angle in angles for wave in (np.sin, np.cos)], axis=1)
        np.testing.assert_allclose(phases[:, :4], waves, atol=1e-5)
        np.testing.assert_allclose(phases[:, 4], places / shape.patch / 16, rtol=1e-6)
    assert not inputs.context[1, :, -5:-1].any()  # no season
    assert not inputs.context[2, :, -3:-1].any()  # no long one
    first = inputs.future[row][0, :-5].reshape(len(BASES), shape.patch)
    np.testing.assert_allclose(first, np.arcsinh(inputs.bases[row, :, : shape.patch]), rtol=1e-5, atol=1e-6)


def test_forecasts_are_in_units_of_the_window(values):
    inputs = inputs_of(values, Seasons(SHORT, LONG), SHAPES["short"])
    found = bases(histories(values, SHORT), SHORT, np.where(LONG > 1, LONG, SHORT), SHAPES["short"].horizon)
    own = np.clip((found - inputs.center[:, :, None]) / inputs.scale[:, :, None], -LIMIT, LIMIT)
    np.testing.assert_allclose(inputs.bases, own, rtol=1e-5, atol=1e-5)


def test_forecasts_are_judged_by_steps_that_they_have_not_seen(values):
    """A change of the last values changes their errors and not the forecasts; a short history is not judged."""
    shape, long = SHAPES["short"], np.where(LONG > 1, LONG, SHORT)
    inputs = inputs_of(values, Seasons(SHORT, LONG), shape)
    for place, held in enumerate(shape.held):
        judged = inputs.window[:, 11 + place * (len(BASES) + 2) :][:, : len(BASES) + 2]
        before = bases(histories(values[:, :-held], SHORT), SHORT, long, held)
        error = np.nanmean(np.abs(before - values[:, None, -held:]), axis=2) / inputs.scale + ERROR_FLOOR
        assert judged[:2, -1].tolist() == [1, 1]
        np.testing.assert_allclose(judged[:2, :-2], np.log(error / error.mean(axis=1, keepdims=True))[:2], atol=1e-5)
        np.testing.assert_allclose(judged[:2, -2], np.log(error.mean(axis=1))[:2], rtol=1e-5)
        assert not judged[2].any()
