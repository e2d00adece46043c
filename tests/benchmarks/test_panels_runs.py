"""The panels' processes, results and peers, with models that take no time."""

import importlib
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import jax
import numpy as np
import pandas as pd
import polars as pl
import pytest

from throughtime.data.panel import Panel
from throughtime.forecasting.config import ForecasterConfig
from throughtime.forecasting.fitted import Fitted
from throughtime.forecasting.forecasts import forecast_quantiles
from throughtime.forecasting.intervals import MEDIAN, QUANTILES
from throughtime.forecasting.network import ForecastNetwork
from throughtime.forecasting.plan import Calibration, make_plan

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
LAST_VALUE = """
import panel_task
import pandas as pd

asked = panel_task.asked()
print("on the way")
if asked.model == "broken":
    raise SystemExit("no such model")
history = pd.read_parquet(asked.folder / "history.parquet")
parts = []
for learned, served in panel_task.folds(history, asked.task):
    last = served.groupby("unique_id").tail(1)
    for step in range(1, asked.task.horizon + 1):
        point = last.y + asked.seed + (0 if asked.steps is None else asked.steps)
        parts.append(last.assign(cutoff=last.ds, ds=last.ds + step, point=point).drop(columns="y"))
told = {"versions": {"pandas": pd.__version__}, "reads": 1, "steps": None, "decided": ["the last value"]}
panel_task.write(asked.folder, pd.concat(parts), told)
"""


@pytest.fixture(scope="module", autouse=True)
def on_path():
    folders = [str(BENCHMARKS), str(BENCHMARKS / "peers")]
    sys.path[:0] = folders
    yield
    for folder in folders:
        sys.path.remove(folder)


@pytest.fixture(scope="module")
def runs(on_path):
    return importlib.import_module("panels.runs")


@pytest.fixture(scope="module")
def sets(on_path):
    return importlib.import_module("panels.sets")


@pytest.fixture(scope="module")
def given(sets):
    """Three series that go on for two steps."""
    values = {"a": [1.0, 2, 4, 5, 6, 7], "b": [3.0, 5, 4, 2, 8], "c": [9.0, 1, 9, 1, 9, 1, 9]}
    frame = pl.concat(pl.DataFrame({"unique_id": n, "ds": range(len(y)), "y": y}) for n, y in values.items())
    history, truth = sets.last_horizon(frame, 2)
    return sets.Set("m4_weekly", history, truth, 2, 3, 1, "m4")


@pytest.fixture(scope="module")
def records(runs, given, tmp_path_factory):
    """One cell that goes well, and one whose process fails."""
    script = tmp_path_factory.mktemp("peer") / "last_value.py"
    script.write_text(f"import sys; sys.path.insert(0, {str(BENCHMARKS / 'peers')!r})\n{LAST_VALUE}")
    with pytest.MonkeyPatch.context() as patch:
        # By names that the page knows; a script's path that is absolute stays as it is.
        for name, model in (("lstm", "last"), ("gru", "broken")):
            patch.setitem(runs.MODELS, name, runs.Model(model, str(script), model, random=name == "lstm"))
        return [
            runs.run(given, name, seed=seed, peers_python=sys.executable, steps=None)
            for name, seed in (("lstm", 0), ("gru", 3))
        ]


def test_a_model_is_given_the_history_and_not_the_truth(runs, given, tmp_path):
    runs.write_task(given._replace(folds=2), tmp_path)
    history = pl.read_parquet(tmp_path / "history.parquet")
    assert history.drop("fold").equals(given.history)
    assert history.group_by("fold").agg(pl.col("unique_id").n_unique()).sort("fold").rows() == [(0, 2), (1, 1)]
    task = json.loads((tmp_path / "task.json").read_text())
    assert (task["horizon"], task["season"], task["folds"], task["levels"]) == (2, 3, 2, [80, 95])
    assert sorted(file.name for file in tmp_path.iterdir()) == ["history.parquet", "task.json"]


def test_a_cell_is_scored_and_measured(records):
    record = records[0]
    assert (record["set"], record["model"], record["seed"]) == ("m4_weekly", "lstm", 0)
    assert record["scores"]["OWA"] == pytest.approx(1)  # of three seasons or fewer, Naive2 is the last value
    assert record["seconds"] > 0.1
    assert 30 < record["peak_mib"] < 2000
    assert record["decided"] == ["the last value"]


def test_a_preset_forecasts_as_it_is(runs, sets):
    steps = np.arange(40)  # enough to train on
    frame = pl.concat(pl.DataFrame({"unique_id": n, "ds": steps, "y": np.sin(steps) + len(n)}) for n in ("a", "bb"))
    given = sets.Set("m4_weekly", *sets.last_horizon(frame, 2), 2, 3, 1, "m4")
    record = runs.run(given, "instant", seed=0, peers_python=sys.executable, steps=1)
    assert np.isfinite(record["scores"]["OWA"])
    assert (record["steps"], record["reads"]) == (0, None)


