"""A search for arguments of a Forecaster that can go on after an interruption, whatever its trials are judged on."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np

from throughtime._errors import InputError
from throughtime._files import output_folder
from throughtime.forecasting.optuna_study import (
    DIVERGED,
    Arguments,
    best_trial,
    judged_trials,
    next_trial,
    open_study,
    optuna,
)
from throughtime.forecasting.searched_arguments import SearchedArguments
from throughtime.forecasting.tuning_result import TuningResult, write_result
from throughtime.forecasting.tuning_words import describe_trial
from throughtime.training import DivergedError

STUDY = "study.db"
OnMessage = Callable[[str], None]
OnWindow = Callable[[int, int], None]
"""``on_progress(done, total)``: parts of trials, such as windows, that were judged or spared."""


def ignore_message(message: str) -> None:
    """Ignore a sentence on a trial."""


def ignore_window(done: int, total: int) -> None:
    """Ignore the progress."""


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


class Losses(NamedTuple):
    """The losses of a part of a trial: their sum, and how many values they are of."""

    total: float
    values: int


class _OutOfTimeError(Exception):
    """The end of the time in the middle of a trial."""


class Clock(NamedTuple):
    """The clock of a trial.

    Attributes:
        deadline: the time of ``time.monotonic`` at which the trial ends.
    """

    deadline: float

    def check(self) -> None:
        """End the trial, by an error that the search expects, if the time is over."""
        if time.monotonic() > self.deadline:
            raise _OutOfTimeError

    def callback(self, stage: str, progress: Any) -> None:
        """Do the same while a network is trained."""
        self.check()


@runtime_checkable
class Task(Protocol):
    """The task of a search: what is tried, and how it is judged."""

    @property
    def searched(self) -> SearchedArguments:
        """The arguments that are tried, and those that all trials share."""

    @property
    def parts(self) -> int:
        """The number of parts in which each trial is judged: after all but the last, it may be given up."""

    def data(self) -> dict[str, Any]:
        """Return what distinguishes the data that trials are judged on from others, as JSON values."""

    def judge(self, arguments: Arguments, clock: Clock) -> Iterator[Losses]:
        """Train with some arguments, and yield the losses of one part after the other, such as a window.

        The clock is asked while that goes on.
        """


def require_settings(settings: TuningSettings) -> None:
    """Refuse settings that no series allow, and report a missing Optuna, before anything is done.

    Raises:
        InputError: with the setting.
    """
    optuna()
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


def run_search(
    task: Task, settings: TuningSettings, out: str | Path, on_message: OnMessage, on_progress: OnWindow
) -> TuningResult:
    """Judge trials until there are enough, those of an earlier call included, and write the best after each.

    Args:
        task: what is tried, and how it is judged.
        settings: how many trials, and how long.
        out: the folder of ``study.db``, ``trials.csv`` and ``best.json``.
        on_message: called with a sentence on each trial.
        on_progress: called with the number of parts of trials that were judged, and of all.

    Raises:
        InputError: for a folder with a study of something else, and if all trials diverged.
    """
    folder = output_folder(out)
    deadline = np.inf if settings.timeout is None else time.monotonic() + settings.timeout
    searched = task.searched
    with open_study(folder / STUDY, task.data() | searched.subject(), searched.space) as study:
        search = _Search(study, task, min(settings.trials, searched.space.size), deadline, on_message, on_progress)
        if done := len(judged_trials(study)):
            on_message(f"{folder / STUDY} has {done} of {max(search.total, done)} trials: going on from there.")
        while search.try_next():
            if best_trial(judged_trials(study)) is not None:
                write_result(folder, searched.result(judged_trials(study)))
        result = searched.result(judged_trials(study))
        write_result(folder, result)
    return result


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
    task: Task
    total: int
    deadline: float
    on_message: OnMessage
    on_progress: OnWindow

    def try_next(self) -> bool:
        """Judge one more trial; return False if there is none, or the time is over before its end."""
        trials, parts, searched = judged_trials(self.study), self.task.parts, self.task.searched
        unlimited = best_trial(trials) is None  # the defaults are always judged
        if len(trials) >= self.total or not (unlimited or time.monotonic() < self.deadline):
            return False
        trial, arguments = next_trial(self.study, searched.space, seed=searched.seed)
        states = optuna().trial.TrialState
        try:
            clock = Clock(np.inf if unlimited else self.deadline)
            loss = self._loss(trial, arguments, clock, done=len(trials) * parts)
            self.study.tell(trial, loss, state=None if loss is not None else states.PRUNED)
        except _OutOfTimeError:
            self.study.tell(trial, state=states.FAIL)
            self.on_message("The time is over: the running trial is given up.")
            return False
        except DivergedError:
            trial.set_user_attr(DIVERGED, True)
            self.study.tell(trial, state=states.FAIL)
        number = len(trials) + 1
        self.on_progress(number * parts, self.total * parts)
        sentence = describe_trial(judged_trials(self.study)[-1], searched.space.defaults)
        self.on_message(f"trial {number} of {self.total}: {sentence}")
        return True

    def _loss(self, trial: Any, arguments: Arguments, clock: Clock, *, done: int) -> float | None:
        """Return the mean loss over all windows; None if the trial is given up before the last."""
        task, total, count = self.task, 0.0, 0
        for number, losses in enumerate(task.judge(arguments, clock), start=1):
            total, count = total + losses.total, count + losses.values
            self.on_progress(done + number, self.total * task.parts)
            if count:
                trial.report(total / count, number - 1)
                if number < task.parts and trial.should_prune():
                    return None
        if not count:
            raise InputError(
                "no value is known in the windows to tune on: expected some, or more windows", code="no-known-value"
            )
        return total / count
