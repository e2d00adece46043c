"""The session of a training run: what has happened so far, and the callbacks that follow it."""

from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Any, TypeVar

import numpy as np
from typing_extensions import TypeAliasType

from throughtime._errors import InputError
from throughtime.training.callbacks import Run, Setting, begin
from throughtime.training.description import describe
from throughtime.training.diagnosis import DivergedError
from throughtime.training.history import Ended, History
from throughtime.training.loop import Callback, Progress, merged
from throughtime.training.records import Records
from throughtime.training.resume import Checkpoints, Keeper, Snapshot
from throughtime.training.step import TrainState
from throughtime.training.watch import Record, Watch

AnyCallback = TypeAliasType("AnyCallback", Callback | Setting | Watch | Checkpoints)
T = TypeVar("T")


def require_list(name: str, value: Any) -> None:
    """Refuse an argument that is one of what it should be a list of.

    Raises:
        InputError: if it is neither a list nor a tuple.
    """
    if not isinstance(value, Sequence):
        kind = type(value).__name__
        raise InputError(f"{name} is a {kind}: expected a list", code="not-a-list", found=kind, expected="a list")


class Session:
    """One run. Use it in a ``with`` statement, which ends its callbacks.

    Attributes:
        run: the run before its first step.
        state: the state now.
        losses: of the steps so far, in parts.
        records: of a watch.
        seconds: that the steps took.
        compile_seconds: that compiling took.
        ended: why the run ended.
        watch: the settings of its records.
    """

    run: Run
    state: TrainState
    losses: list[np.ndarray]
    records: list[Record]
    seconds: float
    compile_seconds: float
    ended: Ended
    watch: Watch | None

    def __init__(self, run: Run, callbacks: Sequence[AnyCallback]):
        """Begin with the first state, or with that of a checkpoint.

        Raises:
            InputError: for a checkpoint of another run, for two watches or two folders of checkpoints, and for
                callbacks that are not in a list.
        """
        require_list("callbacks", callbacks)
        self.run, self.state, self.losses, self.records = run, run.first, [], []
        self.seconds, self.compile_seconds, self.ended = 0.0, 0.0, "steps"
        self.watch = _only(callbacks, Watch)
        others = [callback for callback in callbacks if not isinstance(callback, Watch | Checkpoints)]
        self._followers = [begin(callback, run) for callback in others]
        self._unseen: list[list[Progress]] = [[] for _ in self._followers]
        self._keeper: Keeper | None = None
        if checkpoints := _only(callbacks, Checkpoints):
            description = describe(run.first, run.loss, run.optimizer, run.data, tuple(map(type, callbacks)))
            self._keeper = Keeper(checkpoints, description, run.steps)
            if (snapshot := self._keeper.read(run.first)) is not None:
                self._restore(snapshot)
            run.devices.require_same(int(self.state.step))
            if not run.devices.is_first:
                self._keeper = None  # the first process writes

    @property
    def intervals(self) -> tuple[int, ...]:
        """The numbers of steps at whose multiples a callback is called, or a record made."""
        intervals = [follower.every for follower in self._followers if follower.every is not None]
        return (*intervals, *([self.watch.every] if self.watch else []))

    @property
    def is_over(self) -> bool:
        """True if nothing is left to do."""
        return int(self.state.step) >= self.run.steps or self.ended == "callback"

    def __enter__(self) -> "Session":
        """Begin."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the callbacks, and write the last checkpoint."""
        for follower in self._followers:
            follower.close()
        if self._keeper is not None:
            self._keeper.close()

    def follow(self, progress: Iterator[Progress]) -> None:
        """Follow a run to its end.

        Raises:
            DivergedError: with the history until then.
        """
        try:
            self.ended = "callback" if any(map(self._note, progress)) else self._end()
            if self._keeper is not None and self.ended == "callback":  # nothing goes on from here
                self._keeper.keep(self._snapshot())
        except DivergedError as error:
            self.ended = "diverged"
            error.history = self.history()
            raise

    def _end(self) -> Ended:
        """Call the callbacks once more if batches were exhausted, and return why the run ended."""
        if int(self.state.step) >= self.run.steps:
            return "steps"
        for follower, unseen in zip(self._followers, self._unseen, strict=True):
            if unseen:
                follower(merged(unseen))
        return "batches"

    def _note(self, part: Progress) -> bool:
        """Take note of some steps, call the callbacks that are due, and return True if one of them wants to end."""
        self.state = part.state
        self.losses.append(part.losses)
        self.seconds += part.seconds
        self.compile_seconds += part.compile_seconds
        if part.record is not None:
            self.records.append(part.record)
        stop = False
        for follower, unseen in zip(self._followers, self._unseen, strict=True):
            unseen.append(part)
            if follower.every is None or part.step % follower.every == 0 or part.is_last:
                stop = bool(follower(merged(unseen))) or stop
                unseen.clear()
        stop = self.run.devices.agreed(stop)
        if self._keeper is not None and (part.is_last or not any(part.step % every for every in self.intervals)):
            self._keeper.keep(self._snapshot())
        return stop

    def _snapshot(self) -> Snapshot:
        """Return the run at this moment, at which no callback has steps that it has not seen."""
        memories = [follower.memory() for follower in self._followers]
        self.losses = [np.concatenate(self.losses)]
        records = list(self.records)
        return Snapshot(self.state, self.losses[0], records, self.seconds, self.compile_seconds, self.ended, memories)

    def _restore(self, snapshot: Snapshot) -> None:
        """Go back to a moment."""
        self.state, self.losses, self.records = snapshot.state, [snapshot.losses], snapshot.records
        self.seconds, self.compile_seconds = snapshot.seconds, snapshot.compile_seconds
        self.ended = "callback" if snapshot.ended == "callback" else "steps"
        for follower, memory in zip(self._followers, snapshot.memories, strict=True):
            follower.remember(memory)

    def history(self) -> History:
        """Return the history so far."""
        none = np.zeros(0)
        history = History(
            self.state.model,
            self.state,
            np.concatenate(self.losses) if self.losses else none,
            none,
            none.astype(int),
            int(self.state.step),
            self.seconds,
            self.compile_seconds,
            self.ended,
            Records.of(self.records) if self.records else None,
        )
        for follower in self._followers:
            history = follower.amend(history)
        return history


def _only(callbacks: Sequence[Any], kind: type[T]) -> T | None:
    """Return the one callback of a kind; None if there is none.

    Raises:
        InputError: if there are more.
    """
    of_kind = [callback for callback in callbacks if isinstance(callback, kind)]
    if len(of_kind) > 1:
        raise InputError(
            f"there are {len(of_kind)} callbacks of the kind {kind.__name__}: expected one",
            code="two-of-a-kind",
            found=len(of_kind),
            expected="at most 1",
        )
    return of_kind[0] if of_kind else None
