"""Seasonal naive against a loop, and the intervals around it."""

from statistics import NormalDist

import numpy as np
import pytest

from throughtime.forecasting.baselines import naive_quantiles, naive_quantiles_of_panel, seasonal_naive


@pytest.mark.parametrize("season", [1, 2, 4, 7])
@pytest.mark.parametrize("horizon", [1, 3, 11])
def test_each_step_is_the_value_one_season_before(season, horizon):
    values = np.random.default_rng(0).normal(size=30)
    offsets, cutoffs = np.array([0, 9, 20]), np.array([9, 3, 7])
    result = seasonal_naive(values, offsets, cutoffs, season=season, horizon=horizon)
    for i, (offset, cutoff) in enumerate(zip(offsets, cutoffs, strict=True)):
        known = values[offset : offset + cutoff].tolist()
        for step in range(horizon):
            known.append(known[-season] if cutoff >= season else known[-1])
            assert result[i, step] == known[-1]


def test_quantiles_grow_with_the_root_of_the_seasons_between():
    """Errors one season of 2 ahead: 3, 4, so a deviation of sqrt(12.5)."""
    history, point = np.array([1.0, 5.0, 4.0, 9.0]), np.array([10.0, 20.0, 10.0, 20.0, 10.0])
    result = naive_quantiles(history, point, season=2, quantiles=(0.1, 0.5, 0.9))
    z = NormalDist().inv_cdf(0.9)
    np.testing.assert_array_equal(result[:, 1], point)
    np.testing.assert_allclose(result[:, 2] - point, np.sqrt(12.5) * z * np.sqrt([1, 1, 2, 2, 3]))
    np.testing.assert_allclose(result[:, 2] - point, point - result[:, 0])


def test_missing_values_make_no_error():
    history = np.array([1.0, np.nan, 3.0, 6.0])  # one step ahead: only 3 to 6
    result = naive_quantiles(history, np.array([6.0]), season=1, quantiles=(0.9,))
    np.testing.assert_allclose(result, [[6 + 3 * NormalDist().inv_cdf(0.9)]])


def test_a_series_shorter_than_its_season_is_measured_step_by_step():
    result = naive_quantiles(np.array([2.0, 4.0]), np.array([4.0, 4.0]), season=12, quantiles=(0.9,))
    np.testing.assert_allclose(result[:, 0], 4 + 2 * NormalDist().inv_cdf(0.9) * np.sqrt([1, 2]))


@pytest.mark.parametrize("history", [[5.0], [5.0, 5.0, 5.0], [np.nan, 5.0, np.nan]])
def test_without_an_error_to_measure_all_quantiles_are_the_forecast(history):
    result = naive_quantiles(np.array(history), np.array([5.0, 5.0]), season=1, quantiles=(0.1, 0.5, 0.9))
    np.testing.assert_array_equal(result, 5.0)


@pytest.mark.parametrize("season", [1, 3])
def test_many_series_at_once_are_the_same_as_one_by_one(season):
    rng = np.random.default_rng(1)
    lengths, cutoffs, levels = np.array([9, 2, 1, 6, 4]), np.array([7, 2, 1, 3, 4]), (0.1, 0.5, 0.8)
    offsets = np.cumsum(lengths) - lengths
    values, point = rng.normal(size=lengths.sum()), rng.normal(size=(5, 7))
    values[[3, 15]] = np.nan
    values[18:] = 5.0  # constant
    result = naive_quantiles_of_panel(values, offsets, cutoffs, point, season=season, quantiles=levels)
    for row, (offset, cutoff) in enumerate(zip(offsets, cutoffs, strict=True)):
        expected = naive_quantiles(values[offset : offset + cutoff], point[row], season=season, quantiles=levels)
        np.testing.assert_allclose(result[row], expected, rtol=1e-12)
