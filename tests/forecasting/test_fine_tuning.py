"""Fine-tuning of the pretrained network: what it learns, what it may see, and how a forecaster keeps it."""

from functools import cache

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from tests.forecasting.conftest import monthly_frame

import throughtime as tt
from throughtime.data import Panel
from throughtime.data.frequency import Frequency
from throughtime.forecasting import fine_tuning, trained
from throughtime.forecasting.config import ForecasterConfig
from throughtime.forecasting.fine_tuning import tuned
from throughtime.forecasting.fitted import Selected
from throughtime.forecasting.fitting import decide
from throughtime.forecasting.held_out import hold_out
from throughtime.forecasting.numpy_losses import pinball_loss
from throughtime.forecasting.plan import Calibration
from throughtime.forecasting.selection import pretrained_forecasts
from throughtime.forecasting.zero_shot import ZeroShot, zero_shot_quantiles
from throughtime.pretraining import MixtureNetwork
from throughtime.training import named_leaves
from throughtime.zero_shot import SHAPES, Seasons, inputs_of, inputs_of_histories, shape_names

F, STEPS, SEED = 5, 60, 3
CUTOFFS = np.array([90, 71, 64, 4])


@cache
def small():
    """An untrained network of few units; it starts from a mixture of the simple forecasts."""
    leaves = named_leaves(MixtureNetwork(hidden=6, blocks=1, key=1), "n")
    return ZeroShot({name.removeprefix("n."): np.asarray(leaf) for name, leaf in leaves.items()}, {"seed": 1})


@pytest.fixture(scope="module", autouse=True)
def few():
    """Few windows."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fine_tuning, "POOL", 40)
        patch.setattr(fine_tuning, "BATCH", 8)
        patch.setattr(fine_tuning, "PEAK", 0.01)
        fine_tuning._recipe.cache_clear()  # it holds the rate
        yield
    fine_tuning._recipe.cache_clear()


def patterned(length, phase):
    """A season that the network is not told: each value is the one before the last, upside down."""
    return 20 + phase + (4 + phase) * np.tile([1.0, 0.5, -1.0, -0.5], length)[phase : phase + length]


def panel_of(*series):
    lengths = [len(values) for values in series]
    offsets = np.append(0, np.cumsum(lengths))
    axis = Frequency("integer", stamp="int64")
    return Panel(np.arange(len(lengths)), np.concatenate(series), offsets, np.zeros(len(lengths), int), axis)


@pytest.fixture(scope="module")
def panel():
    """Series that go on after the cutoffs; one has no room for a window, and one has a gap."""
    series = [patterned(cutoff + 2 * F, phase) for phase, cutoff in enumerate(CUTOFFS)]
    series[1][30:33] = np.nan
    return panel_of(*series)


@pytest.fixture(scope="module")
def plan(panel):
    config = ForecasterConfig(horizon=F, preset="best")
    return decide(config, panel, CUTOFFS)._replace(tuning=STEPS)


def tune(panel, plan, seed=SEED, callback=lambda progress: None):
    return tuned(panel, CUTOFFS, small(), plan, callback=callback, seed=seed)


@pytest.fixture(scope="module")
def network(panel, plan):
    return tune(panel, plan)


def assert_same(found, expected):
    assert sorted(found.weights) == sorted(expected.weights)
    for name, array in found.weights.items():
        np.testing.assert_array_equal(array, expected.weights[name], err_msg=name)


def test_a_pattern_is_learned(panel, plan, network):
    rows = np.arange(3)
    before, after = (
        pinball_loss(zero_shot_quantiles(of, panel, rows, CUTOFFS[:3], plan), panel.after(rows, CUTOFFS[:3], F)).mean()
        for of in (small(), network)
    )
    assert after < 0.5 * before
    assert network.card == {"seed": 1, "tuning_steps": STEPS, "tuning_seed": SEED}


def test_the_same_seed_makes_the_same_weights_whatever_comes_after_the_cutoffs(panel, plan, network):
    after = panel.steps >= np.repeat(CUTOFFS, panel.lengths)
    later = np.where(after, np.resize([np.nan, 1e300, -7.0, 0.0], len(after)), panel.values)
    assert_same(tune(panel_of(*np.split(later, panel.offsets[1:-1])), plan), network)
    other = tune(panel, plan, seed=SEED + 1)
    assert not np.array_equal(other.weights["norm.weight"], network.weights["norm.weight"])
    seen = np.where(panel.steps == CUTOFFS[2] - F, panel.values + 1, panel.values)
    other = tune(panel_of(*np.split(seen, panel.offsets[1:-1])), plan)
    assert not np.array_equal(other.weights["norm.weight"], network.weights["norm.weight"])


def test_layers_of_other_shapes_stay(network):
    """All others change, and have the digits of files."""
    for name, array in network.weights.items():
        before = small().weights[name]
        if name.startswith("ports.long"):
            np.testing.assert_array_equal(array, before, err_msg=name)
        else:
            assert not np.array_equal(array, before), name
            np.testing.assert_array_equal(array, array.astype(np.float16), err_msg=name)


def test_the_callback_hears_of_the_steps_and_ends_them(panel, plan):
    heard = []

    def stop(progress):
        heard.append((progress.step, progress.steps))
        return progress.step == 9

    assert tune(panel, plan, callback=stop).card["tuning_steps"] == 9
    assert heard == [(3, STEPS), (6, STEPS), (9, STEPS)]


@pytest.mark.parametrize("values", [np.arange(9.0), np.r_[np.ones(7), np.full(30, np.nan)], np.full(40, np.nan)])
def test_without_a_window_the_network_stays(plan, values):
    """Too short, or nothing known after the least history."""
    panel = panel_of(values)
    network = small()
    assert tuned(panel, panel.lengths, network, plan, callback=pytest.fail, seed=0) is network


def test_horizons_in_coarse_steps_are_not_tuned():
    far = SHAPES["long"].horizon
    panel = panel_of(np.arange(1000.0))
    found = [
        decide(ForecasterConfig(horizon=horizon, preset=preset), panel, panel.lengths).tuning
        for horizon, preset in ((far, "best"), (far + 1, "best"), (far, "balanced"), (far, "fast"))
    ]
    assert found == [200, 0, 0, 0]


def test_the_inputs_are_those_of_each_history_alone():
    """In their places, in the data's own units, whatever their length."""
    draw = np.random.default_rng(0)
    series = [draw.normal(50, 9, length) * size for length, size in ((40, 1e-3), (700, 1.0), (130, 1e6), (12, 1.0))]
    series[2][:5] = np.nan
    assert shape_names(np.array([12, 144, 145]), 32).tolist() == ["short", "short", "long"]
    assert shape_names(np.array([12]), 33).tolist() == ["long"]
    found = inputs_of_histories("short", series, (1, 1))
    for row, history in enumerate(series):
        padded = np.r_[np.full(max(128 - len(history), 0), np.nan), history]
        alone = inputs_of(padded[None], Seasons(np.array([1]), np.array([1])), SHAPES["short"])
        for name, array in alone._asdict().items():
            np.testing.assert_allclose(getattr(found, name)[row], array[0], rtol=1e-5, atol=1e-5, err_msg=name)


