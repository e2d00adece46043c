"""A search is the same interrupted or not, gives up early what is bad, and is never worse than the defaults.

The searches here judge networks that were never trained: forecasts that miss the truth by what the arguments say.
One test at the end trains.
"""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from filelock import FileLock

import throughtime as tt
from throughtime._errors import InputError
from throughtime.data.missing import as_panel
from throughtime.forecasting import optuna_study as study
from throughtime.forecasting import tuning
from throughtime.forecasting.intervals import QUANTILES
from throughtime.forecasting.optuna_study import Trial
from throughtime.forecasting.results import WindowForecast
from throughtime.forecasting.tuning import TuningSettings, scaled_losses
from throughtime.forecasting.tuning_result import TuningResult
from throughtime.forecasting.tuning_words import Change, describe_search, describe_trial
from throughtime.training import DivergedError

pytest.importorskip("optuna")

SETTINGS = TuningSettings._fields
UNITS = {16: 0.5, 64: 2.0, 128: 3.0, None: 1.0}


def tune(frame, horizon: int, **options: Any) -> TuningResult:
    """Search with settings and fixed arguments in one list."""
    settings = TuningSettings(**{name: options.pop(name) for name in SETTINGS if name in options})
    return tuning.tune(frame, horizon, settings, **options)


def error_of(model: tt.Forecaster, number: int) -> float:
    """How far a forecast misses: least for lstm with 16 units."""
    return UNITS[model.hidden] * (1.0 if model.cell == "lstm" else 1.5) + 0.1 * number


@pytest.fixture
def untrained(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable], None]:
    """Sets how far forecasts miss the truth."""

    def missing(error: Callable[[tt.Forecaster, int], float]) -> None:
        def windows(model, panel, cutoffs, settings, callback) -> Iterator[WindowForecast]:
            assert settings.refit
            for number, known in enumerate(cutoffs):
                rows = np.flatnonzero(known > model.horizon)
                places = (panel.offsets[rows] + known[rows])[:, None] + np.arange(model.horizon)
                wrong = panel.values[places].reshape(-1, 1) + error(model, number)
                yield WindowForecast(rows, known, known, np.tile(wrong, len(QUANTILES)), rows >= 0, 12)

        monkeypatch.setattr(tuning, "network_windows", windows)

    missing(error_of)
    return missing


def without_seconds(result: TuningResult) -> list[dict]:
    return result.trials.drop("seconds").to_dicts()


def test_losses_by_hand() -> None:
    """Quantiles that are all 2 too low: the mean level times 2, which is 1, over the scale."""
    frame = pl.DataFrame({"unique_id": list("aaaabbbb"), "ds": [*range(4)] * 2, "y": [1.0, 2, 3, 4, 5, 6, None, 8]})
    panel = as_panel(frame)
    known = np.array([2, 2])
    quantiles = np.array([3.0, 4, 0, 8])[:, None] - 2 + np.zeros(len(QUANTILES))
    window = WindowForecast(np.array([0, 1]), known, known, quantiles, np.zeros(2, bool), 1)
    np.testing.assert_allclose(scaled_losses(panel, window, np.array([4.0, 0.5])), [0.25, 0.25, 2.0])
    np.testing.assert_allclose(scaled_losses(panel, window, np.array([np.nan, 0.5])), [2.0])


def test_an_interrupted_search_tries_what_a_whole_one_does(frame, untrained, tmp_path: Path) -> None:
    whole = tune(frame, 3, out=tmp_path / "whole", trials=9, seed=5)
    calls = []

    def interrupted(model: tt.Forecaster, number: int) -> float:
        calls.append(model)
        if len(calls) in (1, 15):
            raise KeyboardInterrupt
        return error_of(model, number)

    untrained(interrupted)
    messages: list[str] = []
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            tune(frame, 3, out=tmp_path / "parts", trials=9, seed=5)
    parts = tune(frame, 3, out=tmp_path / "parts", trials=9, seed=5, on_message=messages.append)
    assert "going on from there" in messages[0]
    assert without_seconds(parts) == without_seconds(whole)
    assert parts.arguments == whole.arguments
    assert json.loads((tmp_path / "parts" / "best.json").read_text()) == whole.arguments
    assert (
        pl.read_csv(tmp_path / "parts" / "trials.csv").drop("seconds")["loss"].to_list()
        == whole.trials["loss"].to_list()
    )
    again = tune(frame, 3, out=tmp_path / "parts", trials=9, seed=5)
    assert without_seconds(again) == without_seconds(whole)

    first = whole.trials.row(0, named=True)
    assert [first[name] for name in ("cell", "hidden", "steps", "head")] == ["gru", None, None, "quantiles"]
    assert whole.loss <= whole.default_loss == first["loss"]
    assert whole.loss == whole.trials.filter(state="complete")["loss"].min()
    choices = whole.trials.drop("trial", "state", "loss", "windows", "seconds")
    assert choices.is_unique().all()
    pruned = whole.trials.filter(state="pruned")
    assert len(pruned) > 0
    assert (pruned["windows"] < 3).all()
    assert (pruned["trial"] > study.BEFORE_PRUNING).all()
    assert (whole.trials.filter(state="complete")["windows"] == 3).all()
    assert f"({len(pruned)} given up early)" in whole.summary


