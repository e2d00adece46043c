"""One training step: a loss, its gradient, an update of the weights."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import optax

from throughtime._types import Array, Int, Key, Scalar

Loss = Callable[[Any, Any, Key], Scalar]
"""``loss(model, data, key)``: draws a batch from ``data`` with ``key`` and returns its loss."""


class TrainState(NamedTuple):
    """The state of a training run: from the same state, training continues bit for bit the same.

    Attributes:
        model: the weights, a tree of arrays.
        optimizer: the state of the optimizer.
        step: the number of steps done.
        key: the random key that, with the number of the step, makes each batch.
    """

    model: Any
    optimizer: optax.OptState
    step: Int[Array, ""]
    key: Key


class Step(NamedTuple):
    """The results of one step.

    Attributes:
        state: the state after the step.
        value: the loss of the step's batch, before the update.
        gradient: the gradient of the loss, a tree like the model.
        updates: the numbers that were added to the weights, a tree like the model.
    """

    state: TrainState
    value: Scalar
    gradient: Any
    updates: Any


def next_loss(loss: Loss, model: Any, state: TrainState, data: Any) -> Scalar:
    """Return the loss of ``model``, any weights, on the batch of the step after ``state``."""
    return loss(model, data, jax.random.fold_in(state.key, state.step))


def take_step(loss: Loss, optimizer: optax.GradientTransformation, state: TrainState, data: Any) -> Step:
    """Return the step after ``state``."""
    value, gradient = jax.value_and_grad(next_loss, argnums=1)(loss, state.model, state, data)
    updates, optimizer_state = optimizer.update(gradient, state.optimizer, state.model)
    model = optax.apply_updates(state.model, updates)
    return Step(TrainState(model, optimizer_state, state.step + 1, state.key), value, gradient, updates)
