"""The windows, scores and peers of the zero-shot benchmark, on small numbers worked out by hand."""

import gzip
import importlib
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.stats import norm

from throughtime.zero_shot import LEVELS, MIDDLE, SHAPES, Seasons, inputs_of

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
LAST_VALUE = """
import numpy as np, zero_shot_task

task = zero_shot_task.asked()
if task.model == "broken":
    raise SystemExit("no such model")
levels = np.array(task.levels)
write = [zero_shot_task.filled(history)[-1] + np.tile(levels, (task.horizon, 1)) for history in task.histories]
zero_shot_task.write(task, write)
"""


@pytest.fixture(scope="module", autouse=True)
def on_path():
    sys.path.insert(0, str(BENCHMARKS))
    yield
    sys.path.remove(str(BENCHMARKS))


@pytest.fixture(scope="module")
def modules(on_path):
    names = ("windows", "scores", "networks", "peers", "development")
    return SimpleNamespace(**{name: importlib.import_module(f"zero_shot.{name}") for name in names})


@pytest.fixture
def given(modules):
    """Two windows of three steps with a season of 2; the scales are 2 and 0."""
    histories = [np.array([1.0, 5, 3, 7, np.nan, 9]), np.array([4.0, 1, 4, 1])]
    truth = np.array([[8.0, 9, np.nan], [4.0, 1, 4]])
    return modules.windows.Windows("made", histories, truth, 2, (2, 1))


def quantiles(*medians, half):
    """Medians of each window with deciles that are ``half`` wide from the median to the outer ones."""
    distance = half * np.sign(np.arange(len(LEVELS)) - MIDDLE)
    return np.array(medians, float)[..., None] + distance


def test_errors_are_scaled_and_windows_without_a_scale_left_out(modules, given):
    found = modules.scores.score(given, quantiles([6, 10, 99], [5, 5, 5], half=0))
    assert found.mase == pytest.approx((2 + 1) / 2 / 2)
    # all deciles alike: twice the pinball loss is the mean of 2 q e over q, that is the error, above and below
    assert found.sql == pytest.approx((2 + 1) / 2 / 2)
    sharp = modules.scores.score(given, quantiles([8, 9, 99], [4, 1, 4], half=1))
    assert sharp.mase == 0
    assert sharp.sql == pytest.approx(
        2 * np.mean([q if q < 0.5 else 1 - q for q in LEVELS[2:11] if q != 0.5] + [0]) / 2
    )


def test_coverage_is_counted_by_third_without_missing_values(modules, given):
    wide = quantiles([7.5, 8.5, 0], [4, 3, 9], half=1.0)
    wide[..., 0], wide[..., -1] = -99, 99
    found = modules.scores.score(given, wide).coverage
    np.testing.assert_array_equal(found, [[1, 0.5, 0], [1, 1, 1]])
    wide[..., -1] = np.nan  # a model without this level
    found = modules.scores.score(given, wide).coverage
    assert np.isnan(found[1]).all()
    np.testing.assert_array_equal(found[0], [1, 0.5, 0])


def test_seasonal_naive_repeats_the_last_season_and_widens(modules, given):
    found = modules.scores.seasonal_naive(given)
    np.testing.assert_allclose(found[:, :, MIDDLE], [[8, 9, 8], [4, 1, 4]])  # the gap is filled by a straight line
    np.testing.assert_allclose(found[0, 0, -1], 8 + norm.ppf(0.975) * 2)
    np.testing.assert_allclose(found[0, 2, 0], 8 - norm.ppf(0.975) * 2 * np.sqrt(2))


def test_parts_of_the_network_mix_the_simple_forecasts(modules):
    drawn = np.random.default_rng(3)
    history = drawn.normal(size=50).cumsum()
    windows = modules.windows.Windows("made", [history], drawn.normal(size=(1, 7)), 4, (4, 1))
    start = modules.networks._untrained()
    weights = {name: array + 0.3 * drawn.normal(size=array.shape).astype(np.float32) for name, array in start.items()}
    parts = modules.networks.parts(weights)
    shape = SHAPES["short"]
    padded = np.r_[np.full(shape.context - len(history), np.nan), history][None]
    inputs = inputs_of(padded, Seasons(np.array([4]), np.array([1])), shape)
    simple = (inputs.center[:, :, None] + inputs.scale[:, :, None] * inputs.bases)[0, :, :7]
    medians = {name: modules.networks.forecast(part, windows)[0, :, MIDDLE] for name, part in parts.items()}
    np.testing.assert_allclose(medians["untrained: an even mixture"], simple.mean(axis=0), rtol=1e-4, atol=1e-4)
    whole = modules.networks.forecast(weights, windows)[0, :, MIDDLE]
    mixture = medians["its mixture without the residual"]
    assert (simple.min(axis=0) - 1e-4 <= mixture).all()
    assert (mixture <= simple.max(axis=0) + 1e-4).all()
    assert np.abs(whole - mixture).max() > 0.1
    assert np.abs(medians["untrained: a mixture by held-out errors"] - mixture).max() > 1e-3


