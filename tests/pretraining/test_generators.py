"""Synthetic series: each family by itself, the mixture, and the parts that have exact values."""

import numpy as np
import pytest
from scipy.special import gamma

from throughtime.pretraining import FAMILIES, draw_group
from throughtime.pretraining.generators.arima import _at_lag, _fractionally, _polynomial
from throughtime.pretraining.generators.draws import Seasons, autoregressive, log_uniform, noise, standardized, walk
from throughtime.pretraining.generators.gaussian_process import _sampled
from throughtime.pretraining.generators.mixture import LARGEST
from throughtime.pretraining.generators.profiles import SHAPES, repeated, seasonal_profile

B, T = 6, 211
SEASONS = (Seasons(1), Seasons(12), Seasons(7, 28), Seasons(24, 168))


def drawn(name, seed, seasons, count=B, steps=T):
    with np.errstate(all="ignore"):
        return FAMILIES[name].draw(np.random.default_rng(seed), count, steps, seasons)


def groups(name, seasons, seeds=40, steps=T):
    return [drawn(name, seed, seasons, steps=steps) for seed in range(seeds)]


@pytest.mark.parametrize("name", FAMILIES)
def test_a_family_draws_series_by_its_seed(name):
    """Of its shape, mostly finite, and not the same for each series."""
    for number, seasons in enumerate(SEASONS[FAMILIES[name].seasonal :]):
        series = [drawn(name, seed, seasons) for seed in (number, number, number + 100)]
        assert all(one.shape == (B, T) for one in series)
        np.testing.assert_array_equal(series[0], series[1])
        assert not np.array_equal(series[0], series[2])
        assert np.isfinite(series[0]).mean() > 0.9
        assert not np.array_equal(series[0][0], series[0][1])


def season_share(series, m):
    """The share of the variance of differences that repeats with a season."""
    changes = standardized(np.diff(series, axis=1))
    return np.nanmean(changes[:, m:] * changes[:, :-m], axis=1)


@pytest.mark.parametrize("name", ["calendar", "exponential smoothing", "ARIMA", "Gaussian process"])
@pytest.mark.parametrize("m", [12, 7])
def test_series_repeat_with_the_season_of_their_group(name, m):
    """More than with one that they do not have, and not if there is none."""
    with_season = np.concatenate(groups(name, Seasons(m)))
    own, other = (np.nanmedian(season_share(with_season, lag)) for lag in (m, m - 2))
    assert own > other + 0.05
    if not FAMILIES[name].seasonal:
        without = np.nanmedian(season_share(np.concatenate(groups(name, Seasons(1))), m))
        assert own > abs(without) + 0.05


def test_the_long_season_of_a_calendar():
    series = np.concatenate(groups("calendar", Seasons(24, 168), seeds=20, steps=168 * 5))
    days = series.reshape(len(series), -1, 24).mean(axis=2)
    assert np.nanmedian(season_share(days, 7)) > np.nanmedian(season_share(days, 5)) + 0.1


def test_counts_are_whole_and_not_negative():
    """But for amounts, which a tenth of the groups are."""
    series = groups("counts", Seasons(7))
    assert min(one.min() for one in series) >= 0
    assert 0.75 < np.mean([np.array_equal(one, np.round(one)) for one in series]) < 1
    assert np.mean([(one == 0).mean() > 0.3 for one in series]) > 0.1  # demand now and then


def test_growth_does_not_fall():
    """But for curves with noise, which two fifths of the groups are."""
    series = groups("growth", Seasons(1))
    assert 0.4 < np.mean([(np.diff(one, axis=1) >= 0).all() for one in series]) < 0.8


def test_random_walks_spread_and_reverting_series_do_not():
    """The deviation between series, late over early."""

    def spread(name):
        return np.median([one[:, -20:].std() / one[:, 20:40].std() for one in groups(name, Seasons(1))])

    assert spread("random walk") > 1.5
    assert spread("smooth trend") > 1.5
    assert spread("switching reversion") == pytest.approx(1, abs=0.2)


