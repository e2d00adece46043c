"""The session of a training run: what has happened so far, and the callbacks that follow it."""

from collections.abc import Iterator, Sequence
from types import TracebackType

import numpy as np

from throughtime.training.callbacks import Run, Setting, begin
from throughtime.training.diagnosis import DivergedError
from throughtime.training.history import Ended, History
from throughtime.training.loop import Callback, Progress, merged
from throughtime.training.records import Records
from throughtime.training.step import TrainState
from throughtime.training.watch import Record


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
    """

    run: Run
    state: TrainState
    losses: list[np.ndarray]
    records: list[Record]
    seconds: float
    compile_seconds: float
    ended: Ended

    def __init__(self, run: Run, callbacks: Sequence[Callback | Setting]):
        """Begin with the first state."""
        self.run, self.state, self.losses, self.records = run, run.first, [], []
        self.seconds, self.compile_seconds, self.ended = 0.0, 0.0, "steps"
        self._followers = [begin(callback, run) for callback in callbacks]
        self._unseen: list[list[Progress]] = [[] for _ in self._followers]

    @property
    def intervals(self) -> tuple[int, ...]:
        """The numbers of steps at whose multiples a callback is called."""
        return tuple(follower.every for follower in self._followers if follower.every is not None)

    def __enter__(self) -> "Session":
        """Begin."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the callbacks, and give an error the history."""
        for follower in self._followers:
            follower.close()

    def follow(self, progress: Iterator[Progress]) -> None:
        """Follow a run to its end.

        Raises:
            DivergedError: with the history until then.
        """
        try:
            self.ended = "callback" if any(map(self._note, progress)) else self._end()
        except DivergedError as error:
            self.ended, error.history = "diverged", self.history()
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
        return stop

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
