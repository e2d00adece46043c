"""Forecasts of any histories with random weights: what holds whatever the network has learned."""

import numpy as np
import pytest

from throughtime.zero_shot import LEVELS, MIDDLE, WINDOW_NUMBERS, quantiles_of
from throughtime.zero_shot.windows import LONGEST, SHORT

LENGTHS = (3, 11, 90, SHORT, SHORT + 1, 600, 1900)


def seasonal(length, seed=0):
    draw = np.random.default_rng(seed)
    steps = np.arange(length)
    return 10 + 3 * np.sin(2 * np.pi * steps / 12) + 0.05 * steps + draw.normal(size=length)


def assert_close(found, expected, size=30.0):
    """To the digits of float32, in which the network computes."""
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5 * size)


@pytest.mark.parametrize(
    ("horizon", "seasons"),
    [
        (1, (1, 1)),
        (32, (130, 1)),
        (33, (24, 168)),
        (96, (96, 672)),
        (97, (7, 365)),
        (720, (12, 1)),
        (720, (288, 2016)),
    ],
)
def test_each_series_has_quantiles_of_its_own(weights, horizon, seasons):
    """Ascending, and the same alone and among series of other lengths, seasons longer than the history included."""
    series = [seasonal(length, seed) for seed, length in enumerate(LENGTHS)]
    found = quantiles_of(weights, series, seasons, horizon)
    assert found.shape == (len(series), horizon, len(LEVELS))
    assert np.isfinite(found).all()
    assert (np.diff(found, axis=2) >= 0).all()
    for row in (1, 5):
        assert_close(quantiles_of(weights, [series[row]], seasons, horizon)[0], found[row], 100)


def test_all_of_many_batches_are_in_their_places(weights, monkeypatch):
    monkeypatch.setattr("throughtime.zero_shot.windows.BATCH", 3)
    series = [seasonal(length, length) for length in (30, 700, 8, 150, 50, 144, 31)]
    found = quantiles_of(weights, series, (12, 1), 5)
    for row, history in enumerate(series):
        assert_close(found[row], quantiles_of(weights, [history], (12, 1), 5)[0])


@pytest.mark.parametrize("horizon", [20, 97, 720])
def test_missing_values_before_a_series_change_nothing(weights, horizon):
    """Also beside others; they are neither short nor long, nor the first of a coarse step."""
    series = [seasonal(length) for length in (3, 61, 600)]
    padded = [np.r_[np.full(count, np.nan), y] for count in (9, 100) for y in series]
    found, alone = (quantiles_of(weights, these, (12, 1), horizon) for these in (padded, series))
    assert_close(found, np.concatenate([alone, alone]), 100)


@pytest.mark.parametrize("horizon", [20, 720])
@pytest.mark.parametrize("factor", [1e12, 1e-12, 1e250, 1e-250, 7.3])
def test_the_unit_of_the_values_does_not_matter(weights, factor, horizon):
    series = [seasonal(50), seasonal(400), np.r_[np.zeros(30), 4.0, np.zeros(20)]]
    found = quantiles_of(weights, [factor * y for y in series], (12, 1), horizon) / factor
    expected = quantiles_of(weights, series, (12, 1), horizon)
    for row in range(len(series)):
        np.testing.assert_allclose(found[row], expected[row], rtol=1e-5, atol=1e-5 * np.abs(expected[row]).max())


def test_a_level_matters_by_what_the_network_reads_of_it_alone(weights):
    """By the level over the unit, and by logarithms, which no series has here. Without that number, it does not."""
    blind = dict(weights)
    for name in ("context.first", "future.first", "head.judged"):
        key = f"ports.short.{name}.weight"
        blind[key] = weights[key].copy()
        blind[key][:, -WINDOW_NUMBERS] = 0
    series = [seasonal(50) - 40, seasonal(110) - 60]
    moved = [0.3 * y - 25 for y in series]
    found = quantiles_of(blind, moved, (12, 1), 20)
    assert_close(found, 0.3 * quantiles_of(blind, series, (12, 1), 20) - 25)
    assert not np.allclose(found, 0.3 * quantiles_of(weights, series, (12, 1), 20) - 25, atol=0.1)


@pytest.mark.parametrize("horizon", [20, 300])
def test_gaps(weights, horizon):
    """Single ones, long ones at the end, infinite values, all but the first values, all but one."""
    draw, y = np.random.default_rng(1), seasonal(700)
    gappy = np.where(draw.random(700) < 0.6, np.nan, y)
    infinite = np.where(np.isnan(gappy), np.inf, gappy)
    ended = np.r_[y[:90], np.full(600, np.nan)]
    begun = np.r_[y[:3], np.full(4 * 12, np.nan)]
    one = np.r_[np.full(5, np.nan), 4.0, np.full(60, np.nan)]
    long_ago = np.r_[y[:50], np.full(LONGEST + 900, np.nan)]
    series = [gappy, infinite, ended, begun, one, long_ago]
    found = quantiles_of(weights, series, (12, 1), horizon)
    assert np.isfinite(found).all()
    assert (np.diff(found, axis=2) >= 0).all()
    np.testing.assert_array_equal(found[1], found[0])
    assert np.abs(found[5]).max() > 1  # the last known value is not forgotten


def test_only_the_last_values_of_a_long_history_are_read(weights):
    y = seasonal(LONGEST + 50)
    other = np.r_[np.full(50, 1e3), y[50:]]
    np.testing.assert_array_equal(*(quantiles_of(weights, [series], (12, 1), 7) for series in (y, other)))


@pytest.mark.parametrize("horizon", [30, 200])
@pytest.mark.parametrize("level", [0.0, 5.0, -3.0])
def test_constant_series(weights, level, horizon):
    """Finite, and near the constant; a forecaster keeps them exactly as they are."""
    found = quantiles_of(weights, [np.full(n, level) for n in (3, 40, 300)], (7, 1), horizon)
    assert np.isfinite(found).all()
    assert (np.diff(found, axis=2) >= 0).all()
    assert np.abs(found - level).max() <= max(abs(level), 1e-3)


def test_far_horizons_keep_the_pattern_within_coarse_steps(weights):
    """An exact season of 24 in coarse steps of 8: the median is that of the coarse steps plus the pattern in them."""
    draw, horizon = np.random.default_rng(2), 720
    season = draw.normal(size=24)
    season -= season.reshape(3, 8).mean(axis=1).repeat(8)  # nothing is left in the means
    median = quantiles_of(weights, [np.tile(season, 60)], (24, 1), horizon)[0, :, MIDDLE]
    smooth = median - season[np.arange(horizon) % 24] * (20 / 20.5)  # 20 seasons are looked at
    assert np.abs(np.diff(smooth, 2)).max() < 0.05 * np.abs(np.diff(median, 2)).max()


def test_no_series_are_no_forecasts(weights):
    for horizon in (5, 200):
        assert quantiles_of(weights, [], (12, 1), horizon).shape == (0, horizon, len(LEVELS))
