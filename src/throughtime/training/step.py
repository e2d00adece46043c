"""One training step, in its parts: what the loop does over and over, and what is looked at when it goes wrong."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import optax

from throughtime._types import Array, Int, Key, Scalar

Loss = Callable[[Any, Any, Key], Scalar]
"""``loss(model, data, key)``: draws a batch from ``data`` with ``key`` and returns its loss."""


class TrainState(NamedTuple):
    """All that training carries from step to step: from here it goes on bit for bit."""

    model: Any
    optimizer: optax.OptState
    step: Int[Array, ""]
    key: Key


class Step(NamedTuple):
    """What a step computes.

    Attributes:
        state: after it.
        value: the loss of its batch, before its update.
        gradient: of the loss, a tree like the model.
        updates: what was added to the weights, a tree like the model.
    """

    state: TrainState
    value: Scalar
    gradient: Any
    updates: Any


def batch_key(state: TrainState) -> Key:
    """The key that draws the batch of the step after ``state``."""
    return jax.random.fold_in(state.key, state.step)


def take_step(loss: Loss, optimizer: optax.GradientTransformation, state: TrainState, data: Any) -> Step:
    """The step after ``state``."""
    value, gradient = jax.value_and_grad(loss)(state.model, data, batch_key(state))
    updates, moments = optimizer.update(gradient, state.optimizer, state.model)
    moved = TrainState(optax.apply_updates(state.model, updates), moments, state.step + 1, state.key)
    return Step(moved, value, gradient, updates)
