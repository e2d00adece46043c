"""Season profiles: by hand, and shrunk as far as the seasons disagree."""

import jax.numpy as jnp
import numpy as np
import pytest

from throughtime.forecasting.basis import cut_seasons, season_profile, shrunk_profile

SEASON, REACH = 5, 23
LENGTHS = (23, 20, 19, 12, 9, 4)  # steps inside the series: 4, 4, 3, 2, 1 and 0 whole seasons


@pytest.fixture
def past():
    pattern = np.tile([3.0, -1.0, 4.0, 1.0, -5.0], 5)[-REACH:]
    return np.random.default_rng(7).normal(pattern, 3.0, (len(LENGTHS), REACH)).astype(np.float32)


def cut(past):
    """Cut windows that are NaN before the series: nothing of that may enter."""
    inside = np.arange(REACH) >= REACH - np.array(LENGTHS)[:, None]
    return cut_seasons(jnp.asarray(np.where(inside, past, np.nan)), jnp.asarray(inside), SEASON)


def whole_seasons(values):
    """(W, S) the last whole seasons of one series, each less its mean."""
    count = len(values) // SEASON
    seasons = values[len(values) - count * SEASON :].reshape(count, SEASON)
    return seasons - seasons.mean(axis=1, keepdims=True)


def shrunk_by_hand(seasons):
    if len(seasons) < 2:
        return np.zeros(SEASON)
    profile = seasons.mean(axis=0)
    noise = ((seasons - profile) ** 2).sum() / ((SEASON - 1) * (len(seasons) - 1))
    return max(0.0, 1 - noise / len(seasons) / profile.var(ddof=1)) * profile


def test_profiles_by_hand(past):
    seasons = [whole_seasons(row[REACH - length :].astype(float)) for row, length in zip(past, LENGTHS, strict=True)]
    expected = [whole.mean(axis=0) if len(whole) else np.zeros(SEASON) for whole in seasons]
    np.testing.assert_allclose(season_profile(cut(past)), expected, rtol=1e-4, atol=1e-5)
    shrunk = [shrunk_by_hand(whole) for whole in seasons]
    np.testing.assert_allclose(shrunk_profile(cut(past)), shrunk, rtol=1e-4, atol=1e-5)
    shares = np.abs(shrunk).sum(axis=1) / np.maximum(np.abs(expected).sum(axis=1), 1)
    assert ((shares > 0.3) & (shares < 0.99)).any()  # some profiles are shrunk, and not to zero


def test_a_season_that_repeats_is_not_shrunk():
    pattern = np.array([3.0, -1.0, 4.0, 1.0, -5.0], np.float32)
    result = cut_seasons(jnp.asarray(np.tile(pattern, 3)[None]), jnp.ones((1, 15), bool), SEASON)
    np.testing.assert_allclose(shrunk_profile(result)[0], pattern - pattern.mean(), rtol=1e-6)


def test_seasons_that_contradict_each_other_have_no_profile():
    """Noise alone explains more than their mean: the share is 0, not negative."""
    pattern = np.array([3.0, -1.0, 4.0, 1.0, -5.0], np.float32)
    past = np.concatenate([pattern, -pattern, 1.5 * pattern])[None]
    result = cut_seasons(jnp.asarray(past), jnp.ones((1, 15), bool), SEASON)
    assert np.abs(season_profile(result)).max() > 1
    np.testing.assert_array_equal(shrunk_profile(result), np.zeros((1, SEASON)))


def test_without_a_season_there_is_no_profile():
    result = cut_seasons(jnp.asarray([[2.0, 7.0, 4.0]]), jnp.ones((1, 3), bool), 1)
    np.testing.assert_array_equal(shrunk_profile(result), [[0.0]])
