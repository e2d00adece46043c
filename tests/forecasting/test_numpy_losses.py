"""Losses in NumPy: by hand, and against their twins in JAX and in utilsforecast."""

import jax.numpy as jnp
import numpy as np
import polars as pl
import pytest
from utilsforecast import losses

from throughtime.data.frequency import Frequency
from throughtime.data.panel import Panel
from throughtime.forecasting.intervals import QUANTILES
from throughtime.forecasting.numpy_losses import loss_scale, mean_by_series, pinball_loss, seasonal_naive_errors
from throughtime.training.losses import pinball

HISTORIES = {"b": [1.0, 2.0, 4.0, 9.0, 5.0], "a": [3.0, 5.0, np.nan, 8.0, 4.0, 7.5], "short": [7.0], "flat": [2.0] * 5}
CUTOFFS = np.array([4, 6, 1, 4])  # the last value of b is not known


@pytest.fixture(scope="module")
def panel():
    lengths = [len(values) for values in HISTORIES.values()]
    offsets, values = np.append(0, np.cumsum(lengths)), np.concatenate(list(HISTORIES.values()))
    return Panel(np.array(list(HISTORIES)), values, offsets, np.zeros(4, int), Frequency("integer", stamp="int64"))


def test_the_pinball_loss_is_the_mean_of_its_twin_in_jax(x64):
    """The networks are trained with the one and judged by the other."""
    rng = np.random.default_rng(0)
    quantiles, truth = rng.normal(size=(4, 3, len(QUANTILES))), rng.normal(size=(4, 3))
    twin = pinball(jnp.asarray(quantiles), jnp.asarray(truth), jnp.asarray(QUANTILES)).mean(axis=-1)
    np.testing.assert_allclose(pinball_loss(quantiles, truth), twin, rtol=1e-12)
    truth[1, 2] = np.nan
    assert np.isnan(pinball_loss(quantiles, truth)).sum() == 1


def test_means_by_series():
    values, series = np.array([1.0, 5.0, 2.0, 9.0]), np.array([2, 0, 2, 0])
    np.testing.assert_array_equal(mean_by_series(values, series, 4), [7.0, np.nan, 1.5, np.nan])


def test_the_errors_of_seasonal_naive_by_hand(panel):
    """Two steps ahead: b 3, 7; of a 3 (8 less 5), and -0.5; the values beside the gap have no partner."""
    errors, series = seasonal_naive_errors(panel, CUTOFFS, 2)
    np.testing.assert_array_equal(errors, [3.0, 7.0, 3.0, -0.5, 0.0, 0.0])
    np.testing.assert_array_equal(series, [0, 0, 1, 1, 3, 3])


@pytest.mark.parametrize("season", [1, 2, 3])
def test_the_scale_is_that_of_utilsforecasts_mase(panel, season):
    """An absolute error of 1 over the scale, of the series that have one."""
    known = panel.steps < np.repeat(CUTOFFS, panel.lengths)
    ids = np.repeat(panel.ids, panel.lengths)[known]
    train = pl.DataFrame({"unique_id": ids, "ds": panel.steps[known], "y": panel.values[known]}).with_columns(
        pl.col("y").fill_nan(None)
    )
    ahead = pl.DataFrame({"unique_id": panel.ids, "ds": [9] * 4, "y": [0.0] * 4, "model": [1.0] * 4})
    mase = losses.mase(ahead, ["model"], season, train)
    due = {row["unique_id"]: row["model"] for row in mase.to_dicts()}
    for name, scale in zip(panel.ids, loss_scale(panel, CUTOFFS, season), strict=True):
        if np.isnan(scale):
            assert name in ("short", "flat")
        else:
            assert 1 / scale == pytest.approx(due[name])


def test_without_any_error_the_scale_is_1(panel):
    np.testing.assert_array_equal(loss_scale(panel, np.array([2, 1, 1, 5]), 2), np.ones(4))
