"""A search that Optuna leads and keeps in a SQLite file, so that it can continue after an interruption."""

import json
import math
import sqlite3
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from filelock import FileLock, Timeout

from throughtime._errors import InputError, not_installed
from throughtime.data import Panel, calendar_names
from throughtime.forecasting.plan import Plan

Value = str | int | bool | None
Arguments = dict[str, Value]
CELLS = ("gru", "lstm", "mingru")
UNITS = (16, 32, 64, 128)
HEADS = ("quantiles", "student_t")
LONGER = 3  # training, as a multiple of the preset's: more rarely pays for small panels
NAME = "throughtime"  # of the study in its file
BEFORE_PRUNING = 4  # complete trials before others are compared with their median
AT_RANDOM = 10  # trials before the sampler has seen enough to choose
SUBJECT, DIVERGED = "subject", "diverged"  # attributes of a study, and of a trial that no repetition would save
STATES = {"COMPLETE": "complete", "PRUNED": "pruned"}  # Optuna's names; a trial that ended otherwise diverged


class Space(dict[str, tuple[Value, ...]]):
    """The values of each argument that a search tries, the Forecaster's default first."""

    @property
    def defaults(self) -> Arguments:
        """The first value of each argument: what a Forecaster takes without tuning."""
        return {name: values[0] for name, values in self.items()}

    @property
    def size(self) -> int:
        """The number of combinations."""
        return math.prod(map(len, self.values()))

    def combination(self, number: int) -> Arguments:
        """Return the arguments of a number from 0 (the defaults) to ``size`` - 1."""
        chosen: Arguments = {}
        for name, values in self.items():
            number, place = divmod(number, len(values))
            chosen[name] = values[place]
        return chosen


class Trial(NamedTuple):
    """A trial that has ended.

    Attributes:
        arguments: what was tried.
        state: "complete"; "pruned" if it was given up after some windows; or "diverged".
        loss: the mean over the windows that judged it; None if it diverged.
        windows: how many windows judged it.
        seconds: the time that it took.
    """

    arguments: Arguments
    state: str
    loss: float | None
    windows: int
    seconds: float


def search_space(panel: Panel, cutoffs: np.ndarray, plan: Plan, fixed: Mapping[str, Value]) -> Space:
    """Return what to try on a panel.

    Args:
        panel: N series.
        cutoffs: (N,) how many steps of each are known in the earliest window.
        plan: what a Forecaster decides there by default: other sizes are chosen around it.
        fixed: arguments that are not searched.
    """
    design = plan.design
    space = Space(
        cell=CELLS,
        hidden=(None, *(units for units in UNITS if units != design.hidden)),
        steps=(None, plan.steps, LONGER * plan.steps),
        lookback=(None, *_lookbacks(design.length, design.seasons[0], int(cutoffs.max()) - design.horizon)),
        head=HEADS,
        calendar=(False, True) if calendar_names(panel.frequency) else (False,),
    )
    return Space({name: values for name, values in space.items() if name not in fixed and len(values) > 1})