# In a forecaster


@pytest.fixture
def selected(monkeypatch):
    """A choice that the held-out ends are made to have: the tuned network alone."""

    def select(panel, cutoffs, plan, **_):
        return Selected(plan, Calibration(40, zero_shot=1.0, tuning=plan.tuning))

    monkeypatch.setattr(trained, "select_plan", select)
    for module in ("zero_shot", "consistency"):
        monkeypatch.setattr(f"throughtime.forecasting.{module}.shipped", small)


def test_a_forecaster_keeps_the_tuned_network(selected, tmp_path):
    """Of all values; saved and loaded it forecasts the same."""
    frame, stages = monthly_frame(), []
    model = tt.Forecaster(F, season=12, preset="best").fit(frame, callback=lambda stage, _: stages.append(stage))
    assert stages == ["fine-tuning"] * 20
    panel = model.panel_
    expected = tuned(panel, panel.lengths, small(), model.plan_, callback=lambda _: None, seed=0)
    assert_same(model.fitted_.zero_shot, expected)
    assert not np.array_equal(expected.weights["norm.weight"], small().weights["norm.weight"])
    model.save(tmp_path)
    loaded = tt.Forecaster.load(tmp_path)
    assert loaded.calibration_ == model.calibration_
    assert loaded.plan_.tuning == 200
    assert loaded.fitted_.zero_shot.card == {"seed": 1, "tuning_steps": 200, "tuning_seed": 0}
    forecasts = [of.predict(level=[80]).with_columns(pl.col("ds").cast(pl.Date)) for of in (model, loaded)]
    assert_frame_equal(*forecasts)


def test_the_held_out_ends_judge_it(panel, plan):
    """Tuned on the values before them; its forecasts of them are those of the network that results."""
    held = hold_out(panel, panel.lengths, plan, needed=8)
    stages = []
    found = pretrained_forecasts(held, small(), plan, callback=lambda stage, _: stages.append(stage), seed=SEED)
    before = tuned(panel, held.cutoffs[0], small(), plan, callback=lambda _: None, seed=SEED)
    rows, cutoffs = held.judged
    for steps, network in ((0, small()), (STEPS, before)):
        np.testing.assert_array_equal(found[steps], zero_shot_quantiles(network, panel, rows, cutoffs, plan))
    assert list(found) == [0, STEPS]
    assert set(stages) == {"held out: fine-tuning"}
    untuned = plan._replace(tuning=0)
    assert list(pretrained_forecasts(held, small(), untuned, callback=pytest.fail, seed=SEED)) == [0]
    assert pretrained_forecasts(held, None, plan, callback=pytest.fail, seed=SEED) == {}
