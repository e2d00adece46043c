"""A small search for the arguments of a Forecaster that suit a panel best."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from throughtime._errors import InputError
from throughtime._files import output_folder
from throughtime.data import Panel, as_panel, fingerprint
from throughtime.forecasting.backtest import network_windows, require_history
from throughtime.forecasting.config import require_horizon
from throughtime.forecasting.cutoffs import affordable_cutoffs, rolling_cutoffs
from throughtime.forecasting.fitting import decide
from throughtime.forecasting.forecaster import Forecaster
from throughtime.forecasting.numpy_losses import loss_scale, pinball_loss
from throughtime.forecasting.observations import least_windows
from throughtime.forecasting.optuna_study import (
    DIVERGED,
    Arguments,
    Space,
    Trial,
    best_trial,
    judged_trials,
    next_trial,
    open_study,
    optuna,
    search_space,
)
from throughtime.forecasting.results import BacktestSettings, WindowForecast
from throughtime.forecasting.stages import StageCallback
from throughtime.forecasting.tuning_result import TuningResult, make_result, write_result
from throughtime.forecasting.tuning_words import describe_trial
from throughtime.training import DivergedError

STUDY = "study.db"
MOST_WINDOWS = 3  # more take the history away that networks learn from, and each costs a training
QUICK = {"preset": "fast", "members": 1}  # of trials alone: a forecast trains with its own preset
OnMessage = Callable[[str], None]
OnWindow = Callable[[int, int], None]
"""``on_progress(done, total)``: windows that were judged or spared."""


class TuningSettings(NamedTuple):
    """The settings of a search.

    Attributes:
        trials: how many in all, the ones in ``study.db`` included.
        timeout: seconds after which no trial starts and a running one ends; the defaults are always judged.
        windows: K, horizons at the end of the series that are forecast; if None up to 3, as many as the series allow.
        hold_back: steps at the end of each series that the search does not see: a later backtest of them is fair.
        seed: determines the arguments that are tried, the weights and the windows that are drawn.
    """

    trials: int = 20
    timeout: int | float | None = None
    windows: int | None = None
    hold_back: int = 0
    seed: int = 0


class _OutOfTimeError(Exception):
    """The end of the time in the middle of a trial."""


class _Task(NamedTuple):
    """The task of a search: what is tried, and how it is judged.

    Attributes:
        panel: N series.
        cutoffs: (K, N) how many steps of each are known in each window.
        scale: (N,) the mean absolute error of seasonal naive before all windows.
        horizon: F.
        seed: of each trial's networks, and of the choice of arguments.
        fixed: arguments that are not searched.
        sizes: the arguments that the panel decides by default, as numbers.
        space: the values that are tried.
    """

    panel: Panel
    cutoffs: np.ndarray
    scale: np.ndarray
    horizon: int
    seed: int
    fixed: dict[str, Any]
    sizes: dict[str, int]
    space: Space

    def subject(self) -> dict[str, Any]:
        """Return what distinguishes this search from another, as JSON values."""
        return {
            "data": fingerprint(self.panel),
            "horizon": self.horizon,
            "windows": len(self.cutoffs),
            "seed": self.seed,
            "fixed": self.fixed,
            "space": {name: list(values) for name, values in self.space.items()},
        }

    def result(self, trials: Sequence[Trial]) -> TuningResult:
        """Return the best of the trials so far."""
        return make_result(trials, self.space, self.sizes, {"horizon": self.horizon, **self.fixed})


def tune(
    frame: Any,
    horizon: int,
    settings: TuningSettings = TuningSettings(),  # noqa: B008 - a tuple, which nobody changes
    *,
    out: str | Path,
    on_message: OnMessage = lambda message: None,
    on_progress: OnWindow = lambda done, total: None,
    **fixed: Any,
) -> TuningResult:
    """Search for the arguments of a Forecaster that forecast the last windows of the series best.

    Each trial trains one network for each window, on the values before it. Its loss is the pinball loss over the mean
    absolute error of seasonal naive before all windows, averaged over windows, series and quantiles. The Forecaster's
    defaults come first. After each window, a trial that is worse than the median of those before is given up.

    Written to the folder ``out`` after each trial: ``trials.csv`` and ``best.json``, the arguments. ``study.db`` holds
    the search: the same call continues it.

    Args:
        frame: as for ``Forecaster.fit``, or a Panel.
        horizon: F, how many steps ahead.
        settings: how long to search, and on which windows.
        out: the folder.
        on_message: called with a sentence on each trial.
        on_progress: called with the number of windows that were judged, and of all.
        fixed: arguments of the Forecaster that are not searched, such as ``season=24``.

    Raises:
        InputError: for a frame or a parameter that cannot be used, series that are too short, a missing Optuna, and a
            folder with a study of something else.
    """
    optuna()  # reported as missing before anything is done
    _require(settings)
    panel = as_panel(frame)
    task = _task(panel.cut(settings.hold_back) if settings.hold_back else panel, horizon, settings, fixed)
    folder = output_folder(out)
    deadline = np.inf if settings.timeout is None else time.monotonic() + settings.timeout
    with open_study(folder / STUDY, task.subject(), task.space) as study:
        search = _Search(study, task, min(settings.trials, task.space.size), deadline, on_message, on_progress)
        if done := len(judged_trials(study)):
            on_message(f"{folder / STUDY} has {done} of {max(search.total, done)} trials: going on from there.")
        while search.try_next():
            if best_trial(judged_trials(study)) is not None:
                write_result(folder, task.result(judged_trials(study)))
        result = task.result(judged_trials(study))
        write_result(folder, result)
    return result


def _require(settings: TuningSettings) -> None:
    """Refuse settings that no panel allows."""
    trials, timeout, windows, hold_back, _ = settings
    if trials < 1:
        raise _impossible(f"the number of trials is {trials}: expected at least 1", "trials", trials)
    if timeout is not None and not timeout > 0:
        raise _impossible(f"the timeout is {timeout} seconds: expected more than 0", "timeout", timeout)
    if windows is not None and windows < 1:
        raise _impossible(f"expected at least 1 window to tune on, got {windows}", "windows", windows)
    if hold_back < 0:
        raise _impossible(f"the steps to hold back are {hold_back}: expected 0 or more", "hold_back", hold_back)


def _impossible(message: str, name: str, value: int | float) -> InputError:
    return InputError(message, code="impossible-setting", column=name, found=value)


def _task(panel: Panel, horizon: int, settings: TuningSettings, fixed: dict[str, Any]) -> _Task:
    """Return what to search; refuse a panel that is too short for it."""
    require_horizon(horizon, int(panel.lengths.max()))
    model = Forecaster(horizon).set_params(**QUICK | fixed)
    windows, needed = settings.windows, least_windows(horizon)
    if windows is None:
        found = affordable_cutoffs(panel, panel.lengths, horizon=horizon, most=MOST_WINDOWS, needed=needed)
        windows = max(len(found), 1)
    cutoffs = rolling_cutoffs(panel.lengths, windows=windows, step=horizon, horizon=horizon)
    require_history(panel, cutoffs, horizon, BacktestSettings(windows), needed=needed)
    plan = decide(model.config, panel, cutoffs[0])
    scale = loss_scale(panel, cutoffs[0], plan.design.seasons[0])
    sizes = {"hidden": plan.design.hidden, "lookback": plan.design.length}
    space = search_space(panel, cutoffs[0], plan, fixed)
    return _Task(panel, cutoffs, scale, horizon, settings.seed, fixed, sizes, space)


class _Search(NamedTuple):
    """A running search.

    Attributes:
        study: Optuna's.
        task: what is tried, and how it is judged.
        total: trials in all.
        deadline: the clock's time at which it ends.
        on_message: called with a sentence on each trial.
        on_progress: called with the number of windows.
    """

    study: Any
    task: _Task
    total: int
    deadline: float
    on_message: OnMessage
    on_progress: OnWindow

    def try_next(self) -> bool:
        """Judge one more trial; return False if there is none, or the time is over before its end."""
        trials, windows = judged_trials(self.study), len(self.task.cutoffs)
        unlimited = best_trial(trials) is None  # the defaults are always judged
        if len(trials) >= self.total or not (unlimited or time.monotonic() < self.deadline):
            return False
        trial, arguments = next_trial(self.study, self.task.space, seed=self.task.seed)
        states = optuna().trial.TrialState
        try:
            loss = self._loss(trial, arguments, np.inf if unlimited else self.deadline, done=len(trials) * windows)
            self.study.tell(trial, loss, state=None if loss is not None else states.PRUNED)
        except _OutOfTimeError:
            self.study.tell(trial, state=states.FAIL)
            self.on_message("The time is over: the running trial is given up.")
            return False
        except DivergedError:
            trial.set_user_attr(DIVERGED, True)
            self.study.tell(trial, state=states.FAIL)
        number = len(trials) + 1
        self.on_progress(number * windows, self.total * windows)
        sentence = describe_trial(judged_trials(self.study)[-1], self.task.space.defaults)
        self.on_message(f"trial {number} of {self.total}: {sentence}")
        return True

    def _loss(self, trial: Any, arguments: Arguments, deadline: float, *, done: int) -> float | None:
        """Return the mean loss over all windows; None if the trial is given up after one of them."""
        task, windows = self.task, len(self.task.cutoffs)
        model = Forecaster(task.horizon, seed=task.seed).set_params(**QUICK | task.fixed | arguments)
        settings = BacktestSettings(windows, refit=True)
        losses, mean = np.empty(0), np.nan
        for number, window in enumerate(
            network_windows(model, task.panel, task.cutoffs, settings, _stop_at(deadline)), start=1
        ):
            losses = np.append(losses, scaled_losses(task.panel, window, task.scale))
            self.on_progress(done + number, self.total * windows)
            if len(losses):
                mean = float(losses.mean())
                trial.report(mean, number - 1)
                if number < windows and trial.should_prune():
                    return None
        if not len(losses):
            raise InputError(
                "no value is known in the windows to tune on: expected some, or more windows", code="no-known-value"
            )
        return mean


def _stop_at(deadline: float) -> StageCallback:
    """Return a callback of training that ends the trial when the time is over."""

    def callback(stage: str, progress: Any) -> None:
        if time.monotonic() > deadline:
            raise _OutOfTimeError

    return callback


def scaled_losses(panel: Panel, window: WindowForecast, scale: np.ndarray) -> np.ndarray:
    """Return the pinball loss of each known value in a window, over its series' ``scale`` (N,) if it has one."""
    rows = window.rows
    quantiles = window.quantiles.reshape(len(rows), -1, window.quantiles.shape[-1])
    truth = panel.after(rows, window.cutoffs[rows], quantiles.shape[1])
    losses = pinball_loss(quantiles, truth) / scale[rows, None]
    return losses[~np.isnan(truth) & ~np.isnan(scale[rows, None])]
