"""The slopes of a step's gates, which scale gradients on their way back, and the dead and saturated units."""

import jax
import jax.numpy as jnp

from throughtime._types import Array, Bool, Float, GateBias
from throughtime.cells.base import GatedCell, State

SATURATED = 0.05  # of the largest slope: a gradient shrinks twentyfold in one step of such a unit


def gates_and_slopes(cell: GatedCell, state: State, gx: GateBias) -> tuple[Float[Array, "G H"], Float[Array, "G H"]]:
    """Return the values of the gates in this step and their slopes, the derivatives by their own pre-activations.

    A derivative is that by the gate's own block of ``gx``, with all others fixed. If a gate acts on another one within
    the step, as r on n in a GRU, that path does not count.

    Args:
        cell: any gated cell; the gate of a unit must not depend on other units' entries in the gate's own block.
        state: the state before the step.
        gx: the projected input (G*H,).

    Returns:
        Values (G, H), as :meth:`GatedCell.gates` returns them, and slopes (G, H).
    """
    gates = len(cell.GATES)
    values, along = jax.linearize(lambda gx: jnp.stack(cell.gates(state, gx)), gx)
    blocks = jnp.repeat(
        jnp.eye(gates, dtype=gx.dtype), cell.hidden, axis=1
    )  # (G, G*H): row g selects the block of gate g
    own = jnp.arange(gates)
    return values, jax.vmap(along)(blocks)[own, own]


def dead_and_saturated(
    values: Float[Array, "G H"], slopes: Float[Array, "G H"], largest: tuple[float | None, ...]
) -> tuple[Bool[Array, "G H"], Bool[Array, "G H"]]:
    """Return masks of the dead and of the saturated gates, unit by unit.

    Args:
        values: the values of the gates.
        slopes: their slopes, as :func:`gates_and_slopes` returns them.
        largest: the largest slopes, as :attr:`GatedCell.slopes` returns them; None counts as 1.

    Returns:
        dead: True if slope and value are exactly 0: no gradient comes through.
        saturated: True if the slope is below 5 % of the largest, as of every dead gate.
    """
    dead = (slopes == 0) & (values == 0)
    limits = jnp.asarray([SATURATED * (1.0 if slope is None else slope) for slope in largest], slopes.dtype)
    return dead, jnp.abs(slopes) < jnp.broadcast_to(limits[:, None], slopes.shape)