def test_the_result_names_what_helped(frame, untrained, tmp_path: Path) -> None:
    fixed = {"steps": 9, "head": "normal", "lookback": 24, "calendar": False, "season": 12}
    result = tune(frame, 3, out=tmp_path, trials=100, **fixed)
    assert len(result.trials) == 12  # all there are: three cells, four numbers of units
    assert result.arguments == {"horizon": 3, **fixed, "cell": "lstm", "hidden": 16}
    complete = result.trials.filter(state="complete")
    without_lstm = complete.filter(pl.col("cell") != "lstm")["loss"].min()
    without_16 = complete.filter(pl.col("hidden").ne_missing(16))["loss"].min()
    assert result.changes == (
        Change("cell", "lstm", "gru", None, without_lstm),
        Change("hidden", 16, None, 32, without_16),
    )
    tt.Forecaster(**result.arguments)


def test_where_nothing_helps_the_defaults_stay(frame, untrained, tmp_path: Path) -> None:
    untrained(lambda model, number: 1.0 + (model.cell != "gru") + (model.hidden is not None))
    result = tune(frame, 3, out=tmp_path, trials=5, lookback=24, calendar=False, steps=9)
    assert result.changes == ()
    assert result.summary.startswith("Nothing beats the defaults")
    assert result.loss == result.default_loss
    assert result.arguments["cell"] == "gru"


def test_a_study_of_something_else_is_refused(frame, untrained, tmp_path: Path) -> None:
    tune(frame, 3, out=tmp_path, trials=1)
    before = (tmp_path / "trials.csv").read_bytes()
    others: list[tuple[Any, int, dict, str, Any, Any]] = [
        (frame, 4, {}, "horizon", 3, 4),
        (frame.with_columns(pl.col("y") + 1), 3, {}, "data", None, None),
        (frame, 3, {"seed": 1}, "seed", 0, 1),
        (frame, 3, {"windows": 1}, "windows", 3, 1),
        (frame, 3, {"hold_back": 1}, "data", None, None),
        (frame, 3, {"cell": "lem"}, "fixed", {}, {"cell": "lem"}),
    ]
    for other, horizon, options, name, kept, here in others:
        with pytest.raises(InputError, match=f"study.db is a study with another {name}: ") as raised:
            tune(other, horizon, out=tmp_path, trials=2, **options)
        error = raised.value
        assert (error.code, error.column, error.file) == ("other-study", name, str(tmp_path / "study.db"))
        assert name == "data" or (error.found, error.expected) == (kept, here)
    assert (tmp_path / "trials.csv").read_bytes() == before


def test_files_that_are_in_the_way(frame, untrained, tmp_path: Path) -> None:
    file = tmp_path / "study.db"
    with FileLock(f"{file}.lock"), pytest.raises(InputError, match="another process is tuning") as raised:
        tune(frame, 3, out=tmp_path, trials=1)
    assert (raised.value.code, raised.value.file) == ("study-in-use", str(file))
    (tmp_path / "study.db").write_text("mine, and no database at all\n" * 40)
    with pytest.raises(InputError, match="remove it, or choose another folder") as raised:
        tune(frame, 3, out=tmp_path, trials=1)
    assert (raised.value.code, raised.value.file) == ("not-a-study", str(file))
    assert "mine" in (tmp_path / "study.db").read_text()


