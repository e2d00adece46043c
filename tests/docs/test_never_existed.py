"""Lesson 12: what it shows is what the pretrained network reads and answers, whatever its weights are."""

import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from tests.docs.lessons import LESSONS, imported

import throughtime as tt
from throughtime import zero_shot
from throughtime.forecasting import named_baselines
from throughtime.pretraining import FAMILIES, network_with

NILE = Path(__file__).parents[2] / "examples" / "nile.csv"
HORIZON = 11  # two patches of 8


@pytest.fixture(scope="module")
def lesson() -> ModuleType:
    return imported("never_existed")


@pytest.fixture(scope="module")
def case(lesson):
    return lesson.make_case(NILE, HORIZON)


@pytest.fixture(scope="module")
def weights() -> zero_shot.Weights:
    """Others than the shipped ones, so that no patch is like another."""
    rng = np.random.default_rng(5)
    shipped = zero_shot.shipped_weights()[0]
    return {name: array + 0.1 * rng.standard_normal(array.shape, np.float32) for name, array in shipped.items()}


@pytest.fixture(scope="module")
def network(weights):
    return network_with(weights)


@pytest.fixture(scope="module")
def look(lesson, network, case):
    return lesson.look_at(network, case)


def test_each_family_is_drawn(lesson):
    drawn = lesson.drawn_families(seed=1, steps=60)
    assert list(drawn) == list(FAMILIES)
    assert {series.shape for series in drawn.values()} == {(32, 60)}
    assert len({series.tobytes() for series in drawn.values()}) == len(FAMILIES)
    titles = [axes.get_title(loc="left").partition(",")[0] for axes in lesson.families_picture(drawn).axes]
    assert sorted(titles) == sorted(FAMILIES)


def test_the_mixture_is_that_of_the_forecast(lesson, weights, look, case):
    """Without the network's correction, the median is the mixture of the simple forecasts."""
    assert (look.shape, look.weights.shape) == ("short", (4, len(zero_shot.BASES)))
    np.testing.assert_allclose(look.weights.sum(-1), 1, rtol=1e-5)
    np.testing.assert_allclose(lesson.of_steps(look, HORIZON), look.weights[:2].mean(0))
    simple = look.in_units(HORIZON)
    np.testing.assert_allclose(simple[0], case.history[-1], rtol=1e-6)  # the last value
    silent = {name: array * ("head.quantiles" not in name) for name, array in weights.items()}
    middle = zero_shot.forecast(silent, look.shape, look.inputs)[0, :HORIZON, zero_shot.MIDDLE]
    by_step = look.weights.repeat(8, axis=0)[:HORIZON]
    mixed = (by_step.T * look.inputs.bases[0, :, :HORIZON]).sum(0)
    np.testing.assert_allclose(middle, mixed, rtol=1e-4, atol=1e-4)


def test_the_picture_shows_what_the_pretrained_network_says(lesson, look, case):
    quantiles = lesson.ahead(case)
    said = zero_shot.forecast(zero_shot.shipped_weights()[0], look.shape, look.inputs)[0, :HORIZON]
    said = said * look.inputs.scale[0] + look.inputs.center[0]
    np.testing.assert_allclose(quantiles[:, zero_shot.MIDDLE], said[:, zero_shot.MIDDLE], rtol=1e-4)
    np.testing.assert_allclose(quantiles[0], said[0], rtol=1e-4)  # later ones are wider
    (axes,) = lesson.mixture_picture(look, case, quantiles).axes
    assert len(axes.lines) == len(zero_shot.BASES) + 2 + lesson.SHOWN + 2


def test_each_block_is_measured_on_its_own_inputs(lesson, network, look):
    flows = lesson.block_flows(network, look)
    assert list(flows) == [f"block {number}" for number in range(1, 5)]
    for flow in flows.values():
        assert flow.steps == 128 // 8 + 32 // 8
        assert flow.memory[0] == pytest.approx(1)
        assert np.isfinite(flow.memory).all()
        assert all(0 < np.mean(flow.gates[gate]) < 1 for gate in ("r", "z"))
    turned = look._replace(inputs=look.inputs._replace(context=look.inputs.context[:, ::-1]))
    for flow, other in zip(flows.values(), lesson.block_flows(network, turned).values(), strict=True):
        assert np.abs(flow.memory / other.memory - 1).max() > 0.01
    assert len(lesson.blocks_picture(flows, flows).axes) == 8


def test_the_backtest_is_beside_seasonal_naive(lesson, case, capsys):
    rows = lesson.backtest(case)
    assert len(rows) == lesson.WINDOWS * HORIZON
    cutoff = len(case.panel.series(0)) - lesson.WINDOWS * HORIZON
    naive = named_baselines(["seasonal_naive"])["seasonal_naive"](case.panel.series(0)[:cutoff], 1, HORIZON)
    np.testing.assert_allclose(rows["seasonal_naive"][:HORIZON], naive[:, tt.forecasting.MEDIAN])
    lesson.say_scores(rows, "flow")
    ratio = (rows["y"] - rows["throughtime"]).abs().mean() / (rows["y"] - rows["seasonal_naive"]).abs().mean()
    assert f"a ratio of {ratio:.2f}" in capsys.readouterr().out
    assert lesson.backtest_picture(rows, case).axes[0].get_ylabel() == "flow"


@pytest.mark.slow
def test_it_runs_and_draws(tmp_path):
    plain = {name: value for name, value in os.environ.items() if name != "XLA_FLAGS"}
    command = [sys.executable, str(LESSONS / "never_existed.py"), "--pictures", str(tmp_path)]
    finished = subprocess.run(command, capture_output=True, text=True, check=False, env=plain)
    assert finished.returncode == 0, finished.stderr
    for words in ("The mixture of simple forecasts", "untrained", "celsius: mean absolute error"):
        assert words in finished.stdout
    assert {path.name for path in tmp_path.iterdir()} == {
        f"{name}.png" for name in ("families", "mixture", "blocks", "windows")
    }
