"""Why a run went wrong: the step, the first array in it that is not finite, and the likely cause.

A step is the same whenever it is done, so the one that failed is done again from the weights before it, in its parts,
and beside it some others that tell causes apart:

- with all weights zero: if the loss is still not finite, the batch is to blame;
- with the weights that training began with: if the loss is finite with them, training led the weights astray;
- with a loss 2^100 times smaller: the way back is linear, so a gradient that was only too large for its type becomes
  finite, and one that met an infinite slope does not.
"""

import math
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from throughtime._types import Array, Bool, Scalar
from throughtime.training.checkpoint import named_leaves
from throughtime.training.step import Loss, Step, TrainState, batch_key, take_step

SMALLER = 2.0**-100


class _Evidence(NamedTuple):
    """The failed step, and the others on its batch: two losses, a gradient."""

    step: Step
    without_weights: Scalar
    with_first_weights: Scalar
    small_gradient: Any


def all_finite(tree: Any) -> Bool[Array, ""]:
    """Whether every number of a tree is finite."""
    finite = [jnp.isfinite(leaf).all() for leaf in jax.tree.leaves(tree) if jnp.issubdtype(leaf.dtype, jnp.inexact)]
    return jnp.stack(finite).all() if finite else jnp.array(True)


def explain(
    first: TrainState, before: TrainState | None, loss: Loss, optimizer: optax.GradientTransformation, data: Any
) -> str:
    """What went wrong in a step, in words.

    Args:
        first: the state that training began with.
        before: the last good one, before the failed step; None where ``first`` is not good itself.
        loss: as the loop has it.
        optimizer: as the loop has it.
        data: as the loop has it.
    """
    if before is None:
        bad = _first_bad(first.model, "the weights", "model")
        return f"training cannot start: {bad}. Likely cause: they were not finite when they were drawn or loaded."
    seen = jax.jit(_look, static_argnums=(0, 1))(loss, optimizer, first, before, data)
    number, step = int(before.step) + 1, seen.step
    if not np.isfinite(step.value):
        found, cause = f"the loss of step {number} is {step.value}", _of_the_loss(seen, first, before, data)
    elif bad := _first_bad(step.gradient, f"the gradient of step {number}", "model"):
        found, cause = bad, _of_the_gradient(seen)
    elif bad := _first_bad(step.updates, f"the update of step {number}", "model"):
        moments = _first_bad(step.state.optimizer, "its state", "optimizer")
        found, cause = (
            bad,
            f"the optimizer, whose gradient is finite{f': {moments}' if moments else ''}. Lower the learning rate.",
        )
    else:
        bad = _first_bad(step.state.model, f"the weights after step {number}", "model")
        found = bad or f"the numbers of step {number} are at the edge of what their type holds"
        cause = (
            f"a learning rate that is too high. {_growth(first, before)} Lower the learning rate or clip the gradient."
        )
    return f"training diverged: {found}. Likely cause: {cause}"


def _look(
    loss: Loss, optimizer: optax.GradientTransformation, first: TrainState, before: TrainState, data: Any
) -> _Evidence:
    key = batch_key(before)
    return _Evidence(
        take_step(loss, optimizer, before, data),
        loss(jax.tree.map(jnp.zeros_like, before.model), data, key),
        loss(first.model, data, key),
        jax.grad(lambda model: SMALLER * loss(model, data, key))(before.model),
    )


def _of_the_loss(seen: _Evidence, first: TrainState, before: TrainState, data: Any) -> str:
    """The weights are finite, their loss is not."""
    if not np.isfinite(seen.without_weights):
        bad = _first_bad(data, "in the data", "data")
        return (
            "inputs or targets that are not finite, or too large to be squared: with all weights 0 the loss is "
            f"{seen.without_weights} too. Check the data{f': {bad}' if bad else ''}."
        )
    if np.isfinite(seen.with_first_weights):
        return (
            f"a learning rate that is too high, or exploding gradients. {_growth(first, before)} With the weights of "
            f"step {int(first.step)} the loss of the same batch is {seen.with_first_weights:.3g}: lower the learning "
            "rate or clip the gradient."
        )
    return (
        f"activations that overflow on their way through time: the weights are finite (norm {_norm(before.model):.3g}) "
        "and with all weights 0 the loss is finite. Start with smaller recurrent weights, take a bounded activation "
        "or shorter windows."
    )


def _of_the_gradient(seen: _Evidence) -> str:
    """The loss is finite, its gradient is not."""
    if (size := _norm(seen.small_gradient)) < math.inf:
        return (
            f"an exploding gradient. The loss is {seen.step.value:.3g}, the gradient's norm about "
            f"1e{math.log10(size / SMALLER):.0f}, past what its type holds, so that clipping has nothing left to clip. "
            "Start with smaller recurrent weights, take shorter windows or lower the learning rate."
        )
    return (
        f"an infinite slope. The loss is {seen.step.value:.3g}, but its gradient is not finite however small the loss "
        "is made: look for sqrt or log at 0, a division by 0, or a where() that hides a number that is not finite."
    )


def _growth(first: TrainState, before: TrainState) -> str:
    return (
        f"From step {int(first.step)} to step {int(before.step)} the norm of the weights went from "
        f"{_norm(first.model):.3g} to {_norm(before.model):.3g}."
    )


def _norm(tree: Any) -> float:
    """The global norm, of numbers whose squares only float64 holds."""
    leaves = [np.asarray(leaf, np.float64).ravel() for leaf in named_leaves(tree, "model").values()]
    return float(np.linalg.norm(np.concatenate(leaves)))


def _first_bad(tree: Any, what: str, prefix: str) -> str:
    """The first array that is not finite, in words; nothing where all are."""
    for name, leaf in named_leaves(tree, prefix).items():
        array = np.asarray(leaf)
        if jnp.issubdtype(array.dtype, jnp.inexact) and not (finite := np.isfinite(array)).all():
            return f"{what}, {name}, holds {array[~finite][0]} in {(~finite).sum()} of {array.size} places"
    return ""
