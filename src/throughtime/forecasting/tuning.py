"""The small search that a practitioner wants: which arguments of a Forecaster suit these series best."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from throughtime._errors import InputError
from throughtime._files import output_folder, staged
from throughtime.data import Panel, as_panel, fingerprint
from throughtime.forecasting.backtest import network_windows, require_trainable
from throughtime.forecasting.config import require_horizon
from throughtime.forecasting.cutoffs import affordable_cutoffs, rolling_cutoffs
from throughtime.forecasting.forecaster import Forecaster, Report
from throughtime.forecasting.numpy_losses import loss_scale, pinball_loss
from throughtime.forecasting.optuna_study import (
    DIVERGED,
    Arguments,
    Space,
    best_trial,
    judged_trials,
    next_trial,
    opened_study,
    optuna,
    search_space,
)
from throughtime.forecasting.results import BacktestSettings, WindowForecast
from throughtime.forecasting.tuning_words import state_of, trial_words, verdict_words
from throughtime.training import DivergedError

STUDY = "study.db"
MOST_WINDOWS = 3
QUICK = {"preset": "fast", "members": 1}  # of a trial; a forecast with what was found takes its own
OnMessage = Callable[[str], None]
OnWindow = Callable[[int, int], None]
"""``on_progress(done, total)``: windows that were judged or spared."""


class TuningResult(NamedTuple):
    """What a search found.

    Attributes:
        arguments: for a Forecaster: its horizon, what was given, and what was best.
        loss: the scaled pinball loss of the best trial.
        default_loss: that of the defaults; None where they diverged.
        trials: one row for each trial: number, state, loss, windows, seconds, and the arguments.
        summary: what helped, in a sentence or more.
    """

    arguments: dict[str, Any]
    loss: float
    default_loss: float | None
    trials: pl.DataFrame
    summary: str


class _OutOfTimeError(Exception):
    """The time is over, in the middle of a trial."""


class _Task(NamedTuple):
    """What is tried, and what it is judged by.

    Attributes:
        panel: the series.
        cutoffs: (K, N) how many steps of each are known in each window.
        scale: (N,) the mean absolute error of seasonal naive before all windows.
        horizon: F.
        seed: of each trial's networks, and of what is tried.
        fixed: arguments that are not searched.
        units: of the cell, by default.
        length: how many past values are read, by default.
        space: what is searched.
    """

    panel: Panel
    cutoffs: np.ndarray
    scale: np.ndarray
    horizon: int
    seed: int
    fixed: dict[str, Any]
    units: int
    length: int
    space: Space

    def subject(self) -> dict[str, Any]:
        """What tells this search from another, as JSON values."""
        return {
            "data": fingerprint(self.panel),
            "horizon": self.horizon,
            "windows": len(self.cutoffs),
            "seed": self.seed,
            "fixed": self.fixed,
            "space": {name: list(values) for name, values in self.space.items()},
        }


def tune(
    frame: Any,
    horizon: int,
    *,
    out: str | Path = "out/tune",
    trials: int = 20,
    timeout: int | float | None = None,
    windows: int | None = None,
    hold_back: int = 0,
    seed: int = 0,
    on_message: OnMessage = lambda message: None,
    on_progress: OnWindow = lambda done, total: None,
    **fixed: Any,
) -> TuningResult:
    """Search for the arguments of a Forecaster that forecast the last windows of the series best.

    Each trial trains one network for each window, on what lies before it, and is judged by the pinball loss over the
    mean absolute error of seasonal naive before all windows, averaged over windows, series and quantiles. The
    Forecaster's defaults come first. After each window, a trial that is worse than the median of those before is given
    up.

    Written to the folder ``out`` after each trial: ``trials.csv`` and ``best.json``, the arguments. ``study.db`` holds
    the search: the same call goes on from there.

    Args:
        frame: as for ``Forecaster.fit``, or a Panel.
        horizon: F, how many steps ahead.
        out: the folder.
        trials: how many in all, those in ``study.db`` included.
        timeout: seconds after which no more is tried; the defaults are always judged.
        windows: K, horizons at the end of the series that are forecast; up to 3, as the series allow, if None.
        hold_back: steps at the end of each series that the search does not see: a backtest of them later is fair.
        seed: makes what is tried, the weights and the windows that are drawn.
        on_message: called with a sentence on each trial.
        on_progress: called with how far the search is.
        fixed: arguments of the Forecaster that are not searched, such as ``season=24``.

    Raises:
        InputError: for a frame or a parameter that cannot be used, series that are too short, a missing Optuna, and a
            folder with a study of something else.
    """
    optuna()  # its lack is told before anything is done
    _require(trials, timeout, hold_back)
    panel = as_panel(frame)
    task = _task(panel.cut(hold_back) if hold_back else panel, horizon, windows, seed, fixed)
    folder = output_folder(out)
    deadline = np.inf if timeout is None else time.monotonic() + timeout
    total = min(trials, task.space.size)
    with opened_study(folder / STUDY, task.subject(), task.space) as study:
        if done := len(judged_trials(study)):
            on_message(f"{folder / STUDY} has {done} of {max(total, done)} trials: going on from there.")
        while len(judged_trials(study)) < total and (best_trial(study) is None or time.monotonic() < deadline):
            if not _try(study, task, total, deadline, on_message, on_progress):
                break
            if best_trial(study) is not None:
                _write(folder, study, task)
        return _write(folder, study, task)


def _require(trials: int, timeout: int | float | None, hold_back: int) -> None:
    if trials < 1:
        raise InputError(f"the number of trials is {trials}: expected at least 1")
    if timeout is not None and not timeout > 0:
        raise InputError(f"the timeout is {timeout} seconds: expected more than 0")
    if hold_back < 0:
        raise InputError(f"the steps to hold back are {hold_back}: expected 0 or more")


def _task(panel: Panel, horizon: int, windows: int | None, seed: int, fixed: dict[str, Any]) -> _Task:
    """What is to be done, once it is known to be possible."""
    require_horizon(horizon, int(panel.lengths.max()))
    model = Forecaster(horizon).set_params(**QUICK | fixed)
    cutoffs = _cutoffs(panel, horizon, windows)
    require_trainable(panel, cutoffs, horizon, BacktestSettings(len(cutoffs)))
    plan = model.first_plan(panel, cutoffs[0])
    scale = loss_scale(panel, cutoffs[0], plan.design.seasons[0])
    space = search_space(panel, cutoffs[0], plan, fixed)
    return _Task(panel, cutoffs, scale, horizon, seed, fixed, plan.design.hidden, plan.design.length, space)


def _cutoffs(panel: Panel, horizon: int, windows: int | None) -> np.ndarray:
    """(K, N), as many windows as asked for, or as leave enough to learn from."""
    if windows is not None and windows < 1:
        raise InputError(f"expected at least 1 window to tune on, got {windows}")
    if windows is None:
        windows = max(len(affordable_cutoffs(panel, panel.lengths, horizon=horizon, most=MOST_WINDOWS)), 1)
    return rolling_cutoffs(panel.lengths, windows=windows, step=horizon, horizon=horizon)


def _try(study: Any, task: _Task, total: int, deadline: float, on_message: OnMessage, on_progress: OnWindow) -> bool:
    """One trial; False where the time is over before its end."""
    number, windows = len(judged_trials(study)), len(task.cutoffs)
    unlimited = best_trial(study) is None
    trial, arguments = next_trial(study, task.space, seed=task.seed)

    def watch(stage: str, progress: Any) -> None:
        if not unlimited and time.monotonic() > deadline:
            raise _OutOfTimeError

    try:
        loss = _loss(
            trial, arguments, task, watch, lambda judged: on_progress(number * windows + judged, total * windows)
        )
        study.tell(trial, loss, state=None if loss is not None else optuna().trial.TrialState.PRUNED)
    except _OutOfTimeError:
        study.tell(trial, state=optuna().trial.TrialState.FAIL)
        on_message("The time is over: the trial under way is given up.")
        return False
    except DivergedError:
        trial.set_user_attr(DIVERGED, True)
        study.tell(trial, state=optuna().trial.TrialState.FAIL)
    on_progress((number + 1) * windows, total * windows)
    on_message(f"trial {number + 1} of {total}: {trial_words(judged_trials(study)[-1], task.space.defaults)}")
    return True


def _loss(trial: Any, arguments: Arguments, task: _Task, watch: Report, judged: Callable[[int], None]) -> float | None:
    """The mean loss over all windows; None where the trial is given up after one of them."""
    model = Forecaster(task.horizon, seed=task.seed).set_params(**QUICK | task.fixed | arguments)
    protocol = BacktestSettings(len(task.cutoffs), refit=True)
    losses: list[np.ndarray] = []
    for number, window in enumerate(network_windows(model, task.panel, task.cutoffs, protocol, watch)):
        losses.append(scaled_losses(task.panel, window, task.scale))
        judged(number + 1)
        so_far = np.concatenate(losses)
        if len(so_far):
            trial.report(float(so_far.mean()), number)
            if number + 1 < len(task.cutoffs) and trial.should_prune():
                return None
    if not len(so_far):
        raise InputError("no value is known in the windows to tune on: expected some, or more windows")
    return float(so_far.mean())


def scaled_losses(panel: Panel, window: WindowForecast, scale: np.ndarray) -> np.ndarray:
    """The pinball loss of each value in a window that is known, over its series' ``scale`` (N,), where it has one."""
    rows = window.rows
    quantiles = window.quantiles.reshape(len(rows), -1, window.quantiles.shape[-1])
    truth = panel.after(rows, window.cutoffs[rows], quantiles.shape[1])
    losses = pinball_loss(quantiles, truth) / scale[rows, None]
    return losses[~np.isnan(truth) & ~np.isnan(scale[rows, None])]


