"""What there is to see in a network at one moment: what it says to one window, its units, and what flows back."""

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp

from throughtime.layers import RecurrentNetwork
from throughtime.shapes import Array, Float, Int


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
    steps, hidden = len(xs), network.cell.hidden
    # The gradient by something that is added to each state, and is zero, is the gradient by the state.
    nothing = jax.tree.map(lambda leaf: jnp.zeros((steps, *leaf.shape), leaf.dtype), network.cell.initial_state())
    none = jnp.zeros((steps, hidden), window.dtype)

    def error(added: tuple[Any, Array]) -> tuple[Array, tuple[Array, Array]]:
        ys = _outputs(network, xs, *added)
        predictions = jax.vmap(network.readout)(ys)[:, 0]
        return (predictions[at] - targets[at]) ** 2, (predictions, ys)

    (by_state, by_output), (predictions, ys) = jax.grad(error, has_aux=True)((nothing, none))
    sizes = _norm(jnp.stack(jax.tree.leaves(by_state)))
    after = jnp.pad(sizes[1:], ((0, 1), (0, 0)))  # the state after step t is what enters step t + 1
    here = jnp.arange(steps)[:, None] == at
    return Look(predictions, ys, jnp.where(here, jnp.abs(by_output), after))


def _norm(parts: Float[Array, "S T H"]) -> Float[Array, "T H"]:
    """Over the arrays of a state. By the largest first: the squares of what has nearly vanished would be zero."""
    largest = jnp.max(jnp.abs(parts), axis=0)
    scale = jnp.where(largest > 0, largest, 1)
    return scale * jnp.sqrt(jnp.sum(jnp.square(parts / scale[None]), axis=0))


def _outputs(network: RecurrentNetwork, xs: Array, to_state: Any, to_output: Array) -> Float[Array, "T H"]:
    """The cell's outputs; ``to_state`` is added to the state that enters each step, ``to_output`` to what comes out."""

    def step(state: Any, at: tuple[Array, Any, Array]) -> tuple[Any, Array]:
        gx, to_state, to_output = at
        state, y = network.cell.step(jax.tree.map(jnp.add, state, to_state), gx)
        return state, y + to_output

    steps = (network.cell.project(xs), to_state, to_output)
    return jax.lax.scan(step, network.cell.initial_state(), steps)[1]