@pytest.mark.parametrize("seasons", SEASONS, ids=str)
def test_a_group_of_the_mixture(seasons):
    """Finite whatever a family draws, and the same for a seed."""
    found = []
    for seed in range(25):
        group, again = (draw_group(np.random.default_rng(seed), B, 97, seasons) for _ in range(2))
        np.testing.assert_array_equal(group.series, again.series)
        assert (group.series.shape, group.series.dtype) == ((B, 97), np.float32)
        assert np.abs(group.series).max() < LARGEST
        assert group.family in FAMILIES
        found.append(group.family)
    assert len(set(found)) > 4
    assert seasons.short > 1 or "calendar" not in found


def test_a_group_takes_the_place_of_series_that_are_not_finite(monkeypatch):
    def draw(rng, count, steps, seasons):
        return np.where(np.arange(count)[:, None] == 1, np.inf, np.arange(count)[:, None] + np.zeros(steps))

    family = next(iter(FAMILIES.values()))._replace(draw=draw, plain=True)
    monkeypatch.setattr("throughtime.pretraining.generators.mixture.FAMILIES", {"made up": family})
    series = draw_group(np.random.default_rng(0), 4, 5, Seasons(1)).series
    assert series[:, 0].tolist() == [0, 2, 3, 0]


def test_draws():
    rng = np.random.default_rng(0)
    values = log_uniform(rng, 0.1, 1000, 4000)
    assert 0.1 <= values.min() < values.max() <= 1000
    assert np.mean(values < 10) == pytest.approx(0.5, abs=0.03)
    assert [noise(np.random.default_rng(seed), 50, 200).std() for seed in range(8)] == pytest.approx([1] * 8, abs=0.25)
    assert walk(rng, 3000, 40)[:, -1].std() == pytest.approx(1, abs=0.05)
    errors, state = rng.normal(size=(2, 9)), 0
    for step, found in enumerate(autoregressive(0.7, errors).T):
        state = 0.7 * state + errors[:, step]
        np.testing.assert_allclose(found, state)


@pytest.mark.parametrize("season", [5, 12, 168])
def test_profiles_have_unit_deviation_and_repeat(season):
    for seed in range(12):
        profile = seasonal_profile(np.random.default_rng(seed), B, season)
        assert profile.shape == (B, season)
        np.testing.assert_allclose(profile.mean(axis=1), 0, atol=1e-9)
        np.testing.assert_allclose(profile.std(axis=1), 1, rtol=1e-4)
        np.testing.assert_array_equal(repeated(profile, 2 * season + 1)[:, season:], repeated(profile, season + 1))
    for shape in SHAPES:
        assert shape(np.random.default_rng(1), B, season).std() > 0
    np.testing.assert_array_equal(seasonal_profile(np.random.default_rng(0), B, 1), np.zeros((B, 1)))


def test_parts_of_arima():
    """Poles within their disk; a seasonal factor; fractional integration by its gamma functions (Hosking 1981)."""
    rng = np.random.default_rng(3)
    for order in range(7):
        coefficients = _polynomial(rng, order, 0.9)
        assert len(coefficients) == order + 1
        assert coefficients[0] == 1
        assert (np.abs(np.roots(coefficients)) <= 0.9 + 1e-9).all()
    assert _at_lag(4, 0.3).tolist() == [1, 0, 0, 0, -0.3]
    series, d = rng.normal(size=(B, 30)), 0.4
    lags = np.arange(30)
    weights = gamma(lags + d) / gamma(lags + 1) / gamma(d)
    expected = [np.convolve(row, weights)[:30] for row in series]
    np.testing.assert_allclose(_fractionally(series, d), expected)
    np.testing.assert_allclose(_fractionally(series, 1.0), np.cumsum(series, axis=1))


def test_gaussian_processes_have_their_covariance():
    steps = 30
    lags = np.minimum(np.arange(2 * steps), 2 * steps - np.arange(2 * steps))
    series = _sampled(np.random.default_rng(0), np.exp(-lags / 8), 20_000)[:, :steps]
    expected = np.exp(-np.abs(np.arange(steps)[:, None] - np.arange(steps)) / 8)
    np.testing.assert_allclose(np.cov(series.T), expected, atol=0.04)
