"""A search that Optuna leads and keeps in a SQLite file, so that it can go on where it was interrupted."""

import json
import math
import sqlite3
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout

from throughtime._errors import InputError, not_installed
from throughtime.data import Panel, calendar_names
from throughtime.forecasting.config import Plan

Value = str | int | bool | None
Arguments = dict[str, Value]
CELLS = ("gru", "lstm", "mingru")
UNITS = (16, 32, 64, 128)
HEADS = ("quantiles", "student_t")
LONGER = 3  # training, as a multiple of the preset's


class Space(dict[str, tuple[Value, ...]]):
    """What each argument may be, the Forecaster's default first."""

    @property
    def defaults(self) -> Arguments:
        """The first of all: what a Forecaster does that nobody has tuned."""
        return {name: values[0] for name, values in self.items()}

    @property
    def size(self) -> int:
        """How many different arguments there are."""
        return math.prod(map(len, self.values()))

    def combination(self, number: int) -> Arguments:
        """The arguments of a number from 0, the defaults', to ``size`` - 1."""
        chosen: Arguments = {}
        for name, values in self.items():
            number, place = divmod(number, len(values))
            chosen[name] = values[place]
        return chosen


def search_space(panel: Panel, cutoffs: np.ndarray, plan: Plan, fixed: Mapping[str, Value]) -> Space:
    """What to try on a panel of which ``cutoffs`` (N,) steps are known.

    Args:
        panel: the series.
        cutoffs: those of the earliest window.
        plan: what a Forecaster decides there by itself: other sizes are chosen around it.
        fixed: arguments that are given, and not searched.
    """
    design = plan.design
    space = Space(
        cell=CELLS,
        hidden=(None, *(units for units in UNITS if units != design.hidden)),
        steps=(None, plan.most_steps, LONGER * plan.most_steps),
        lookback=(None, *_lookbacks(design.length, design.seasons[0], int(cutoffs.max()) - design.horizon)),
        head=HEADS,
        calendar=(False, True) if calendar_names(panel.frequency) else (False,),
    )
    return Space({name: values for name, values in space.items() if name not in fixed and len(values) > 1})


