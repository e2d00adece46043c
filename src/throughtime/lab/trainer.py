"""The training of one experiment, in portions, and a view into its network at any moment."""

import jax
import jax.numpy as jnp
import numpy as np

from throughtime.lab.experiment import Experiment
from throughtime.lab.held_out import hold_out, score
from throughtime.lab.look import Look, look_through
from throughtime.training import DivergedError, run_steps

MOST_AT_ONCE = 10_000  # steps of one portion; every portion uses the program of this size


class Trainer:
    """A network and its training.

    One thread trains; others may read the attributes at any time.

    Attributes:
        experiment: the task, the network and how it learns.
        state: the training state, now.
        history: (step, mean loss of the steps since the entry before) for all portions.
        tests: (step, loss on the held-out values) for all tests.
        naive: the losses of naive forecasts there.
        problem: why training cannot continue; empty if it can.
    """

    def __init__(self, experiment: Experiment):
        """Begin at the experiment's first state."""
        self.experiment, self.state = experiment, experiment.start
        self.history: list[tuple[int, float]] = []
        self.tests: list[tuple[int, float]] = []
        self.problem = ""
        self._values = jnp.asarray(experiment.curve.learned)
        self._held_out, self.naive = hold_out(experiment.curve, experiment.course.window)

    @property
    def step(self) -> int:
        """Training steps done."""
        return int(self.state.step)

    @property
    def is_over(self) -> bool:
        """True if there is nothing left to train."""
        return bool(self.problem) or self.step >= self.experiment.course.steps

    def train_to(self, step: int) -> None:
        """Train until ``step`` steps are done, at most those of the course; 0 compiles only."""
        made = self.experiment
        goal = min(step, made.course.steps)
        try:
            for progress in run_steps(
                self.state, made.loss, made.optimizer, self._values, steps=goal, every=MOST_AT_ONCE
            ):
                self.state = progress.state
                self.history.append((int(progress.state.step), float(progress.losses.mean(dtype=np.float64))))
        except DivergedError as error:
            self.problem = str(error)

    def test(self) -> tuple[float, float]:
        """Return the loss on the held-out values, and its lead over naive forecasts; see :class:`Score`."""
        step, (loss, lead) = self.step, score(self.state.model, self._held_out)
        self.tests.append((step, float(loss)))
        return float(loss), float(lead)

    @property
    def first_start(self) -> int:
        """Return the place of the window that ends where the held-out values begin."""
        return self.experiment.curve.cut - self.experiment.course.window

    @property
    def last_start(self) -> int:
        """Return the last place in the series at which a window, and the value after it, can begin."""
        return len(self.experiment.curve.values) - self.experiment.course.window - 1

    def inputs(self, start: int) -> np.ndarray:
        """Return the window (T,) that begins at ``start``."""
        return self.experiment.curve.values[start : start + self.experiment.course.window]

    def look(self, start: int, unit: int) -> Look:
        """Return the window at ``start`` as the network computes it, and the inside of a unit."""
        unit = min(unit, self.state.model.cell.hidden - 1)
        return jax.block_until_ready(look_through(self.state.model, jnp.asarray(self.inputs(start)), jnp.int32(unit)))
