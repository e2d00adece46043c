"""How far back a forecaster looks, in figures that are known."""

import numpy as np
import pytest

from throughtime.report.reach import reach_of

MEMORY = np.array([2.0, 1.0, 0.5])


def test_curves_are_shares_of_their_largest_at_lags_of_the_series():
    influence = np.array([[4.0, 2.0, 1.0, 1.0, 0.0, 0.0], [0.0, 1.0, 0.0, 8.0, 2.0, 1.0]])
    reach = reach_of(influence, MEMORY, patch=3, season=2, verdict="GRU: fades.")
    first, last, cell = reach.lines
    np.testing.assert_array_equal(first.x, [1, 2, 3, 4, 5, 6])
    np.testing.assert_array_equal(first.y, influence[0] / 4)
    np.testing.assert_array_equal(last.y, influence[1] / 8)
    np.testing.assert_array_equal(cell.x, [1, 4, 7])
    np.testing.assert_array_equal(cell.y, [1, 0.5, 0.25])
    # By lag 4, 3, 1, 9, 2, 1 of 20: half by the fourth, 90 % by the fifth.
    assert reach.summary == (
        "Half of the forecast's dependence is on the last 4 of the 6 values that the model reads, 90% on the last 5, "
        "2.5 seasons."
    )
    assert reach.verdict == "GRU: fades."


def test_one_step_ahead_without_a_season():
    reach = reach_of(np.array([[1.0, 0.0]]), np.array([1.0, np.nan]), patch=1, season=1)
    assert [curve.name for curve in reach.lines] == ["first step ahead"]
    assert "season" not in reach.summary


@pytest.mark.parametrize("influence", [np.zeros((2, 3)), np.array([[1.0, np.nan]])])
def test_where_nothing_finite_flows_there_is_no_reach(influence):
    assert reach_of(influence, MEMORY, patch=1, season=1) is None
