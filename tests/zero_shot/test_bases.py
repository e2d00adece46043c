"""The simple forecasts against plain loops, step by step and place by place, and on series whose future is known."""

import numpy as np
import pytest

from throughtime.zero_shot.autoregression import FARTHEST, ORDER, RIDGE
from throughtime.zero_shot.bases import BASES, BEYOND, DAMPING, HALF_LIFE, LEAST_TREND, bases
from throughtime.zero_shot.histories import histories
from throughtime.zero_shot.profiles import PRIOR
from throughtime.zero_shot.smoothing import LEVELS, MEMORY, START, TAIL, TRENDS

F = 17
OF_LOGARITHMS = ("multiplicative theta", "damped trend of logarithms and profile")


def forecasts(series, short, long=None, horizon=F):
    """Of histories of any lengths, that end together: (B, K, F)."""
    values = np.full((len(series), max(len(y) for y in series) + 3), np.nan)
    for row, y in zip(values, series, strict=True):
        row[-len(y) :] = y
    short = np.broadcast_to(short, len(series))
    return bases(
        histories(values, short), short, short if long is None else np.broadcast_to(long, len(series)), horizon
    )


def forecast(y, name, season=1, horizon=F):
    return forecasts([y], season, horizon=horizon)[0, BASES.index(name)]


def profile_by_places(y, m, weight=lambda age: 1.0):
    """The mean deviation from a moving average of one season, drawn to zero; of each step of y, and of those ahead."""
    total, count, n, half = np.zeros(m), np.zeros(m), len(y), m // 2
    for t in range(half, n - half if m > 1 else 0):
        shares = np.ones(m) if m % 2 else np.r_[0.5, np.ones(m - 1), 0.5]
        mean = (shares * y[t - half : t - half + len(shares)]).sum() / m
        total[(t - n) % m] += weight(n - t) * (y[t] - mean)
        count[(t - n) % m] += weight(n - t)
    by_place = total / (count + PRIOR)
    return by_place[np.arange(-n, 0) % m], by_place[np.arange(F) % m]


def level_by_steps(rest, alpha):
    level = rest[:START].mean()
    for value in rest:
        level += alpha * (value - level)
    return level


