"""Naive2 against the competition's R code, written out step by step, and drift against its formula."""

from statistics import NormalDist

import numpy as np
import pytest

from throughtime.forecasting.baselines import drift_quantiles, is_seasonal, naive2_quantiles, seasonal_factors


def wave(length, season, noise=0.05, seed=0):
    t = np.arange(length)
    return (10 + 0.05 * t) * (1 + 0.4 * np.sin(2 * np.pi * t / season)) + noise * np.random.default_rng(seed).normal(
        size=length
    )


@pytest.mark.parametrize("season", [4, 5])
def test_factors_of_a_pure_product_are_found(season):
    """On a line times a season, the centered average of a whole season is nearly the line."""
    factors = 1 + 0.3 * np.random.default_rng(season).normal(size=season)
    factors /= factors.mean()
    line = 100.0 * np.ones(6 * season)
    result = seasonal_factors(line * np.tile(factors, 6), season)
    np.testing.assert_allclose(result, factors)


@pytest.mark.parametrize(("season", "length"), [(4, 26), (7, 50)])
def test_decomposition_as_a_loop(season, length):
    """R's decompose: moving averages, ratios, means by place, over their mean."""
    history = wave(length, season)
    half, ratios = season // 2, [[] for _ in range(season)]
    for t in range(half, length - half):
        window = history[t - half : t + half + 1]
        both_ends = (window[0] + window[-1]) / 2 if season % 2 == 0 else 0.0
        average = (window.sum() - both_ends) / season
        ratios[t % season].append(history[t] / average)
    means = np.array([np.mean(values) for values in ratios])
    np.testing.assert_allclose(seasonal_factors(history, season), means / means.mean())


def test_the_seasonal_test_by_hand():
    """The acf at lags 1 to 4 of 30 values, the limit from those before the last; near it, on both sides."""
    outcomes = []
    for seed in range(60):
        history = wave(30, 4, noise=3.0, seed=seed)
        centered = history - history.mean()
        acf = [np.sum(centered[lag:] * centered[:-lag]) / np.sum(centered**2) for lag in range(1, 5)]
        limit = 1.645 * np.sqrt((1 + 2 * (acf[0] ** 2 + acf[1] ** 2 + acf[2] ** 2)) / 30)
        outcomes.append(abs(acf[3]) > limit)
        assert is_seasonal(history, 4) == outcomes[-1]
    assert 10 < sum(outcomes) < 50


def test_no_season_beyond_the_lags_that_r_has():
    """252 values have 24 lags by default, 251 have 23."""
    assert is_seasonal(wave(252, 24, noise=0), 24)
    assert not is_seasonal(wave(251, 24, noise=0), 24)
    assert not is_seasonal(wave(252, 24, noise=0), 1)


def test_factors_of_an_even_season_by_hand():
    y = np.array([1.0, 3.0, 2.0, 8.0, 5.0, 13.0])
    trend = [(1 / 2 + 3 + 2 / 2) / 2, (3 / 2 + 2 + 8 / 2) / 2, (2 / 2 + 8 + 5 / 2) / 2, (8 / 2 + 5 + 13 / 2) / 2]
    ratios = [3 / trend[0], 2 / trend[1], 8 / trend[2], 5 / trend[3]]
    means = np.array([ratios[1] + ratios[3], ratios[0] + ratios[2]]) / 2
    np.testing.assert_allclose(seasonal_factors(y, 2), means / means.mean())


def test_the_limits_of_the_seasonal_test_are_bartletts():
    y = np.sin(np.arange(40) / 9) + 0.1 * np.cos(np.arange(40) * 2)  # slow: long autocorrelation, no season of 7
    deviation = y - y.mean()
    acf = [deviation[k:] @ deviation[: 40 - k] / (deviation @ deviation) for k in range(8)]
    limits = [1.645 * np.sqrt((1 + 2 * np.sum(np.square(acf[1:m]))) / 40) for m in range(8)]
    assert [is_seasonal(y, m) for m in range(2, 8)] == [abs(acf[m]) > limits[m] for m in range(2, 8)]
    assert is_seasonal(y, 2)
    assert abs(acf[7]) > 1.645 / np.sqrt(40)  # significant for white noise
    assert not is_seasonal(y, 7)


def test_the_limit_counts_the_lags_before_the_season_alone():
    """The autocorrelation is 0.286; the limit is 0.275 without its own square, and 0.294 with it."""
    steps = np.arange(40)
    assert is_seasonal(np.cos(2.55 * steps) + 2 * np.cos(steps**2), 4)


def test_what_cannot_be_tested_is_not_seasonal():
    peaks = np.tile([0.0, 0, 0, 0, 0, 0, 9], 3)
    assert is_seasonal(peaks, 7)
    assert not is_seasonal(peaks[1:], 7)  # fewer than three seasons
    assert not is_seasonal(np.full(30, 3.0), 4)


def test_naive2_continues_a_pattern():
    pattern = np.array([0.5, 1.25, 0.75, 1.5, 1.0])  # an odd season; the history ends within one
    history = 40 * np.tile(pattern, 9)[:43]
    forecast = naive2_quantiles(history, season=5, horizon=8, quantiles=(0.5,))[:, 0]
    np.testing.assert_allclose(forecast, 40 * np.tile(pattern, 11)[43:51])


def test_the_season_is_put_back():
    history, season, horizon = wave(27, 4), 4, 6
    factors = seasonal_factors(history, season)
    result = naive2_quantiles(history, season=season, horizon=horizon, quantiles=(0.1, 0.5, 0.9))
    level = history[-1] / factors[26 % 4]
    np.testing.assert_allclose(result[:, 1], level * factors[(27 + np.arange(horizon)) % 4])
    assert (np.diff(result, axis=1) > 0).all()


@pytest.mark.parametrize("history", [wave(27, 4) - 11, np.full(27, 3.0), np.array([5.0, 2.0, 7.0])])
def test_elsewhere_it_is_naive(history):
    result = naive2_quantiles(history, season=4, horizon=3, quantiles=(0.5,))
    np.testing.assert_array_equal(result[:, 0], history[-1])


def test_drift_by_hand():
    """From 1 to 7 in three steps; steps 3, -1, 4 depart from 2 by 1, -3, 2; the spread is that of 14 over 2."""
    result = drift_quantiles(np.array([1.0, 4.0, 3.0, 7.0]), horizon=3, quantiles=(0.5, 0.9))
    ahead = np.arange(1, 4)
    np.testing.assert_allclose(result[:, 0], 7 + 2 * ahead)
    spread = np.sqrt(14 / 2) * np.sqrt(ahead * (1 + ahead / 3)) * NormalDist().inv_cdf(0.9)
    np.testing.assert_allclose(result[:, 1] - result[:, 0], spread)


def test_drift_goes_through_gaps():
    """A line with values missing within and at the end is still the line."""
    line = 2.0 * np.arange(9) + 1
    line[[3, 7, 8]] = np.nan
    result = drift_quantiles(line, horizon=2, quantiles=(0.1, 0.5))
    np.testing.assert_allclose(result, np.repeat([[19.0], [21.0]], 2, axis=1))


def test_drift_of_one_value_is_that_value():
    np.testing.assert_array_equal(drift_quantiles(np.array([4.0]), horizon=2, quantiles=(0.1, 0.5)), 4.0)
