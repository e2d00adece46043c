"""A look through a network: its predictions for one window, what it says when it goes on alone, and its units."""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp

from throughtime._types import Array, Float, Int
from throughtime.cells import GatedCell
from throughtime.layers import RecurrentNetwork, rollout
from throughtime.recurrence import trajectory


class Look(NamedTuple):
    """A window as a network computes it.

    Attributes:
        predictions: (T,) the prediction of the next value at each step.
        alone: (T,) its continuation of the window, each prediction its next input.
        activity: (T, H) the outputs of the units.
        gates: (G, T) the gates of one unit; none for a cell that does not show its gates.
        memory: (T,) the array c of that unit's state, as in an LSTM; of other cells its output.
    """

    predictions: Float[Array, "T"]
    alone: Float[Array, "T"]
    activity: Float[Array, "T H"]
    gates: Float[Array, "G T"]
    memory: Float[Array, "T"]


@eqx.filter_jit
def look_through(network: RecurrentNetwork, inputs: Float[Array, "T"], unit: Int[Array, ""]) -> Look:
    """Return the look at a window of inputs (T,), and into one of the units."""
    cell, xs = network.cell, inputs[:, None]
    states, gx = trajectory(cell, xs)
    before = jax.tree.map(lambda leaf: leaf[:-1], states)
    _, ys = jax.vmap(cell.step)(before, gx)
    predictions = jax.vmap(network.readout)(ys)[:, 0]
    gates = jnp.zeros((0, len(xs)), ys.dtype)
    if isinstance(cell, GatedCell):
        gates = jnp.stack([gate[:, unit] for gate in jax.vmap(cell.gates)(before, gx)])
    memory = states._asdict().get("c", jnp.concatenate([ys[:1], ys]))
    return Look(predictions, rollout(network, xs, len(xs))[:, 0], ys, gates, memory[1:, unit])
