"""What there is to see in a network at one moment: what it says to one window, its units, and what flows back."""

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp

from throughtime._types import Array, Float, Int
from throughtime.layers import RecurrentNetwork
from throughtime.recurrence import unroll_perturbed, zero_perturbations


class Look(NamedTuple):
    """One window, seen through a network.

    Attributes:
        predictions: (T,) of the next value, at each step.
        activity: (T, H) the units' outputs.
        gradients: (T, H) the size of dL/ds_t, unit by unit, with L the squared error at one step and s_t the state
            after step t, all of its arrays together; at that step itself, of dL/dy. Zero after it.
    """

    predictions: Float[Array, "T"]
    activity: Float[Array, "T H"]
    gradients: Float[Array, "T H"]


@eqx.filter_jit
def look(network: RecurrentNetwork, window: Float[Array, "S"], at: Int[Array, ""]) -> Look:
    """See a window (T + 1,) through a network; ``at`` is the step whose error is followed back."""
    xs, targets = window[:-1, None], window[1:]
    steps = len(xs)
    none = jnp.zeros((steps, network.cell.hidden), window.dtype)

    def error(added: tuple[Any, Array]) -> tuple[Array, tuple[Array, Array]]:
        nudges, to_output = added
        ys = unroll_perturbed(network.cell, xs, nudges)[1] + to_output
        predictions = jax.vmap(network.readout)(ys)[:, 0]
        return (predictions[at] - targets[at]) ** 2, (predictions, ys)

    (by_state, by_output), (predictions, ys) = jax.grad(error, has_aux=True)(
        (zero_perturbations(network.cell, steps), none)
    )
    sizes = _norm(jnp.stack(jax.tree.leaves(by_state)))
    after = jnp.pad(sizes[1:], ((0, 1), (0, 0)))  # the state after step t is what enters step t + 1
    here = jnp.arange(steps)[:, None] == at
    return Look(predictions, ys, jnp.where(here, jnp.abs(by_output), after))


def _norm(parts: Float[Array, "S T H"]) -> Float[Array, "T H"]:
    """Over the arrays of a state. By the largest first: the squares of what has nearly vanished would be zero."""
    largest = jnp.max(jnp.abs(parts), axis=0)
    scale = jnp.where(largest > 0, largest, 1)
    return scale * jnp.sqrt(jnp.sum(jnp.square(parts / scale[None]), axis=0))
