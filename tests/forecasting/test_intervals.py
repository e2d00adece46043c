"""Intervals from quantiles: names, order, exact levels, and impossible levels."""

from statistics import NormalDist

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra.numpy import arrays

from throughtime._errors import InputError
from throughtime.forecasting.intervals import MEDIAN, QUANTILES, interval_columns, stretched

S, Q = 5, len(QUANTILES)
LEVELS = (1, 33.3, 50, 80, 95, 99.9)
quantile_rows = arrays(float, (S, Q), elements=st.floats(-1e6, 1e6)).map(lambda rows: np.sort(rows, axis=1))


@given(quantile_rows)
def test_wider_levels_hold_narrower_ones_and_all_hold_the_median(rows):
    columns = interval_columns(rows, LEVELS)
    ascending = [columns[f"throughtime-lo-{level:g}"] for level in reversed(LEVELS)]
    ascending += [columns["throughtime"], *(columns[f"throughtime-hi-{level:g}"] for level in LEVELS)]
    assert (np.diff(ascending, axis=0) >= -1e-6).all()


def test_names_and_order():
    columns = interval_columns(np.zeros((1, Q)), [95, 80, 99.5], name="model")
    assert list(columns) == ["model", *(f"model-{side}-{level}" for level in (95, 80, 99.5) for side in ("lo", "hi"))]


@pytest.mark.parametrize("level", [20, 40, 60, 80, 90, 95])
def test_levels_on_the_grid_are_the_quantiles_themselves(level):
    rows = np.sort(np.random.default_rng(0).normal(size=(S, Q)) * 1e5, axis=1)
    columns = interval_columns(rows, [level])
    lower = int(np.argmin(np.abs(np.array(QUANTILES) - (50 - level / 2) / 100)))
    np.testing.assert_array_equal(columns[f"throughtime-lo-{level}"], rows[:, lower])
    np.testing.assert_array_equal(columns[f"throughtime-hi-{level}"], rows[:, Q - 1 - lower])
    np.testing.assert_array_equal(columns["throughtime"], rows[:, MEDIAN])


@pytest.mark.parametrize("level", [5, 50, 68.27, 85, 99, 99.99])
def test_between_and_beyond_the_grid_a_normal_distribution_is_exact(level):
    normal = NormalDist(7.0, 3.0)
    columns = interval_columns(np.array([[normal.inv_cdf(q) for q in QUANTILES]]), [level])
    bounds = [columns[f"throughtime-{side}-{level:g}"][0] for side in ("lo", "hi")]
    np.testing.assert_allclose(
        bounds, [normal.inv_cdf(0.5 - level / 200), normal.inv_cdf(0.5 + level / 200)], rtol=1e-8
    )


@pytest.mark.parametrize("level", [0, 100, 150, -80, float("nan")])
def test_impossible_levels_are_refused(level):
    message = f"level {level:g} is impossible: expected a coverage between 0 and 100 per cent, such as 80"
    with pytest.raises(InputError, match=message) as raised:
        interval_columns(np.zeros((1, Q)), [80, level])
    assert (raised.value.code, raised.value.expected) == ("impossible-level", (0, 100))
    np.testing.assert_equal(raised.value.found, level)


@given(quantile_rows, st.floats(1.0, 3.0))
def test_stretching_keeps_median_and_order(rows, factor):
    wide = stretched(rows, (factor,) * Q)
    np.testing.assert_array_equal(wide[:, MEDIAN], rows[:, MEDIAN])
    assert (np.diff(wide, axis=1) >= 0).all()
    np.testing.assert_allclose(wide[:, -1] - wide[:, 0], factor * (rows[:, -1] - rows[:, 0]), rtol=1e-9, atol=1e-6)
    np.testing.assert_allclose(stretched(rows, (1.0,) * Q), rows, rtol=1e-12, atol=1e-9)


def test_each_quantile_is_stretched_by_its_own_factor():
    """An inner quantile that would pass an outer one changes places with it."""
    rows = np.cumsum(np.random.default_rng(1).uniform(1.0, 2.0, (2, 3, Q)), axis=-1)
    factors = [1.0] * Q
    factors[0], factors[-1], factors[-2] = 3.0, 1.25, 1.5
    median = rows[..., [MEDIAN]]
    expected = np.array(rows)
    expected[..., [0, -1, -2]] = median + np.array([3.0, 1.25, 1.5]) * (rows[..., [0, -1, -2]] - median)
    assert (expected[..., -2] > expected[..., -1]).any()
    np.testing.assert_allclose(stretched(rows, factors), np.sort(expected), rtol=1e-12)