def damped_trend_by_steps(rest):
    """Holt's damped trend with each setting of the grid, and the forecast of the one with the least errors."""
    rest = rest[-TAIL:]
    third = min(max(len(rest) // 3, 4), len(rest) - 1)
    early, whole = (rest[third] - rest[0]) / third, (rest[-1] - rest[0]) / (len(rest) - 1)
    runs = []
    for alpha in LEVELS:
        for (share, phi), begin in zip(TRENDS, (0, early / 2, early / 2, whole), strict=True):
            level, slope, errors = rest[0], begin, 0.0
            for value in rest[1:]:
                error = value - (level + phi * slope)
                level, slope = level + phi * slope + alpha * error, phi * slope + share * alpha * error
                errors = MEMORY * errors + abs(error)
            runs.append((errors, level + slope * np.cumsum(phi ** np.arange(1, F + 1))))
    return min(runs, key=lambda run: run[0])[1]


def autoregression_by_steps(rest):
    """Ridge regression as least squares with further rows, and forecasts that are fed back."""
    mean, scale = rest.mean(), rest.std()
    z = list((rest - mean) / scale)
    rows = np.array([z[t - ORDER : t][::-1] for t in range(ORDER, len(z))])
    penalized = np.vstack([rows, np.sqrt(RIDGE) * np.eye(ORDER)])
    coefficients = np.linalg.lstsq(penalized, np.r_[z[ORDER:], np.zeros(ORDER)])[0]
    farthest = FARTHEST * np.abs(z).max()
    for _ in range(F):
        z.append(np.clip(coefficients @ z[: -ORDER - 1 : -1], -farthest, farthest))
    return mean + scale * np.array(z[-F:])


def slope_of(y):
    return np.polyfit(np.arange(len(y)), y, 1)[0]


def by_steps(y, m, m_long):
    """All forecasts of one series, by name."""
    ahead, n = np.arange(1, F + 1), len(y)
    width = m if m > 1 else 3
    past, season = profile_by_places(y, m)
    rest, last = y - past, y[n - m + np.arange(F) % m]
    past_both, both = profile_by_places(y, m_long)
    past_recent, recent = profile_by_places(y, m, lambda age: 0.5 ** (age / (HALF_LIFE * m)))
    level, drift = y[-width:].mean(), y[-width:].mean() - y[-2 * width : -width].mean()
    theta = level_by_steps(rest, 0.5) + slope_of(rest) / 2 * ahead + season
    of_logs = [theta, theta]
    if y.min() > 0:
        past_logs, season_logs = profile_by_places(np.log(y), m)
        logs = np.log(y) - past_logs
        most = np.log(level + BEYOND * y.std()) + 1.5
        growths = level_by_steps(logs, 0.5) + slope_of(logs) / 2 * ahead, damped_trend_by_steps(logs)
        of_logs = [np.exp(np.minimum(growth + season_logs, most)) for growth in growths]
    local = slope_of(rest[-max(m, LEAST_TREND) :]) * np.cumsum(DAMPING**ahead)
    return {
        "last value": y[-1] + 0 * ahead,
        "seasonal naive": last,
        "seasonal naive of the long season": y[n - m_long + np.arange(F) % m_long],
        "mean of the last season": level + 0 * ahead,
        "level .1 and profile": level_by_steps(rest, 0.1) + season,
        "level .3 and profile": level_by_steps(rest, 0.3) + season,
        "level .7 and profile": level_by_steps(rest, 0.7) + season,
        "theta": theta,
        "local damped trend and profile": level_by_steps(rest, 0.5) + local + season,
        "level .3 and two profiles": level_by_steps(y - past_both, 0.3) + both,
        "drift and profile": rest[-1] + (rest[-1] - rest[:START].mean()) / (n - 1) * ahead + season,
        "multiplicative theta": of_logs[0],
        "damped trend of logarithms and profile": of_logs[1],
        "mean and profile": y.mean() + season,
        "seasonal naive with drift": last + drift * ((ahead - 1) // width + 1),
        "damped trend and profile": damped_trend_by_steps(rest) + season,
        "autoregression and profile": autoregression_by_steps(rest) + season,
        "level .3 and recent profile": level_by_steps(y - past_recent, 0.3) + recent,
    }


def test_each_forecast_is_that_of_plain_loops():
    """Four series at once: odd, even and no seasons, two seasons, negative values, longer than the tail of a trend."""
    draw = np.random.default_rng(0)
    lengths, short, long = (61, 200, 47, 38), (7, 12, 1, 4), (7, 30, 1, 4)
    series = [
        20 + np.cumsum(draw.normal(0.2, 1, n)) + 4 * draw.normal(size=m)[np.arange(n) % m]
        for n, m in zip(lengths, short, strict=True)
    ]
    series[1] = np.exp(series[1] / 10)
    series[3] = series[3] - 22
    found = forecasts(series, short, long)
    assert [y.min() > 0 for y in series] == [True, True, True, False]
    for row, (y, m, m_long) in enumerate(zip(series, short, long, strict=True)):
        expected = by_steps(y, m, m_long)
        assert tuple(expected) == BASES
        for name, values in zip(BASES, found[row], strict=True):
            np.testing.assert_allclose(values, expected[name], rtol=1e-9, atol=1e-9, err_msg=f"{name}, series {row}")


def test_a_line_and_an_exponential_go_on():
    steps = np.arange(40.0)
    ahead = np.arange(40.0, 40 + F)
    np.testing.assert_allclose(forecast(3 - 0.7 * steps, "damped trend and profile"), 3 - 0.7 * ahead)
    growth = forecast(5 * 1.03**steps, "damped trend of logarithms and profile")
    np.testing.assert_allclose(growth, 5 * 1.03**ahead)
    # The smoothed level lags by one step of growth, and the line's slope counts half.
    theta = forecast(5 * 1.03 ** np.arange(200.0), "multiplicative theta", horizon=3)
    np.testing.assert_allclose(theta, 5 * 1.03 ** (198 + np.arange(1, 4) / 2), rtol=1e-9)


def test_growth_has_a_limit():
    """Eight deviations above the level, and e to the power of 1.5 beyond that."""
    y = 1.5 ** np.arange(30)
    limit = (y[-3:].mean() + BEYOND * y.std()) * np.exp(1.5)
    for name in OF_LOGARITHMS:
        found = forecast(y, name, horizon=60)
        assert y[-1] * 0.5 < found[0] < limit
        np.testing.assert_allclose(found[-1], limit)


@pytest.mark.parametrize("m", [4, 7])
def test_an_exact_season_goes_on(m):
    """A profile is drawn to zero by a prior, as if a share of an observation had been zero."""
    season = np.random.default_rng(m).normal(size=m)
    y, ahead = np.tile(season, 6), season[np.arange(F) % m]
    for name in ("seasonal naive", "seasonal naive with drift"):
        np.testing.assert_allclose(forecast(y, name, m), ahead)
    y, level = np.tile(season, 500), season.mean()
    drawn = level + (ahead - level) * 499 / (499 + PRIOR)
    np.testing.assert_allclose(forecast(y, "mean and profile", m), drawn, rtol=1e-3)


def test_values_may_be_scaled_and_moved():
    """Forecasts of logarithms hold for scales alone, unless a value is not positive: then there are none."""
    draw = np.random.default_rng(1)
    series = [30 + np.cumsum(draw.normal(size=n)) + 3 * np.sin(np.arange(n) * np.pi / 3) for n in (50, 90)]
    plain = [name not in OF_LOGARITHMS for name in BASES]
    found = forecasts(series, 6)
    np.testing.assert_allclose(forecasts([7.3 * y for y in series], 6), 7.3 * found)
    moved = forecasts([0.4 * y + 11 for y in series], 6)
    np.testing.assert_allclose(moved[:, plain], 0.4 * found[:, plain] + 11)
    assert not np.allclose(moved, 0.4 * found + 11)
    low = forecasts([0.4 * y - 60 for y in series], 6)
    np.testing.assert_allclose(forecasts([y - 150 for y in series], 6), (low + 60) / 0.4 - 150)


def test_missing_values_of_a_repeated_season_change_nothing_of_its_last_values():
    draw, m = np.random.default_rng(2), 5
    y = np.tile(draw.normal(size=m), 9)
    gappy = np.where(draw.random(len(y)) < 0.4, np.nan, y)
    gappy[: 2 * m] = y[: 2 * m]
    assert np.isnan(gappy[-m:]).any()
    for name in ("last value", "seasonal naive"):
        np.testing.assert_array_equal(forecast(gappy, name, m), forecast(y, name, m))
    long_gap = np.r_[3.0, 4.0, 9.0, [np.nan] * 6]
    np.testing.assert_array_equal(forecast(long_gap, "last value"), 9)
    np.testing.assert_array_equal(forecast(long_gap, "mean of the last season"), 9)


def test_a_season_longer_than_the_history_is_none():
    y = np.random.default_rng(4).normal(size=20)
    for name in ("seasonal naive", "seasonal naive of the long season"):
        np.testing.assert_array_equal(forecast(y, name, 21), y[-1])
    np.testing.assert_array_equal(forecast(y, "seasonal naive", 20, horizon=20), y)
    np.testing.assert_allclose(forecast(y, "mean and profile", 21), y.mean())
