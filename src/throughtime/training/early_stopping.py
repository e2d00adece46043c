"""Early stopping: the loss on validation data, the best weights, and the end of a run that no longer improves."""

import math
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from throughtime._arguments import whole_number
from throughtime._errors import InputError
from throughtime._types import Key, Scalar, Whole
from throughtime.training.batch_loss import BatchLoss, takes_key
from throughtime.training.callbacks import Follower, Memory, Run, Setting
from throughtime.training.captured import Keyed
from throughtime.training.constants import LossOfArrays, join, split, unbound
from throughtime.training.history import History
from throughtime.training.loop import Progress
from throughtime.training.minibatches import Minibatches
from throughtime.training.source import on_device, whole

KEPT = 16  # programs, as in training.program


class EarlyStopping(Setting):
    """The end of a run whose loss on validation data no longer improves; the best model is the result.

    The loss is computed every ``every`` steps and after the last, with the model in ``equinox.nn.inference_mode``. A
    loss that takes a key gets None: without a key there is no noise.

    Attributes:
        data: arrays, which are one batch, or :class:`throughtime.Minibatches`: all examples, in batches of its size.
            The loss is then the mean over the batches, weighted by their examples.
        loss: ``loss(model, batch)``, such as an error rate; the loss of the run if None.
        patience: the run ends after so many validations in a row without a new best loss.
        every: the number of steps from validation to validation.
        least_gain: by how much a loss must be below the best one to be a new best.
    """

    data: Any
    loss: Callable[..., Any] | None
    patience: int
    every: int
    least_gain: float

    def __init__(
        self,
        data: Any,
        *,
        loss: Callable[..., Any] | None = None,
        patience: Whole = 5,
        every: Whole = 100,
        least_gain: float = 0.0,
    ):
        """Put the data on the device.

        Raises:
            InputError: for data that are not arrays, and for a patience or an interval below 1.
        """
        self.data = data if isinstance(data, Minibatches) else on_device(data)
        self.loss, self.least_gain = loss, least_gain
        self.patience, self.every = whole_number("patience", patience), whole_number("every", every)

    def begin(self, run: Run) -> "_Validation":
        """Return the validation of one run.

        Raises:
            InputError: for a loss that needs a random key.
        """
        loss = run.loss if self.loss is None else BatchLoss(self.loss, takes_key(self.loss), whole)
        loss = replace(loss, pick=whole)
        if loss.key_as:
            data = self.data
            batch = (
                jax.tree.map(lambda array: array[: data.size], data.arrays) if isinstance(data, Minibatches) else data
            )
            _require_silent(loss, run.first.model, batch, run.first.key)
        return _Validation(self, loss)


def _require_silent(loss: BatchLoss, model: Any, batch: Any, key: Key) -> None:
    """Refuse a loss that can be computed with a random key alone: before the first step, not after hundreds."""
    model = eqx.nn.inference_mode(model)
    try:
        eqx.filter_eval_shape(loss.alone, model, batch)
    except Exception as error:
        eqx.filter_eval_shape(loss, model, batch, key)  # else the key is not the reason
        raise InputError(
            f"the loss fails without a random key ({type(error).__name__}: {error}): EarlyStopping passes key=None, as "
            "validation has no noise; expected a loss that leaves the noise out then, such as keys = None if key is "
            "None else jax.random.split(key, B)",
            code="loss-needs-key",
            found=str(error),
        ) from error


class _Validation(Follower):
    """The validation losses of one run, and its best model so far."""

    def __init__(self, settings: EarlyStopping, loss: BatchLoss):
        self.every = settings.every
        self._settings, self._loss = settings, loss
        self._losses: list[float] = []
        self._steps: list[int] = []
        self._best: Any = None
        self._best_loss, self._best_step, self._since = math.inf, 0, 0

    def __call__(self, progress: Progress) -> bool:
        loss = self._loss_of(progress.model)
        self._losses.append(loss)
        self._steps.append(progress.step)
        if loss < self._best_loss - self._settings.least_gain:
            self._best, self._best_loss, self._best_step, self._since = progress.model, loss, progress.step, 0
        else:
            self._since += 1
        return self._since >= self._settings.patience

    def _loss_of(self, model: Any) -> float:
        """Return the mean loss over all validation data."""
        arrays, constants = split(model)
        loss = self._loss if constants is None else LossOfArrays(self._loss, constants)
        program, data = _program(Keyed(loss)), self._settings.data
        if not isinstance(data, Minibatches):
            return float(program(arrays, jax.tree.map(lambda array: array[None], data)))
        full = data.examples // data.size * data.size
        batches = jax.tree.map(lambda array: array[:full].reshape(-1, data.size, *array.shape[1:]), data.arrays)
        total = float(program(arrays, batches)) * full
        if rest := data.examples - full:
            total += float(program(arrays, jax.tree.map(lambda array: array[None, full:], data.arrays))) * rest
        return total / data.examples

    def memory(self) -> Memory:
        best = (self._best_loss, self._best_step, self._since)
        return Memory({"losses": list(self._losses), "steps": list(self._steps), "best": best}, self._best)

    def remember(self, memory: Memory) -> None:
        self._losses, self._steps = memory.values["losses"], memory.values["steps"]
        self._best_loss, self._best_step, self._since = memory.values["best"]
        self._best = memory.model

    def amend(self, history: History) -> History:
        losses, steps = np.array(self._losses), np.array(self._steps, int)
        history = replace(history, validation=losses, validation_steps=steps)
        return history if self._best is None else replace(history, model=self._best, step=self._best_step)


@lru_cache(KEPT)
def _program(keyed: Keyed) -> Callable[[Any, Any], Scalar]:
    """Return the compiled mean loss of a model's arrays over batches (K, ...)."""
    loss, constants = unbound(keyed.loss)
    assert isinstance(loss, BatchLoss)

    def mean(arrays: Any, batches: Any) -> Scalar:
        model = eqx.nn.inference_mode(join(arrays, constants))
        return jnp.mean(jax.lax.map(lambda batch: loss.alone(model, batch), batches))

    return jax.jit(mean)
