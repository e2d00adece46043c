"""Callbacks of a training run: plain functions, and settings that make an object for each run."""

from abc import ABC, abstractmethod
from typing import Any, NamedTuple

import optax

from throughtime.training.batch_loss import BatchLoss
from throughtime.training.devices import ONE, Devices
from throughtime.training.history import History
from throughtime.training.loop import Callback, Progress
from throughtime.training.step import TrainState

EVERY = 100  # steps from call to call of a plain function


class Run(NamedTuple):
    """A run before its first step.

    Attributes:
        first: the state before the first step.
        loss: the loss, with the source of its batches.
        optimizer: turns gradients into updates.
        steps: the number of steps in all.
        data: the arrays of its batches that do not change.
        devices: which split each batch.
    """

    first: TrainState
    loss: BatchLoss
    optimizer: optax.GradientTransformation
    steps: int
    data: Any
    devices: Devices = ONE


class Memory(NamedTuple):
    """The knowledge of a callback of a run so far, for a checkpoint.

    Attributes:
        values: plain values, for JSON.
        model: a model like that of the run; None if there is none.
    """

    values: dict[str, Any]
    model: Any = None


class Follower:
    """A callback in one run: it may hold what happened so far.

    Attributes:
        every: the number of steps from call to call; None to be called after each compiled call, as time passes.
    """

    every: int | None = EVERY

    def __call__(self, progress: Progress) -> bool | None:
        """Take note of the progress since the call before; return True to end the run."""

    def memory(self) -> Memory:
        """Return what a checkpoint must keep."""
        return Memory({})

    def remember(self, memory: Memory) -> None:
        """Take back what :meth:`memory` returned."""

    def amend(self, history: History) -> History:
        """Return the history of the run with what this callback knows."""
        return history

    def close(self) -> None:
        """End, also after an error."""


class Setting(ABC):
    """A callback that makes an object for each run, so that it can be used in many."""

    @abstractmethod
    def begin(self, run: Run) -> Follower:
        """Return the callback of one run."""


class _Function(Follower):
    """A plain function."""

    def __init__(self, function: Callback):
        self._function = function

    def __call__(self, progress: Progress) -> bool | None:
        return self._function(progress)


def begin(callback: "Callback | Setting", run: Run) -> Follower:
    """Return a callback of one run."""
    return callback.begin(run) if isinstance(callback, Setting) else _Function(callback)
