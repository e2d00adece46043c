"""The factors that widen intervals, against split-conformal ranks by hand, and the values that do not count."""

from fractions import Fraction

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from throughtime.forecasting.held_out import WIDEST, stretch_factors
from throughtime.forecasting.intervals import MEDIAN, QUANTILES

F, Q = 3, len(QUANTILES)


def forecasts(rows, seed):
    """Skewed quantiles (R, F, Q) of different widths."""
    draw = np.random.default_rng(seed)
    return np.cumsum(draw.uniform(0.05, 1.0, (rows, F, Q)), axis=-1) * draw.uniform(0.1, 9.0, (rows, F, 1))


def truths(quantiles, spread, seed):
    """(R, F) around the medians, so far that intervals of the given widths are too narrow."""
    width = quantiles[..., -1] - quantiles[..., 0]
    return quantiles[..., MEDIAN] + spread * width * np.random.default_rng(seed + 1).standard_t(4, width.shape)


def by_hand(quantiles, truth):
    """For each interval the k-th smallest ratio, k = ceil((n + 1) coverage): Romano et al. 2019, equation 5."""
    factors = np.ones(Q)
    for lower in range(MEDIAN):
        upper = Q - 1 - lower
        ratios = []
        for forecast, y in zip(quantiles.reshape(-1, Q), truth.ravel(), strict=True):
            median = forecast[MEDIAN]
            if y > median:
                ratios.append((y - median) / (forecast[upper] - median))
            elif y <= median:  # neither for NaN
                ratios.append((median - y) / (median - forecast[lower]))
        coverage = Fraction(str(QUANTILES[upper])) - Fraction(str(QUANTILES[lower]))
        rank = min(-(-coverage * (len(ratios) + 1) // 1), len(ratios))
        factors[[lower, upper]] = np.clip(sorted(ratios)[int(rank) - 1], 1, WIDEST)
    return factors


def share_covered(quantiles, truth, lower):
    known = ~np.isnan(truth)
    inside = (quantiles[..., lower] <= truth) & (truth <= quantiles[..., Q - 1 - lower])
    return inside[known].mean()


@pytest.mark.parametrize(("rows", "spread"), [(1, 0.3), (3, 0.2), (7, 0.4), (33, 0.3), (50, 0.25)])
def test_factors_by_hand(rows, spread):
    """Few errors and many; one in five was not observed."""
    quantiles = forecasts(rows, rows)
    truth = truths(quantiles, spread, rows)
    truth[np.random.default_rng(rows + 2).random(truth.shape) < 0.2] = np.nan
    actual = stretch_factors(quantiles, truth)
    assert max(actual) > 1
    np.testing.assert_allclose(actual, by_hand(quantiles, truth), rtol=1e-12)


def test_the_rank_is_exact():
    """Of 19 errors an interval of 95 % covers the 19th smallest, one of 90 % the 18th, one of 80 % the 16th."""
    errors = 0.8 + np.arange(1, 20) / 20
    normal = np.linspace(-1.0, 1.0, Q)
    factors = stretch_factors(np.tile(normal, (19, 1, 1)), np.random.default_rng(0).permutation(errors)[:, None])
    half = normal[Q - 3 :]  # what the upper quantiles lie above the median
    np.testing.assert_allclose(factors[Q - 3 :], errors[[15, 17, 18]] / half, rtol=1e-12)


@given(rows=st.integers(1, 40), spread=st.sampled_from([0.0, 0.01, 0.2, 0.5]), seed=st.integers(0, 1000))
def test_intervals_cover_what_they_promise_where_they_may_be_wide_enough(rows, spread, seed):
    quantiles = forecasts(rows, seed)
    truth = truths(quantiles, spread, seed)
    factors = np.array(stretch_factors(quantiles, truth))
    assert factors[MEDIAN] == 1
    assert (factors >= 1).all()
    assert (factors <= WIDEST).all()
    np.testing.assert_array_equal(factors, factors[::-1])
    median = quantiles[..., MEDIAN, None]
    wide = median + factors * (1 + 1e-9) * (quantiles - median)  # not sorted: quantiles that cross change places
    for lower in np.flatnonzero(factors[:MEDIAN] < WIDEST):
        assert share_covered(wide, truth, lower) >= QUANTILES[Q - 1 - lower] - QUANTILES[lower] - 1e-12


def test_what_was_not_observed_or_not_forecast_does_not_count():
    quantiles = forecasts(9, 3)
    truth = truths(quantiles, 0.3, 3)
    expected = stretch_factors(quantiles, truth)
    more, none = np.concatenate([quantiles, 7 + forecasts(4, 4)]), np.full((4, F), np.nan)
    assert stretch_factors(more, np.concatenate([truth, none])) == expected
    more[9:] = np.nan
    assert stretch_factors(more, np.concatenate([truth, none + 1e9])) == expected
    assert stretch_factors(more, np.concatenate([truth, np.ones((4, F))])) == expected
    assert stretch_factors(quantiles, np.full((9, F), np.nan)) == (1.0,) * Q


def test_intervals_without_width():
    """Nothing makes them cover an error, and they need not be wider to cover none."""
    flat = np.full((5, F, Q), 2.0)
    assert stretch_factors(flat, np.full((5, F), 2.0)) == (1.0,) * Q
    assert stretch_factors(flat, np.full((5, F), 2.5)) == tuple(1.0 if q == MEDIAN else WIDEST for q in range(Q))
    one = flat[:1].copy()
    one[..., MEDIAN + 1 :] += 1.0  # no width below the median, some above it
    assert stretch_factors(one, np.full((1, F), 2.9)) == (1.0,) * Q
    assert stretch_factors(one, np.full((1, F), 1.9))[-1] == WIDEST