def _lookbacks(default: int, season: int, longest: int) -> list[int]:
    """Return half the default, at least two seasons, and double it, if the history is long enough."""
    return [steps for steps in (max(default // 2, 2 * season), 2 * default) if steps != default and steps <= longest]


def optuna() -> Any:
    """Return the library, imported on first use.

    Raises:
        InputError: if it is not installed.
    """
    try:
        return import_module("optuna")
    except ModuleNotFoundError as error:
        raise not_installed("tuning", error, "tune") from None


@contextmanager
def open_study(file: Path, subject: Mapping[str, Any], space: Space) -> Iterator[Any]:
    """Open the study in ``file``, a new one or one of the same subject; trials that it left unfinished have failed.

    Args:
        file: of SQLite.
        subject: what is tuned, as JSON values by name: data, horizon, windows ... A study has one subject.
        space: what may be tried; its defaults come first.

    Raises:
        InputError: without Optuna, for a file that is not a study, for a study of another subject, and while another
            process has it open.
    """
    library = optuna()
    former = library.logging.get_verbosity()
    library.logging.set_verbosity(library.logging.ERROR)  # the caller reports on trials
    try:
        with _locked(file), _storage(library, file) as storage:
            pruner = library.pruners.MedianPruner(n_startup_trials=BEFORE_PRUNING)
            study = library.create_study(storage=storage, study_name=NAME, pruner=pruner, load_if_exists=True)
            _require_subject(study, subject, file)
            _resume(library, study, space)
            yield study
    finally:
        library.logging.set_verbosity(former)


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    lock = FileLock(f"{file}.lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise InputError(
            f"another process is tuning with {file}: wait for it, or choose another folder",
            code="study-in-use",
            file=file,
        ) from None
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
    except errors as error:  # the file is not of SQLite, or the study is of another version of Optuna
        reason = str(getattr(error, "orig", None) or error).splitlines()[0]
        raise InputError(
            f"{file} is not a study of this Optuna ({reason}): remove it, or choose another folder",
            code="not-a-study",
            file=file,
            found=reason,
        ) from None
    try:
        yield storage
    except library.exceptions.StorageInternalError as error:
        reason = str(error.__cause__ or error)
        raise InputError(f"{file} cannot be written ({reason})", code="cannot-write", file=file, found=reason) from None
    finally:
        storage.remove_session()
        storage.engine.dispose()


def _connection(file: Path) -> sqlite3.Connection:
    """Return a connection with a write-ahead log: a trial's many small writes need not wait for the disk.

    After a crash the file is still consistent.
    """
    connection = sqlite3.connect(file, check_same_thread=False)
    try:
        connection.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _require_subject(study: Any, subject: Mapping[str, Any], file: Path) -> None:
    """Give a new study its subject; refuse one of another subject."""
    kept = study.user_attrs.get(SUBJECT)
    if kept is None:
        study.set_user_attr(SUBJECT, dict(subject))
        return
    for name, value in json.loads(json.dumps(subject)).items():
        if kept.get(name) != value:
            raise InputError(
                f"{file} is a study with another {name}: {kept.get(name)}, here {value}; choose another folder, or "
                "remove the file to start anew",
                code="other-study",
                file=file,
                column=name,
                found=kept.get(name),
                expected=value,
            )


def _resume(library: Any, study: Any, space: Space) -> None:
    """Mark interrupted trials as failed, and make sure that the defaults are tried first."""
    states = library.trial.TrialState
    for trial in study.get_trials(states=(states.RUNNING,)):
        study.tell(trial.number, state=states.FAIL)
    waiting = study.get_trials(states=(states.WAITING,))
    if not waiting and space.defaults not in [trial.arguments for trial in judged_trials(study)]:
        study.enqueue_trial(space.defaults)


def judged_trials(study: Any) -> list[Trial]:
    """Return the trials that have ended, in their order: complete, pruned, or diverged."""
    return [
        Trial(
            trial.params,
            STATES.get(trial.state.name, "diverged"),
            trial.value,
            len(trial.intermediate_values),
            trial.duration.total_seconds(),
        )
        for trial in study.get_trials()
        if trial.state.name in STATES or DIVERGED in trial.user_attrs
    ]


def best_trial(trials: Sequence[Trial]) -> Trial | None:
    """Return the complete trial with the least loss, the first of equals; None without any."""
    complete = [trial for trial in trials if trial.state == "complete"]
    return min(complete, key=lambda trial: trial.loss if trial.loss is not None else math.inf, default=None)


def next_trial(study: Any, space: Space, *, seed: int) -> tuple[Any, Arguments]:
    """Return Optuna's trial of the next arguments that were not tried before; at least one combination must remain.

    The sampler starts anew for each trial, with a seed that depends on the number of trials: an interrupted search
    tries what an uninterrupted one does.
    """
    library = optuna()
    tried = [trial.arguments for trial in judged_trials(study)]
    seeds = np.random.SeedSequence([seed, len(tried)])
    study.sampler = library.samplers.TPESampler(
        n_startup_trials=AT_RANDOM, seed=int(seeds.generate_state(1)[0]), constant_liar=False
    )
    trial, arguments = _ask(study, space)
    if arguments in tried:
        study.tell(trial, state=library.trial.TrialState.FAIL)
        numbers = np.random.default_rng(seeds).permutation(space.size).tolist()
        study.enqueue_trial(next(new for new in map(space.combination, numbers) if new not in tried))
        trial, arguments = _ask(study, space)
    return trial, arguments


def _ask(study: Any, space: Space) -> tuple[Any, Arguments]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of experimental parts of Optuna, which users did not choose
        trial = study.ask()
        return trial, {name: trial.suggest_categorical(name, values) for name, values in space.items()}