def _write(folder: Path, study: Any, task: _Task) -> TuningResult:
    """``trials.csv`` and ``best.json`` of all trials so far."""
    judged, best = judged_trials(study), best_trial(study)
    if best is None:
        raise InputError(f"all of the {len(judged)} trials diverged: see whether the series hold what they should")
    usual = next((trial for trial in judged if trial.params == task.space.defaults), None)
    default_loss = None if usual is None else usual.value
    found = TuningResult(
        {"horizon": task.horizon, **task.fixed, **best.params},
        best.value,
        default_loss,
        _table(judged, task.space),
        verdict_words(judged, best, task.space.defaults, {"hidden": task.units, "lookback": task.length}),
    )
    with staged(folder) as stage:
        found.trials.write_csv(stage / "trials.csv")
        (stage / "best.json").write_text(settings_text(found.arguments), encoding="utf-8")
    return found


def _table(judged: Sequence[Any], space: Space) -> pl.DataFrame:
    """One row for each trial; the loss of a pruned one is that of the windows that it was judged by."""
    columns: dict[str, list[Any]] = {
        "trial": list(range(1, len(judged) + 1)),
        "state": [state_of(trial) for trial in judged],
        "loss": [trial.value for trial in judged],
        "windows": [len(trial.intermediate_values) for trial in judged],
        "seconds": [trial.duration.total_seconds() for trial in judged],
        **{name: [trial.params[name] for trial in judged] for name in space},
    }
    return pl.DataFrame(columns, strict=False)


def settings_text(arguments: Mapping[str, Any]) -> str:
    """The file's content."""
    return json.dumps(arguments, indent=2) + "\n"
