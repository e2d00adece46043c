"""Nothing looks past the cutoff: no value after it changes a decision, a weight or a forecast before it."""

import hypothesis.strategies as st
import jax
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis.extra.numpy import arrays
from tests.forecasting.conftest import LENGTHS, SMALL, seasonal_values

from throughtime.data.frequency import Frequency
from throughtime.data.panel import Panel
from throughtime.forecasting.config import ForecasterConfig
from throughtime.forecasting.fitting import fit_panel
from throughtime.forecasting.forecasts import forecast_quantiles
from throughtime.forecasting.held_out import MOST_WINDOWS
from throughtime.forecasting.selection import select_plan
from throughtime.forecasting.stages import no_callback
from throughtime.forecasting.zero_shot import shipped

CONFIG = ForecasterConfig(**SMALL | {"lookback": None})  # decided by the data too
SIZES = np.array(list(LENGTHS.values()))
CUTOFFS = np.array([33, 26, 2])
AFTER = np.concatenate([np.arange(size) >= cutoff for size, cutoff in zip(SIZES, CUTOFFS, strict=True)])
LATER = np.minimum(CUTOFFS + SMALL["horizon"], SIZES)  # what a second window of a backtest may see

# Missing, without a logarithm, larger than all that came before, larger than float32 holds, nearly nothing.
ODD = [np.nan, 0.0, -5.0, 3e5, -1e30, 1e300, -1e300, 1e-300]
futures = arrays(float, int(AFTER.sum()), elements=st.one_of(st.sampled_from(ODD), st.floats(-100, 100)))


def panel_of(values):
    return Panel(
        np.array(list(LENGTHS)),
        values,
        np.append(0, np.cumsum(SIZES)),
        np.zeros(len(SIZES), int),
        Frequency("month", stamp="datetime64[D]"),
    )


def with_future(values, future):
    changed = values.copy()
    changed[AFTER] = future
    return changed


@pytest.fixture(scope="module", params=["logarithms", "plain", "gaps", "one unseen", "one almost unseen"])
def values(request):
    """The history that all examples share, and the future of the first."""
    values = np.concatenate([seasonal_values(size, seed) for seed, size in enumerate(SIZES)])
    if request.param == "plain":
        values = values - 12
    if request.param == "gaps":
        values[[5, 6, 20, 45]] = np.nan
    if request.param == "one unseen":
        values[-3:] = np.nan, np.nan, 7.0  # its first observation comes after the cutoff
    if request.param == "one almost unseen":
        values[40:64] = np.nan  # too few observations before the cutoff for the network, enough after it
    return values


def results(values):
    """Return all that is made at the cutoff: forecasts, losses and weights, then the plan and its calibration."""
    panel = panel_of(values)
    fitted = fit_panel(CONFIG, panel, CUTOFFS)
    arrays = [forecast_quantiles(fitted, panel, CUTOFFS), fitted.losses, *jax.tree.leaves(fitted.networks)]
    return arrays, (fitted.plan, fitted.calibration)


@pytest.fixture(scope="module")
def expected(values):
    return results(values)


def assert_same(actual, expected):
    assert actual[1] == expected[1]
    for new, old in zip(actual[0], expected[0], strict=True):
        np.testing.assert_array_equal(new, old)


@settings(max_examples=8)
@given(future=futures)
@example(future=np.full(AFTER.sum(), np.nan))
@example(future=np.full(AFTER.sum(), 1e300))
@example(future=np.full(AFTER.sum(), -1.0))
def test_no_value_after_the_cutoff_changes_a_bit(values, expected, future):
    assert_same(results(with_future(values, future)), expected)


@pytest.fixture(scope="module")
def plan(values):
    """One with variants to choose from is enough; a learning rate that overshoots lets the number of steps matter."""
    plan = fit_panel(CONFIG, panel_of(values), CUTOFFS).plan
    return plan._replace(learning_rate=0.1, variants=not plan.log)


def selected(values, plan):
    return select_plan(panel_of(values), CUTOFFS, plan, zero_shot=shipped(), callback=no_callback, seed=0)


@pytest.fixture(scope="module")
def expected_plan(values, plan):
    return selected(values, plan)


@settings(max_examples=2)
@given(future=futures)
@example(future=np.full(AFTER.sum(), 1e300))
def test_no_value_after_the_cutoff_changes_what_held_out_runs_select(values, plan, expected_plan, future):
    """The network, the step to stop at and the stretch of the intervals come from the history alone."""
    assert selected(with_future(values, future), plan) == expected_plan


def test_the_held_out_run_does_not_train_on_what_it_holds_out(values, plan):
    steps = np.concatenate([np.arange(size) for size in SIZES])
    held_out = steps >= np.repeat(np.maximum(CUTOFFS - MOST_WINDOWS * SMALL["horizon"], 0), SIZES)

    def weights(values):
        """By stage and step: what is held out may decide when a run ends, but not how it goes."""
        seen = {}

        def keep(stage, progress):
            seen[stage, int(progress.state.step)] = jax.tree.leaves(progress.state.model)

        select_plan(panel_of(values), CUTOFFS, plan, zero_shot=shipped(), callback=keep, seed=0)
        return seen

    actual, expected = weights(np.where(held_out, values + 5, values)), weights(values)
    common = actual.keys() & expected.keys()
    assert {stage for stage, _ in common} == {stage for stage, _ in expected}
    for place in common:
        for new, old in zip(actual[place], expected[place], strict=True):
            np.testing.assert_array_equal(new, old)


def test_a_later_window_of_a_backtest_sees_up_to_its_own_cutoff(values):
    """Values between two cutoffs change the later window's forecasts, values after both do not."""
    panel = panel_of(values)
    fitted = fit_panel(CONFIG, panel, CUTOFFS)
    steps = np.concatenate([np.arange(size) for size in SIZES])
    beyond, between = steps >= np.repeat(LATER, SIZES), steps == np.repeat(LATER - 1, SIZES)

    def quantiles(values):
        return forecast_quantiles(fitted, panel_of(values), LATER)[:2]

    expected = quantiles(values)
    np.testing.assert_array_equal(quantiles(np.where(beyond, -1e6, values)), expected)
    assert (quantiles(np.where(between, values + 1.0, values)) != expected).all(axis=(1, 2)).all()
