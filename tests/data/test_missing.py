"""The replacements of missing values, compared with a loop; they never depend on later values."""

from itertools import pairwise

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis.extra.numpy import arrays

from throughtime.data.frequency import Frequency
from throughtime.data.missing import fill_forward, without_leading_gaps
from throughtime.data.panel import Panel

OFFSETS = np.array([0, 7, 8, 20])
P = int(OFFSETS[-1])
gappy = arrays(float, P, elements=st.one_of(st.just(float("nan")), st.floats(-9, 9, width=16)))
seasons = st.integers(1, 9)


def slow_fill(values, season):
    """The slow twin: look back a season at a time, then a step at a time."""
    filled = values.copy()
    for first, end in pairwise(OFFSETS.tolist()):
        for place in range(first, end):
            same_season, any_earlier = range(place, first - 1, -season), range(place, first - 1, -1)
            candidates = [values[k] for k in (*same_season, *any_earlier) if not np.isnan(values[k])]
            filled[place] = candidates[0] if candidates else 0.0
    return filled


@given(gappy, seasons)
@example(np.array([np.nan] * 13 + [0.0, np.nan, 1.0] + [np.nan] * 4), 3)  # the last of all is no filled one
def test_the_same_seasons_last_value_else_the_last_of_all(values, season):
    actual = fill_forward(values, OFFSETS, season)
    np.testing.assert_array_equal(actual, slow_fill(values, season))


@given(gappy, gappy, seasons, st.integers(0, P))
def test_nothing_later_is_taken(values, others, season, cut):
    """Values after the cut do not change the filled values before it."""
    changed = np.where(np.arange(P) < cut, values, others)
    actual, expected = fill_forward(changed, OFFSETS, season), fill_forward(values, OFFSETS, season)
    np.testing.assert_array_equal(actual[:cut], expected[:cut])


@given(gappy)
def test_series_begin_at_their_first_observation(values):
    """Their ends, and so the steps that follow, stay where they were; one without any has no steps left."""
    frequency = Frequency("integer", 2, "int64")
    panel = Panel(np.array(["a", "b", "c"]), values, OFFSETS, np.array([3, 50, -10]), frequency, ("read",))
    actual = without_leading_gaps(panel)
    for i in range(3):
        whole = panel.series(i)
        observed = np.flatnonzero(~np.isnan(whole))
        first = observed[0] if len(observed) else len(whole)
        np.testing.assert_array_equal(actual.series(i), whole[first:])
        np.testing.assert_array_equal(actual.times(i), panel.times(i)[first:])
    np.testing.assert_array_equal(actual.future(2)[1], panel.future(2)[1])
    changed = int((actual.lengths < panel.lengths).sum())
    note = f"Missing values before the first observation left out: {changed} series."
    assert actual.notes == (("read", note) if changed else ("read",))


@pytest.mark.parametrize("season", [1, 3, 5])
def test_ragged_series_with_long_gaps_against_a_loop(season):
    rng, offsets = np.random.default_rng(season), np.array([0, 11, 11, 15, 40])
    values = np.where(rng.random(40) < 0.7, np.nan, rng.normal(size=40))
    values[[0, 15]] = 1.0, 2.0  # the first step of a series replaces the one a season later
    values[[season, 15 + season]] = np.nan
    expected = []
    for first, end in pairwise(offsets):
        for place in range(first, end):
            earlier = [*range(place, first - 1, -season), *range(place, first - 1, -1)]
            expected.append(next((values[k] for k in earlier if not np.isnan(values[k])), 0.0))
    np.testing.assert_array_equal(fill_forward(values, offsets, season), expected)