def _lookbacks(usual: int, season: int, longest: int) -> list[int]:
    """Half of the usual, but two seasons, without which there is none; and double, as far as there is history."""
    return [steps for steps in (max(usual // 2, 2 * season), 2 * usual) if steps != usual and steps <= longest]


NAME = "throughtime"
BEFORE_PRUNING = 4  # trials that are judged whole, before others are compared with their median
AT_RANDOM = 10  # trials before the sampler trusts what it has seen
SUBJECT, DIVERGED = "subject", "diverged"  # attributes of a study, and of a trial that failed for good


def optuna() -> Any:
    """The library, imported when it is first needed.

    Raises:
        InputError: where it is not installed.
    """
    try:
        return import_module("optuna")
    except ModuleNotFoundError as error:
        raise not_installed("tuning", error, "tune") from None


@contextmanager
def opened_study(file: Path, subject: Mapping[str, Any], space: Space) -> Iterator[Any]:
    """The study in ``file``, a new one or one of the same subject; what was under way when it stopped has failed.

    Args:
        file: of SQLite.
        subject: what is tuned, as JSON values by name: data, horizon, windows ... A study is of one subject.
        space: what may be tried; its defaults come first.

    Raises:
        InputError: without Optuna, for a file that holds no study, for a study of another subject, and while another
            process is at it.
    """
    library = optuna()
    former = library.logging.get_verbosity()
    library.logging.set_verbosity(library.logging.ERROR)  # what there is to say, the caller says
    try:
        with _alone(file), _storage(library, file) as storage:
            pruner = library.pruners.MedianPruner(n_startup_trials=BEFORE_PRUNING)
            study = library.create_study(storage=storage, study_name=NAME, pruner=pruner, load_if_exists=True)
            _require_subject(study, subject, file)
            _go_on(library, study, space)
            yield study
    finally:
        library.logging.set_verbosity(former)


@contextmanager
def _alone(file: Path) -> Iterator[None]:
    lock = FileLock(f"{file}.lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise InputError(f"another process is tuning with {file}: wait for it, or choose another --out") from None
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _storage(library: Any, file: Path) -> Iterator[Any]:
    options = {"creator": partial(_connection, file), "poolclass": import_module("sqlalchemy.pool").QueuePool}
    errors = import_module("sqlalchemy.exc").SQLAlchemyError, sqlite3.Error, RuntimeError
    try:
        storage = library.storages.RDBStorage("sqlite://", engine_kwargs=options)
    except errors as error:  # no SQLite; a study of another version of Optuna
        reason = str(getattr(error, "orig", None) or error).splitlines()[0]
        raise InputError(f"{file} is no study ({reason}): remove it, or choose another --out") from None

    try:
        yield storage
    except library.exceptions.StorageInternalError as error:
        raise InputError(f"{file} cannot be written ({error.__cause__ or error})") from None
    finally:
        storage.remove_session()
        storage.engine.dispose()


def _connection(file: Path) -> sqlite3.Connection:
    """With a log that need not reach the disk at each of a trial's many steps: still whole after any crash."""
    connection = sqlite3.connect(file, check_same_thread=False)
    try:
        connection.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _require_subject(study: Any, subject: Mapping[str, Any], file: Path) -> None:
    kept = study.user_attrs.get(SUBJECT)
    if kept is None:
        study.set_user_attr(SUBJECT, dict(subject))
        return
    for name, value in json.loads(json.dumps(subject)).items():
        if kept.get(name) != value:
            raise InputError(
                f"{file} is a study of something else: {name} {kept.get(name)}, here {value}; choose another --out, or "
                "remove the file to begin anew"
            )


def _go_on(library: Any, study: Any, space: Space) -> None:
    """Give up what was interrupted, and see that the defaults are tried first."""
    states = library.trial.TrialState
    for trial in study.get_trials(states=(states.RUNNING,)):
        study.tell(trial.number, state=states.FAIL)
    waiting = study.get_trials(states=(states.WAITING,))
    if not waiting and space.defaults not in [trial.params for trial in judged_trials(study)]:
        study.enqueue_trial(space.defaults)


def judged_trials(study: Any) -> list[Any]:
    """Trials that came to an end: complete, pruned, or diverged; in their order."""
    return [
        trial
        for trial in study.get_trials()
        if trial.state.name in ("COMPLETE", "PRUNED") or DIVERGED in trial.user_attrs
    ]


def best_trial(study: Any) -> Any | None:
    """The complete trial of the least loss, the first of several; None without any."""
    complete = [trial for trial in judged_trials(study) if trial.state.name == "COMPLETE"]
    return min(complete, key=lambda trial: trial.value, default=None)


def next_trial(study: Any, space: Space, *, seed: int) -> tuple[Any, Arguments]:
    """A trial of arguments that were not tried before, one of them must be left.

    The sampler begins anew for each trial, with a seed of its own: an interrupted search tries what a whole one does.
    """
    library = optuna()
    judged = judged_trials(study)
    own_seed = np.random.SeedSequence([seed, len(judged)])
    study.sampler = library.samplers.TPESampler(
        n_startup_trials=AT_RANDOM, seed=int(own_seed.generate_state(1)[0]), constant_liar=False
    )
    tried = [trial.params for trial in judged]
    trial, arguments = _asked(study, space)
    if arguments in tried:
        study.tell(trial, state=library.trial.TrialState.FAIL)
        numbers = np.random.default_rng(own_seed).permutation(space.size).tolist()
        study.enqueue_trial(next(one for one in map(space.combination, numbers) if one not in tried))
        trial, arguments = _asked(study, space)
    return trial, arguments


def _asked(study: Any, space: Space) -> tuple[Any, Arguments]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of experimental parts of Optuna: which there are is no affair of the user's
        trial = study.ask()
        return trial, {name: trial.suggest_categorical(name, values) for name, values in space.items()}
