"""What a forecaster decides from the data: sizes for usual and for odd panels, and horizons that cannot be."""

import inspect

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from throughtime._errors import InputError
from throughtime.forecasting.config import MOST_PATCHES, make_plan, require_horizon
from throughtime.forecasting.intervals import QUANTILES


def plan_for(lengths, horizon, season, values=None, **given):
    lengths = np.array(lengths)
    values = np.ones(int(lengths.sum())) if values is None else values
    sizes = {"horizon": horizon, "season": season, "cell": "gru", "hidden": None, "steps": None}
    return make_plan(values, lengths, **sizes | given)


@pytest.mark.parametrize(
    ("lengths", "horizon", "season", "patch", "length", "seasons", "reach"),
    [
        pytest.param([700] * 3, 48, 24, 24, 336, (24, 168), 336, id="hourly"),
        pytest.param([400], 48, 24, 24, 336, (24, 168), 336, id="hourly, two weeks and two days"),
        pytest.param([400], 100, 24, 24, 312, (24, 168), 312, id="hourly, the horizon takes some of it"),
        pytest.param([120], 24, 24, 24, 72, (24,), 120, id="hourly, less than a week"),
        pytest.param([144], 12, 12, 12, 36, (12,), 72, id="monthly"),
        pytest.param([50, 20], 6, 1, 8, 24, (1,), 24, id="yearly"),
        pytest.param([200], 4, 52, 8, 160, (52,), 200, id="weekly"),
        pytest.param([9000], 60, 1440, 256, 4352, (1440,), 8640, id="minutes"),
        pytest.param([30], 20, 12, 10, 10, (12,), 30, id="little more than the horizon"),
        pytest.param([8], 3, 12, 5, 5, (1,), 6, id="shorter than its season"),
        pytest.param([2], 5, 12, 1, 1, (1,), 2, id="shorter than the horizon"),
    ],
)
def test_sizes(lengths, horizon, season, patch, length, seasons, reach):
    design = plan_for(lengths, horizon, season).design
    assert (design.patch, design.length, design.seasons, design.reach) == (patch, length, seasons, reach)


@given(st.integers(1, 3000), st.integers(1, 400), st.integers(1, 1500))
def test_a_window_is_a_moderate_number_of_whole_patches(longest, horizon, season):
    design = plan_for([longest], horizon, season).design
    assert design.length % design.patch == 0
    assert 1 <= design.length // design.patch <= MOST_PATCHES
    assert design.reach >= max(design.length, 2 * design.seasons[0], *design.seasons)
    assert all(period < longest or period == 1 for period in design.seasons)


@given(st.integers(1, 3000), st.integers(1, 400), st.sampled_from([1, 7, 12, 24, 52, 144]), st.integers(2, 2000))
def test_no_forecast_looks_further_back_than_it_may(longest, horizon, season, lookback):
    design = plan_for([longest], horizon, season, lookback=lookback).design
    assert design.reach <= lookback
    assert design.length % design.patch == 0
    assert 1 <= design.length // design.patch <= MOST_PATCHES
    assert design.length <= max(longest - horizon, 1)


@pytest.mark.parametrize(
    ("lookback", "patch", "length", "seasons"),
    [
        (96, 24, 96, (24,)),
        (100, 24, 96, (24,)),
        (400, 24, 384, (24, 168)),
        (47, 8, 40, (1,)),
        (5000, 24, 648, (24, 168)),
    ],
)
def test_a_look_back_overrides_what_seems_useful(lookback, patch, length, seasons):
    """Of 700 hours, 48 ahead: no season of which two do not fit, and no more than there is."""
    design = plan_for([700], 48, 24, lookback=lookback).design
    assert (design.patch, design.length, design.seasons) == (patch, length, seasons)


def test_a_look_back_of_one_value_shows_no_movement():
    with pytest.raises(InputError, match="the lookback is 1: expected at least 2"):
        plan_for([700], 48, 24, lookback=1)


@pytest.mark.parametrize(("preset", "members", "steps"), [("fast", 1, 204), ("balanced", 4, 600), ("best", 10, 900)])
def test_presets(preset, members, steps):
    plan = plan_for([90], 6, 12, preset=preset)
    assert (plan.members, plan.most_steps, plan.variants) == (members, steps, preset != "fast")
    own = plan_for([90], 6, 12, preset=preset, members=3, steps=50)
    assert (own.members, own.most_steps, own.variants) == (3, 50, preset != "fast")


def test_an_unknown_preset_is_told_the_known_ones():
    with pytest.raises(InputError, match="unknown preset 'quick': expected one of fast, balanced, best"):
        plan_for([90], 6, 12, preset="quick")


@pytest.mark.parametrize(
    ("observations", "units", "steps", "batch"),
    [
        (4_999, 32, 600, 64),
        (5_000, 32, 600, 128),
        (59_999, 32, 600, 128),
        (60_000, 64, 1500, 128),
        (199_999, 64, 1500, 128),
        (200_000, 64, 3000, 128),
    ],
)
def test_larger_panels_get_more(observations, units, steps, batch):
    plan = plan_for([observations], 12, 12)
    assert (plan.design.hidden, plan.most_steps, plan.steps, plan.batch) == (units, steps, steps, batch)


def test_a_plan_starts_without_a_verdict():
    """Nothing is stretched, and the network has all its parts, before held-out windows were judged."""
    plan = plan_for([50, 40], 5, 4)
    assert plan.stretch == (1.0,) * len(QUANTILES)
    assert (plan.design.blocks, plan.design.skip, plan.design.quantiles) == (2, True, QUANTILES)


def test_what_the_user_says_holds():
    given = {"horizon": 2, "season": 3, "cell": "lstm", "hidden": 7, "steps": 11, "members": 5}
    plan = make_plan(np.ones(9), np.array([9]), **given)
    assert (plan.design.cell, plan.design.hidden, plan.design.horizon) == ("lstm", 7, 2)
    assert (plan.steps, plan.most_steps, plan.members) == (11, 11, 5)


@pytest.mark.parametrize(
    ("values", "log", "positive"),
    [([1.0, 2e-9], True, True), ([0.0, 1.0], False, True), ([-1e-9, 2.0], False, False), ([], False, False)],
)
def test_logarithms_where_all_values_have_one(values, log, positive):
    plan = plan_for([9], 2, 3, np.array(values))
    assert (plan.log, plan.positive) == (log, positive)


check_horizon = inspect.unwrap(require_horizon)  # the type checker of the tests would speak before the library


@pytest.mark.parametrize("horizon", [0, -1, 1.5, True, "12", None, float("nan")])
def test_a_horizon_is_a_whole_number_of_at_least_1(horizon):
    with pytest.raises(InputError, match=f"the horizon is {horizon}: expected a whole number of steps of at least 1"):
        check_horizon(horizon, 50)


@pytest.mark.parametrize(("longest", "most"), [(5, 100), (34, 102), (1000, 3000)])
def test_a_horizon_beyond_reason(longest, most):
    check_horizon(most, longest)
    with pytest.raises(InputError, match=f"the longest series has {longest}: expected at most {most}"):
        check_horizon(most + 1, longest)
