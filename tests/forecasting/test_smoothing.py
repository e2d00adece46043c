"""The smoothed forecast against the recursion that exponential smoothing is usually written as."""

import jax.numpy as jnp
import numpy as np
import pytest

from throughtime.forecasting.basis import SMOOTHING, cut_seasons, shrunk_profile, smoothed_forecast

REACH, F = 19, 8
LENGTHS = (19, 13, 6, 2, 1)  # steps inside the series


def level_by_recursion(values):
    """Weighted by hand: each new value takes the share of its weight in all weights so far."""
    level, weight = 0.0, 0.0
    for value in values:
        weight = 1 + (1 - SMOOTHING) * weight
        level += (value - level) / weight
    return level


@pytest.mark.parametrize("season", [1, 4, 7])
def test_smoothing_by_hand(season):
    draw = np.random.default_rng(3)
    inside = np.arange(REACH) >= REACH - np.array(LENGTHS)[:, None]
    pattern = np.resize([5.0, -3.0, 1.0, -6.0, 2.0, 8.0, -7.0][:season], REACH)
    past = draw.normal(2.0 + pattern, 1.0, (len(LENGTHS), REACH)).astype(np.float32)
    past = np.where(inside, past, 0)
    result = smoothed_forecast(jnp.asarray(past), jnp.asarray(inside), season, F)
    profiles = np.asarray(shrunk_profile(cut_seasons(jnp.asarray(past), jnp.asarray(inside), season)))
    for b, (row, length) in enumerate(zip(past, LENGTHS, strict=True)):
        seasonal = np.array([profiles[b, (step - REACH) % season] for step in range(REACH)])
        level = level_by_recursion((row - seasonal)[REACH - length :])
        np.testing.assert_allclose(result[b], level + np.resize(profiles[b], F), rtol=1e-5, atol=1e-5)


def test_the_start_of_a_series_has_no_weight_of_its_own():
    """A level that was taken over long ago is forgotten; of two values the last counts more, by 1 / (1 - a)."""
    result = smoothed_forecast(jnp.asarray([[0.0, 1.0, 4.0]]), jnp.asarray([[False, True, True]]), 1, 2)
    np.testing.assert_allclose(result[0], (4 + (1 - SMOOTHING) * 1) / (2 - SMOOTHING), rtol=1e-6)
