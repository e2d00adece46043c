"""The bases by hand: series by series in NumPy, of many lengths."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from throughtime.forecasting.baselines import seasonal_naive
from throughtime.forecasting.basis import base_count, bases, smoothed_forecast

REACH, F = 17, 11
LENGTHS = (17, 16, 14, 10, 9, 7, 5, 4, 2, 1)  # steps inside the series


def by_hand(series, seasons, reach, horizon):
    """(K, F) for a series whose steps are all known; smoothing has a separate test."""
    first, steps = seasons[0], range(horizon)
    end = len(series)
    naive = [
        [series[end - season + step % season] if end - season + step % season >= 0 else series[-1] for step in steps]
        for season in seasons
    ]
    rise = np.mean(series[-first:]) - np.mean(series[-2 * first : -first]) if end >= 2 * first else 0.0
    drifting = [naive[0][step] + rise * (step // first + 1) for step in steps]
    profiles = []
    for season in seasons:
        whole = [series[end - (k + 1) * season : end - k * season] for k in range(min(end, reach) // season)]
        profile = np.mean([values - np.mean(values) for values in whole], axis=0) if whole else np.zeros(season)
        profiles.append([np.mean(series[-season:]) + profile[step % season] for step in steps])
    level = np.mean(series[-first:])
    padded, inside = jnp.asarray(np.pad(series, (reach - end, 0)), jnp.float32), jnp.arange(reach) >= reach - end
    smoothed = smoothed_forecast(padded[None], inside[None], seasons[-1], horizon)[0]
    return np.array([[series[-1]] * horizon, [level] * horizon, drifting, smoothed, *naive, *profiles])


@pytest.mark.parametrize("seasons", [(4, 7), (7, 4), (3,), (1,), (8, 17)], ids=str)
def test_bases_by_hand(seasons):
    """Windows are NaN before the series: that enters none of them."""
    draw = np.random.default_rng(2)
    past = draw.normal(3.0, 2.0, (len(LENGTHS), REACH)).astype(np.float32)
    inside = np.arange(REACH) >= REACH - np.array(LENGTHS)[:, None]
    result = jax.jit(bases, static_argnums=(2, 3))(
        jnp.asarray(np.where(inside, past, np.nan)), jnp.asarray(inside), seasons, F
    )
    expected = [by_hand(past[row, -length:].astype(float), seasons, REACH, F) for row, length in enumerate(LENGTHS)]
    assert result.shape == (len(LENGTHS), base_count(seasons), F)
    np.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("season", [1, 4, 7])
def test_the_naive_basis_is_the_baseline_of_that_name(season):
    """Seasonal naive in JAX, of windows, and its twin in NumPy, of series, agree on series of at least a season."""
    past = np.random.default_rng(5).normal(size=(len(LENGTHS), REACH)).astype(np.float32)
    inside = np.arange(REACH) >= REACH - np.array(LENGTHS)[:, None]
    in_jax = bases(jnp.asarray(past), jnp.asarray(inside), (season,), F)[:, 4]
    values, ends = past[inside].astype(float), np.cumsum(LENGTHS)
    in_numpy = seasonal_naive(values, ends - LENGTHS, np.array(LENGTHS), season=season, horizon=F)
    for row, length in enumerate(LENGTHS):
        if length >= season:
            np.testing.assert_array_equal(in_jax[row], in_numpy[row])
    assert sum(length >= season for length in LENGTHS) > 5


def test_a_season_that_repeats_is_continued():
    """By the naive forecast and by the profile alike; a rise from season to season by the drift as well."""
    pattern = np.array([3.0, -1.0, 4.0, 1.0, -5.0])
    past = np.tile(pattern, 3)[None] + 10.0 * np.repeat(np.arange(3), 5)[None]
    result = np.asarray(bases(jnp.asarray(past), jnp.ones((1, 15), bool), (5,), 7))[0]
    _, _, drifting, smoothed, naive, profile = result
    expected = np.tile(pattern, 2)[:7] + 20
    np.testing.assert_allclose(naive, expected)
    np.testing.assert_allclose(profile, expected, rtol=1e-6)
    np.testing.assert_allclose(np.diff(smoothed), np.diff(expected), rtol=1e-5)
    np.testing.assert_allclose(drifting, expected + 10.0 * np.array([1, 1, 1, 1, 1, 2, 2]), rtol=1e-6)
