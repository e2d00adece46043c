"""A look through a network: its predictions for one window, its units, and the gradients that flow back."""

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp

from throughtime._types import Array, Float, Int
from throughtime.layers import RecurrentNetwork
from throughtime.recurrence import unroll_perturbed, zero_perturbations


class Look(NamedTuple):
    """A window as a network computes it.

    Attributes:
        predictions: (T,) the prediction of the next value at each step.
        activity: (T, H) the outputs of the units.
        gradients: (T, H) for each unit the norm of dL/ds_t over the arrays of the state s_t after step t, with L the
            squared error at one step. At that step itself |dL/dy|, and 0 after it.
    """

    predictions: Float[Array, "T"]
    activity: Float[Array, "T H"]
    gradients: Float[Array, "T H"]


@eqx.filter_jit
def look_through(network: RecurrentNetwork, window: Float[Array, "S"], at: Int[Array, ""]) -> Look:
    """Return the look at a window (T + 1,), with the squared error at the step ``at`` followed back."""
    xs, targets = window[:-1, None], window[1:]
    steps = len(xs)
    none = jnp.zeros((steps, network.cell.hidden), window.dtype)

    def error(added: tuple[Any, Array]) -> tuple[Array, tuple[Array, Array]]:
        to_states, to_outputs = added
        ys = unroll_perturbed(network.cell, xs, to_states)[1] + to_outputs
        predictions = jax.vmap(network.readout)(ys)[:, 0]
        return (predictions[at] - targets[at]) ** 2, (predictions, ys)

    (by_state, by_output), (predictions, ys) = jax.grad(error, has_aux=True)(
        (zero_perturbations(network.cell, steps), none)
    )
    sizes = _norm(jnp.stack(jax.tree.leaves(by_state)))
    after = jnp.pad(sizes[1:], ((0, 1), (0, 0)))  # the state after step t is the state before step t + 1
    here = jnp.arange(steps)[:, None] == at
    return Look(predictions, ys, jnp.where(here, jnp.abs(by_output), after))


def _norm(parts: Float[Array, "S T H"]) -> Float[Array, "T H"]:
    """Return the norm over the arrays of a state.

    They are divided by the largest first: the squares of nearly vanished gradients would be 0.
    """
    largest = jnp.max(jnp.abs(parts), axis=0)
    scale = jnp.where(largest > 0, largest, 1)
    return scale * jnp.sqrt(jnp.sum(jnp.square(parts / scale[None]), axis=0))
