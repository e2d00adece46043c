"""The history of a training run: the model, the losses, and how it went."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from throughtime.training.records import Records
from throughtime.training.step import TrainState

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Ended = Literal["steps", "callback", "batches", "diverged"]
"""Why a run ended: all steps are done, a callback wished it, the batches were exhausted, or a number was not finite."""


@dataclass(frozen=True, eq=False)
class History:
    """The result of a training run.

    Attributes:
        model: the trained model; with early stopping the best one. ``equinox.nn.inference_mode`` turns the dropout of
            Equinox off, ``equinox.tree_serialise_leaves`` writes its weights to a file.
        state: the state after the last step, from which :func:`throughtime.training.run_steps` continues.
        losses: (steps,) the loss of each step's batch, before its update.
        validation: (K,) the losses on validation data; empty without :class:`throughtime.EarlyStopping`.
        validation_steps: (K,) the numbers of steps after which they were computed.
        step: the number of steps after which ``model`` was.
        seconds: the time that the steps took, without compiling and callbacks.
        compile_seconds: the time that compiling took.
        ended: why the run ended: "steps", all are done; "callback", one wished it; "batches", they were exhausted;
            "diverged", a number was not finite.
        watched: the records of a :class:`throughtime.Watch`; None without one.
    """

    model: Any
    state: TrainState
    losses: np.ndarray
    validation: np.ndarray
    validation_steps: np.ndarray
    step: int
    seconds: float
    compile_seconds: float
    ended: Ended
    watched: Records | None = None

    def plot(self) -> "Figure":
        """Return a figure of the losses, and of the watch's records if there are some."""
        from throughtime.plots import history_picture

        return history_picture(self)

    def _repr_html_(self) -> str:
        """Return the notebook's display."""
        from throughtime.plots import history_block

        return history_block(self).html()

    def __str__(self) -> str:
        """Return the display for a terminal."""
        from throughtime.plots import history_block

        return history_block(self).text()

    def __repr__(self) -> str:
        """Return the end of the run in one line."""
        from throughtime.plots import history_line

        return history_line(self)
