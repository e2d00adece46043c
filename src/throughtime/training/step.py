"""One training step: a loss, its gradient, an update of the weights."""

from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import optax

from throughtime._types import Array, Int, Key, Scalar
from throughtime.training.leaves import is_inexact

Loss = Callable[..., Any]
"""``loss(model, data, key)``: draws a batch from ``data`` with ``key`` and returns its loss.

If the state of the run carries something from step to step, ``loss(model, data, key, carried)`` returns the loss and
what it carries to the next step.
"""


class Fed(NamedTuple):
    """Data of which each step has its own part.

    Attributes:
        fixed: the data of all steps.
        parts: a tree of arrays (N, ...), one row for each of N steps; the row alone in the data of one step.
        first: the number of the step that has the first row.
        steps: how many rows count, at most N.
    """

    fixed: Any
    parts: Any
    first: Int[Array, ""]
    steps: Int[Array, ""]

    def at(self, step: Int[Array, ""]) -> "Fed":
        """Return the data of a step; of the last one for a step after it."""
        place = jnp.clip(step - self.first, 0, self.steps - 1)
        rows = jax.tree.map(lambda array: jax.lax.dynamic_index_in_dim(array, place, keepdims=False), self.parts)
        return self._replace(parts=rows)


class TrainState(NamedTuple):
    """The state of a training run: from the same state, training continues bit for bit the same.

    Attributes:
        model: a tree of weights, as Equinox has them. Arrays of floats are trained; other leaves, such as functions,
            numbers of Python and arrays of whole numbers, stay as they are.
        optimizer: the state of the optimizer.
        step: the number of steps done.
        key: the random key that, with the number of the step, makes each batch.
        carried: what a loss carries from step to step, such as the state of a recurrence; None if there is nothing.
    """

    model: Any
    optimizer: optax.OptState
    step: Int[Array, ""]
    key: Key
    carried: Any = None


class Step(NamedTuple):
    """The results of one step.

    Attributes:
        state: the state after the step.
        value: the loss of the step's batch, before the update.
        gradient: the gradient of the loss, a tree like the model, with None for leaves that are not trained.
        updates: the numbers that were added to the weights, likewise.
    """

    state: TrainState
    value: Scalar
    gradient: Any
    updates: Any


def next_loss(loss: Loss, model: Any, state: TrainState, data: Any) -> tuple[Scalar, Any]:
    """Return the loss of ``model``, any weights, on the batch of the step after ``state``, and what that one carries.

    The gradient stops at what is carried: it is a constant of the step.
    """
    own = data.at(state.step) if isinstance(data, Fed) else data
    key = jax.random.fold_in(state.key, state.step)
    if state.carried is None:
        return loss(model, own, key), None
    return loss(model, own, key, state.carried)


def take_step(loss: Loss, optimizer: optax.GradientTransformation, state: TrainState, data: Any) -> Step:
    """Return the step after ``state``; arrays of whole numbers, flags and keys in the model stay as they are."""
    trained, fixed = eqx.partition(state.model, is_inexact)

    def of(trained: Any) -> tuple[Scalar, Any]:
        return next_loss(loss, eqx.combine(trained, fixed), state, data)

    (value, carried), gradient = jax.value_and_grad(of, has_aux=True)(trained)
    updates, optimizer_state = update(
        optimizer, gradient, state.optimizer, trained, value, lambda trained: of(trained)[0]
    )
    model = eqx.combine(optax.apply_updates(trained, updates), fixed)
    return Step(TrainState(model, optimizer_state, state.step + 1, state.key, carried), value, gradient, updates)


def update(
    optimizer: optax.GradientTransformation,
    gradient: Any,
    state: optax.OptState,
    trained: Any,
    value: Scalar,
    value_of: Callable[[Any], Scalar],
) -> tuple[Any, optax.OptState]:
    """Return an optimizer's updates and its next state.

    Args:
        optimizer: any; one that needs the loss or its function gets them, such as ``optax.lbfgs``.
        gradient: of the loss.
        state: of the optimizer.
        trained: the weights.
        value: the loss.
        value_of: the loss of any weights on the same batch.
    """
    extended = optax.with_extra_args_support(optimizer)
    return extended.update(gradient, state, trained, value=value, grad=gradient, value_fn=value_of)
