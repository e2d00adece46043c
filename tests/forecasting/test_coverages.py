"""The share of values that intervals cover, its range, and what may be said of it."""

import numpy as np
import pytest

from throughtime.forecasting.coverages import covered


def rows_of(inside, level=80, series=None):
    """A backtest (C, F): 1 is inside of an interval around 0, 0 outside, NaN is not known."""
    inside = np.atleast_2d(np.asarray(inside, float))
    clusters, steps = inside.shape
    ids = np.array([f"s{n}" for n in range(clusters)]) if series is None else np.array(series)
    size = clusters * steps
    return {
        "unique_id": np.repeat(ids, steps),
        "cutoff": np.zeros(size, int) if series is None else np.repeat(np.arange(clusters), steps),
        "y": np.where(np.isnan(inside), np.nan, np.where(inside == 1, 0.5, 2.0)).ravel(),
        f"throughtime-lo-{level}": np.full(size, -1.0),
        f"throughtime-hi-{level}": np.full(size, 1.0),
    }


def test_independent_values_have_wilsons_range():
    """Clusters of one value each: Wilson (1927); 14 of 20, as in Newcombe (1998), 0.481 to 0.855."""
    found = covered(rows_of(np.repeat([1, 0], [14, 6])[:, None]), 80)
    assert (found.share, found.values, found.windows) == (0.7, 20, 20)
    np.testing.assert_allclose([found.low, found.high], [0.481, 0.855], atol=1e-3)


def test_values_of_one_window_count_as_one_if_they_go_together():
    """Ten windows of 12 equal values: as ten values, whatever the number in each."""
    draws = np.repeat([1, 0], [8, 2])[:, None]
    alone, repeated = covered(rows_of(draws), 80), covered(rows_of(np.repeat(draws, 12, axis=1)), 80)
    assert repeated.values == 120
    assert repeated.high - repeated.low > alone.high - alone.low > 0.4
    mixed = np.resize([1, 1, 1, 1, 0], (10, 10))
    assert covered(rows_of(mixed), 80).high - covered(rows_of(mixed), 80).low < 0.2


def test_the_range_holds_the_truth_as_often_as_it_says():
    """Windows whose values are partly the same; 300 backtests of 8 windows of 6 values."""
    draw, held = np.random.default_rng(0), 0
    for _ in range(300):
        inside = np.where(draw.random((8, 6)) < 0.5, draw.random((8, 1)), draw.random((8, 6))) < 0.8
        found = covered(rows_of(inside), 80)
        held += found.low <= 0.8 <= found.high
    assert held / 300 > 0.92


def test_one_window_says_nothing_and_missing_values_do_not_count():
    found = covered(rows_of([[1, 1, 1, np.nan]]), 80)
    assert (found.share, found.low, found.high, found.values, found.judgment) == (1.0, 0.0, 1.0, 3, "few")
    assert np.isnan(covered(rows_of([[np.nan, np.nan]]), 80).share)
    assert covered(rows_of([[1, 0], [1, 1]], series=["a", "a"]), 80).windows == 2


@pytest.mark.parametrize(
    ("share", "level", "windows", "judgment"),
    [
        (0.80, 80, 1000, "right"),
        (0.77, 80, 1000, "right"),
        (0.75, 80, 1000, "narrow"),
        (0.85, 80, 1000, "wide"),
        (0.40, 80, 90, "narrow"),
        (0.85, 80, 60, "few"),
        (1.0, 80, 15, "few"),
        (1.0, 95, 40, "few"),
        (1.0, 95, 400, "wide"),
        (0.5, 50, 10, "few"),
    ],
)
def test_coverage_is_judged_from_enough_windows(share, level, windows, judgment):
    """Varied: the level, the number of windows of one value, the side, and gaps near the limits."""
    inside = np.arange(windows) < round(share * windows)
    assert covered(rows_of(inside[:, None], level), level).judgment == judgment