def test_no_forecast_of_a_series_without_negative_values_is_negative(modules):
    histories = [np.array([9.0, 5, 3, 1, 0.5, 0.1]), np.array([9.0, 5, 3, 1, 0.5, -0.1])]
    windows = modules.windows.Windows("made", histories, np.zeros((2, 6)), 1, (1, 1))
    found = modules.networks.forecast(modules.networks._untrained(), windows)
    assert found[0].min() == 0
    assert found[1].min() < 0


def test_development_series_are_read_by_kind(modules, tmp_path):
    rows = [f"{name},{step},{100 * place + step}" for place, name in enumerate("ab") for step in (2, 0, 1, 3)]
    with gzip.open(tmp_path / "development_series.csv.gz", "wt") as file:
        file.write("\n".join(["unique_id,t,y", *rows, "b,4,"]))
    cutoffs = ["kind,unique_id,cutoff,horizon,season,seasons", "hourly,b,2,2,24,24 168", "hourly,a,1,2,24,24 168"]
    (tmp_path / "development_windows.csv").write_text("\n".join([*cutoffs, "yearly,b,3,2,1,"]))
    hourly, yearly = modules.windows.development(tmp_path)
    assert (hourly.name, hourly.season, hourly.told, hourly.horizon) == ("hourly", 24, (24, 168), 2)
    assert [list(history) for history in hourly.histories] == [[100, 101], [0]]
    assert hourly.truth.tolist() == [[102, 103], [1, 2]]
    assert (yearly.told, yearly.truth[0, 0]) == ((1, 1), 103)
    assert np.isnan(yearly.truth[0, 1])


def test_single_series_have_three_windows_one_after_the_other(modules, tmp_path):
    nile = next(windows for windows in modules.windows.single(tmp_path) if windows.name == "nile")
    assert [len(history) for history in nile.histories] == [85, 90, 95]
    np.testing.assert_array_equal(nile.truth[0], nile.histories[1][-5:])


def test_a_peer_forecasts_in_a_process_of_its_own(modules, given, tmp_path):
    script = tmp_path / "last_value.py"
    script.write_text(f"import sys; sys.path.insert(0, {str(BENCHMARKS / 'peers')!r})\n{LAST_VALUE}")
    peer = modules.peers.Peer("the last value", str(script), "last", "numpy", 4)
    answer = modules.peers.run_if_seasonal(peer, given, sys.executable)
    np.testing.assert_allclose(answer.quantiles[:, 1], np.array([[9.0], [1.0]]) + LEVELS)
    assert answer.worked > 0.01
    failed = modules.peers.run(peer._replace(name="broken"), given, sys.executable)
    assert (failed.quantiles, failed.failure) == (None, "exit code 1: no such model")
    long = modules.peers.run_if_seasonal(peer, given._replace(told=(7, 1)), sys.executable)
    assert long.quantiles is None
    assert "7" in long.failure


def test_scores_are_those_of_seasonal_naive_and_means_are_over_the_same_kinds(modules, given):
    development, answer = modules.development, modules.peers.Answer
    given = given._replace(truth=given.truth + 1)
    other = given._replace(name="other", truth=given.truth + 3)

    def naive(windows):
        return answer(modules.scores.seasonal_naive(windows), 1.5)

    def partial(windows):
        return naive(windows) if windows.name == "other" else answer(None, failure="too long")

    rows = {name: development.measure([given, other], model) for name, model in {"a": naive, "b": partial}.items()}
    assert rows["a"].worked == 3
    assert development.mean(rows["a"], ["made", "other"]) == pytest.approx((1, 1))
    assert rows["b"].failures == ["made: too long"]
    rows["a"].scores["other"] = rows["a"].scores["other"]._replace(mase=0.25)
    assert development.mean(rows["a"], ["made", "other"]) == pytest.approx((0.5, 1))
    page = development.page(rows, [given, other])
    table = [line for line in page if line.startswith(("| a |", "| b |"))]
    assert table[0].startswith("| a | 0.500 / 1.000 | 1.000 / 1.000 | 0.250 / 1.000 |")
    assert "1.000 / 1.000 on 1; first row 0.250 / 1.000" in table[1]
    assert "- b, made: too long" in page