def test_what_diverges_is_left_out(frame, untrained, tmp_path: Path) -> None:
    def diverging(model: tt.Forecaster, number: int) -> float:
        if model.cell != "gru":
            raise DivergedError("the loss is not finite")
        return error_of(model, number)

    untrained(diverging)
    fixed = {"hidden": 16, "lookback": 24, "calendar": False, "steps": 9, "head": "quantiles"}
    result = tune(frame, 3, out=tmp_path / "some", trials=9, **fixed)
    assert result.trials["state"].to_list() == ["complete", "diverged", "diverged"]
    untrained(lambda model, number: diverging(tt.Forecaster(3, cell="lstm"), number))
    with pytest.raises(InputError, match="all 3 trials diverged: check the data") as raised:
        tune(frame, 3, out=tmp_path / "none", trials=9, **fixed)
    assert (raised.value.code, raised.value.found) == ("all-diverged", 3)


def test_when_the_time_is_over_the_defaults_have_been_judged(frame, untrained, tmp_path: Path) -> None:
    result = tune(frame, 3, out=tmp_path, trials=5, timeout=1e-9)
    assert len(result.trials) == 1


@pytest.mark.parametrize(
    ("options", "message", "code"),
    [
        ({"trials": 0}, "the number of trials is 0: expected at least 1", "impossible-setting"),
        ({"timeout": 0}, "the timeout is 0 seconds: expected more than 0", "impossible-setting"),
        ({"windows": 0}, "expected at least 1 window to tune on, got 0", "impossible-setting"),
        ({"hold_back": -1}, "the steps to hold back are -1: expected 0 or more", "impossible-setting"),
        ({"cells": "gru"}, "unknown parameter 'cells'", None),
        ({"windows": 13}, "too short for a backtest of 13 windows", "series-too-short"),
        ({"preset": "slow"}, "unknown preset", None),
    ],
)
def test_impossible_settings_are_refused_before_anything_is_written(options, message, code, frame, tmp_path) -> None:
    with pytest.raises(InputError, match=message) as raised:
        tune(frame, 3, out=tmp_path / "out", **options)
    assert code is None or raised.value.code == code
    if code == "impossible-setting":
        assert {raised.value.column: raised.value.found} == options
    assert not (tmp_path / "out").exists()


def test_the_sentences_of_a_search() -> None:
    changes = [Change("cell", "lstm", "gru", None, 0.75), Change("hidden", 16, None, 32, None)]
    assert describe_search(["complete", "pruned", "complete"], 0.5, 0.8, changes) == (
        "The best of 3 trials (1 given up early) has a scaled pinball loss of 0.5000, 37.5% below the defaults' 0.8000."
        " cell: lstm instead of gru; without it 0.7500 at best. hidden: 16 instead of the automatic choice (32)."
        " The loss is optimistic, as the same windows chose the arguments: a fair backtest needs steps that were held"
        " back."
    )
    assert describe_search(["complete"], 0.5, 0.5, []) == (
        "Nothing beats the defaults: a scaled pinball loss of 0.5000, the least of 1 trial."
    )


def test_the_sentence_of_a_trial() -> None:
    defaults = {"cell": "gru", "hidden": None}
    trial = Trial(defaults, "complete", 0.25, 3, 1.0)
    assert describe_trial(trial, defaults) == "the defaults: loss 0.2500"
    pruned = trial._replace(arguments={"cell": "lstm", "hidden": 16}, state="pruned", windows=1)
    assert describe_trial(pruned, defaults) == "cell lstm, hidden 16: loss 0.2500, given up after 1 window"
    assert describe_trial(pruned._replace(state="diverged", loss=None), defaults) == "cell lstm, hidden 16: diverged"


def test_without_optuna_the_message_is_the_command(frame, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(InputError, match=r"optuna, which is not installed: .*pip install .*'optuna>="):
        tune(frame, 3, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_trained_networks_are_judged(frame, tmp_path: Path) -> None:
    """The steps held back are not seen: they may be anything."""
    small = {"season": 12, "hidden": 4, "steps": 12, "head": "quantiles", "lookback": 24, "calendar": False}
    counted = []
    options = {"trials": 1, "windows": 2, "hold_back": 3, "cell": "gru"}
    result = tune(frame, 3, out=tmp_path / "one", on_progress=lambda *done: counted.append(done), **options, **small)
    assert counted == [(1, 2), (2, 2), (2, 2)]
    assert 0 < result.loss < 5
    last = pl.int_range(pl.len()).over("unique_id") >= pl.len().over("unique_id") - 3
    other = frame.with_columns(pl.when(last).then(-98.7).otherwise("y").alias("y"))
    again = tune(other, 3, out=tmp_path / "one", **options, **small)
    assert without_seconds(again) == without_seconds(result)
