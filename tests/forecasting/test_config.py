"""The decisions of a forecaster: sizes for usual and for odd panels, and arguments that are refused."""

import inspect

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from throughtime._errors import InputError
from throughtime.forecasting.config import PRESETS, ForecasterConfig, require_horizon
from throughtime.forecasting.intervals import QUANTILES
from throughtime.forecasting.plan import MOST_PATCHES, Calibration, make_plan


def plan_for(lengths, horizon, season, values=None, **arguments):
    lengths = np.array(lengths)
    values = np.ones(int(lengths.sum())) if values is None else values
    return make_plan(ForecasterConfig(horizon=horizon, season=season, **arguments), values, lengths)


@pytest.mark.parametrize(
    ("lengths", "horizon", "season", "patch", "length", "seasons", "reach"),
    [
        pytest.param([700] * 3, 48, 24, 24, 336, (24, 168), 336, id="hourly"),
        pytest.param([400], 48, 24, 24, 336, (24, 168), 336, id="hourly, two weeks and two days"),
        pytest.param([330], 200, 24, 24, 192, (24, 168), 192, id="hourly, the horizon takes some of it"),
        pytest.param([120], 24, 24, 24, 72, (24,), 120, id="hourly, less than a week"),
        pytest.param([144], 12, 12, 12, 36, (12,), 72, id="monthly"),
        pytest.param([50, 20], 6, 1, 8, 24, (1,), 24, id="yearly"),
        pytest.param([200], 4, 52, 16, 160, (52,), 208, id="weekly, part of a season"),
        pytest.param([9000], 60, 1440, 512, 4608, (1440,), 8640, id="minutes"),
        pytest.param([30], 20, 12, 12, 12, (12,), 36, id="little more than the horizon"),
        pytest.param([8], 3, 12, 6, 6, (1,), 6, id="shorter than its season"),
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
        (400, 48, 384, (24, 168)),
        (47, 8, 40, (1,)),
        (5000, 48, 624, (24, 168)),
    ],
)
def test_a_lookback_overrides_what_seems_useful(lookback, patch, length, seasons):
    """Of 700 hours, 48 ahead: no season of which two do not fit, and no more than there is."""
    design = plan_for([700], 48, 24, lookback=lookback).design
    assert (design.patch, design.length, design.seasons) == (patch, length, seasons)


def test_a_lookback_of_one_value_shows_no_movement():
    with pytest.raises(InputError) as caught:
        ForecasterConfig(horizon=48, lookback=1)
    error = caught.value
    assert (error.code, error.found, error.expected) == ("bad-lookback", 1, 2)
    assert str(error) == "the lookback is 1: expected at least 2 values, to see a movement"


@pytest.mark.parametrize(("preset", "members", "steps"), [("fast", 1, 204), ("balanced", 4, 600), ("best", 10, 900)])
def test_presets(preset, members, steps):
    plan = plan_for([90], 6, 12, preset=preset)
    assert (plan.members, plan.steps, plan.variants) == (members, steps, preset != "fast")
    own = plan_for([90], 6, 12, preset=preset, members=3, steps=50)
    assert (own.members, own.steps, own.variants) == (3, 50, preset != "fast")


def test_an_unknown_preset_is_told_the_known_ones():
    with pytest.raises(InputError) as caught:
        ForecasterConfig(horizon=6, preset="quick")
    error = caught.value
    assert (error.code, error.found, error.expected) == ("unknown-preset", "quick", tuple(PRESETS))
    assert str(error) == "unknown preset 'quick': expected one of instant, fast, balanced, best"


@pytest.mark.parametrize("name", ["cell", "head"])
def test_an_unknown_cell_or_head_is_refused(name):
    with pytest.raises(InputError, match=f"unknown {name} 'quick'"):
        ForecasterConfig(horizon=6, **{name: "quick"})


@pytest.mark.parametrize("name", ["season", "hidden", "steps", "members", "lookback"])
@pytest.mark.parametrize("size", [0, -4, True])
def test_a_size_is_a_whole_number_of_at_least_1(name, size):
    with pytest.raises(InputError) as caught:
        ForecasterConfig(horizon=6, **{name: size})
    error = caught.value
    assert (error.code, error.found, error.expected) == (f"bad-{name}", size, "a whole number of at least 1")
    assert str(error) == f"the {name} is {size}: expected a whole number of at least 1"


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
    assert (plan.design.hidden, plan.steps, plan.batch) == (units, steps, batch)


def test_before_held_out_windows_are_judged_nothing_is_left_out():
    """No quantile is stretched, and the network has all its parts."""
    plan = plan_for([50, 40], 5, 4)
    assert Calibration(plan.steps).stretch == (1.0,) * len(QUANTILES)
    assert (plan.design.blocks, plan.skip, plan.design.quantiles) == (2, True, QUANTILES)


def test_arguments_override_the_rules():
    plan = plan_for([9], 2, 3, cell="lstm", hidden=7, steps=11, members=5)
    assert (plan.design.cell, plan.design.hidden, plan.design.horizon) == ("lstm", 7, 2)
    assert (plan.steps, plan.members) == (11, 5)


@pytest.mark.parametrize(("asked", "usual", "seasons"), [(None, 4, (4,)), (3, 4, (3,)), (1, 4, (1,)), (None, 1, (1,))])
def test_the_usual_season_stands_in_for_one_that_was_not_asked_for(asked, usual, seasons):
    config = ForecasterConfig(horizon=2, season=asked)
    assert make_plan(config, np.ones(9), np.array([9]), usual_season=usual).design.seasons == seasons


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
    with pytest.raises(InputError) as caught:
        check_horizon(horizon, 50)
    assert caught.value.code == "bad-horizon"
    assert caught.value.found is horizon


@pytest.mark.parametrize(("longest", "most"), [(5, 100), (34, 102), (1000, 3000)])
def test_a_horizon_beyond_the_limit_is_refused(longest, most):
    check_horizon(most, longest)
    with pytest.raises(InputError) as caught:
        check_horizon(most + 1, longest)
    error = caught.value
    assert (error.code, error.found, error.expected) == ("long-horizon", most + 1, most)
    assert f"the longest series has {longest}: expected at most {most}" in str(error)
    assert (f"{most}, 3 times as far" in str(error)) == (most == 3 * longest)


@pytest.mark.parametrize(
    ("series", "log", "positive"),
    [
        ([[3.0, 1.0], [2.0, 5.0, 4.0]], True, True),
        ([[3.0, 1.0], [2.0, 0.0], [1.0]], True, True),
        ([[3.0], [2.0, 5.0], [-1.0, 3.0, 1.0]], True, False),
        ([[0.0], [2.0, 5.0], [-1.0, 3.0, 1.0]], False, False),
        ([[], [0.0, 5.0], [], [7.0], []], False, True),
        ([[], []], False, False),
    ],
)
def test_logarithms_if_half_of_the_values_are_in_series_that_have_them(series, log, positive):
    values, counts = np.concatenate([np.array(each) for each in series]), np.array([len(each) for each in series])
    plan = make_plan(ForecasterConfig(horizon=2), values, np.maximum(counts, 9), counts=counts)
    assert (plan.log, plan.positive) == (log, positive)