def test_a_process_that_fails_says_so(records):
    assert records[1]["failure"] == "exit code 1: on the way\nno such model"
    assert "scores" not in records[1]


def test_a_fold_is_forecast_from_the_others(on_path):
    panel_task = importlib.import_module("panel_task")
    history = pd.DataFrame({"unique_id": list("aabc"), "fold": [1, 1, 0, 2], "ds": [0, 1, 0, 0], "y": [1.0, 2, 3, 4]})
    task = panel_task.Task(1, 1, [80], 0, 0, folds=3)
    parts = [(list(learned.y), list(served.y)) for learned, served in panel_task.folds(history, task)]
    assert parts == [([1, 2, 4], [3]), ([3, 4], [1, 2]), ([1, 2, 3], [4])]
    [(learned, served)] = panel_task.folds(history, task._replace(folds=1))
    assert list(learned.y) == list(served.y) == [1, 2, 3, 4]


def test_gaps_are_filled_by_the_same_day_of_the_series(on_path):
    panel_task = importlib.import_module("panel_task")
    y = [1, 5, None, None, 3, 6, 4, 7, 50, 60, None]
    frame = pd.DataFrame({"unique_id": ["a"] * 8 + ["b"] * 3, "ds": [*range(8), *range(3)], "y": y})
    assert list(panel_task.filled(frame, 2)) == [1, 5, 3, 6, 3, 6, 4, 7, 50, 60, 50]


def test_cells_are_replaced_and_added_to(records, given, tmp_path):
    results = importlib.import_module("panels.results")
    file = tmp_path / "results" / "x.json"
    good, failed = records
    results.write(file, given, good, "first")
    results.write(file, given, good | {"seed": 5, "seconds": 9.0}, "first")
    results.write(file, given, good | {"seconds": 3.0}, "second")
    results.write(file, given, failed, "second")
    found = json.loads(file.read_text())
    assert [(cell["model"], cell["seed"], cell["seconds"]) for cell in found["cells"]] == [
        ("lstm", 0, 3.0),
        ("lstm", 5, 9.0),
        ("gru", 3, failed["seconds"]),
    ]
    assert found["commands"] == ["first", "second"]
    page = file.with_suffix(".md").read_text().splitlines()
    table = [line for line in page if line.startswith("|")]
    assert len({line.count("|") for line in table}) == 1
    named = dict(zip(*(line.split(" | ") for line in (table[0], table[2])), strict=True))
    assert named["OWA"] == "1.000 (1.000 to 1.000)"
    assert named["s"] == "6 (3 to 9)"
    assert any("seed 3, FAILED after" in line and line.endswith("no such model") for line in page)
    naive = found["naive2"]["m4_weekly"]
    assert f"Naive2: sMAPE {naive['sMAPE']:.3f}, MASE {naive['MASE']:.3f}." in page


def test_many_windows_at_once_are_forecast_as_one_by_one(on_path, monkeypatch):
    """A window as long as the network's reach gives what the whole history before it gives."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("throughtime.configure", lambda: None)  # the tests have their own settings
        peer = importlib.import_module("throughtime_panel")
    panel_task = importlib.import_module("panel_task")
    monkeypatch.setattr(peer, "CUTOFFS_AT_ONCE", 3)
    steps = np.arange(70)
    series = {"a": np.sin(steps / 2) + steps / 20, "b": 5 * np.cos(steps)}
    frame = pd.concat(pd.DataFrame({"unique_id": name, "ds": steps, "y": y}) for name, y in series.items())
    panel = Panel.from_frame(frame)
    config = ForecasterConfig(horizon=3, season=4, cell="elman", hidden=5, steps=1)
    plan = make_plan(config, panel.values, np.full(2, 50))
    network = ForecastNetwork(plan.design, key=jax.random.key(1))  # as good as a trained one for this
    calibration = Calibration(1, (1.5,) * len(QUANTILES))
    fitted = Fitted(panel, plan, calibration, (network,), np.empty(0), [])
    model = SimpleNamespace(plan_=plan, fitted_=fitted, panel_=panel)
    task = panel_task.Task(3, 4, [80, 95], train=50, validation=9, folds=1)
    found = pd.concat(peer.rolling(model, frame, task))
    assert len(found) == 2 * 9 * 3
    assert (found.cutoff.min(), found.cutoff.max()) == (58, 66)
    for cutoff in (59, 64, 67):
        quantiles = forecast_quantiles(fitted, panel, np.full(2, cutoff))
        rows = found[found.cutoff == cutoff - 1].sort_values(["unique_id", "ds"])
        assert list(rows.ds) == 2 * [cutoff, cutoff + 1, cutoff + 2]
        np.testing.assert_allclose(rows["point"], quantiles[:, :, MEDIAN].ravel(), rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(rows["point-hi-95"], quantiles[:, :, -1].ravel(), rtol=1e-5, atol=1e-5)
