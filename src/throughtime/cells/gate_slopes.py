"""What a step's gates let back: their slopes, and which units are dead or saturated."""

import jax
import jax.numpy as jnp

from throughtime._types import Array, Bool, Float, GateBias
from throughtime.cells.base import GatedCell, State

SATURATED = 0.05  # of the largest slope: what comes back through such a unit has shrunk twentyfold in one step


def gates_and_slopes(cell: GatedCell, state: State, gx: GateBias) -> tuple[Float[Array, "G H"], Float[Array, "G H"]]:
    """What each gate says in this step, and its slope: its derivative by its own pre-activation.

    A pre-activation is moved through its gate's block of ``gx``, all others held. Where one gate acts on another
    inside a step, as r on n in a GRU, that way is not counted.

    Args:
        cell: any gated cell; a unit's gate must depend on no other unit's entry of the gate's own block.
        state: before the step.
        gx: (G*H,) the projected input.

    Returns:
        Values (G, H), as :meth:`GatedCell.gates` gives them, and slopes (G, H).
    """
    gates = len(cell.GATES)
    values, along = jax.linearize(lambda gx: jnp.stack(cell.gates(state, gx)), gx)
    blocks = jnp.repeat(jnp.eye(gates, dtype=gx.dtype), cell.hidden, axis=1)  # (G, G*H): one gate's block each
    every = jnp.arange(gates)
    return values, jax.vmap(along)(blocks)[every, every]


def dead_and_saturated(
    values: Float[Array, "G H"], slopes: Float[Array, "G H"], largest: tuple[float | None, ...]
) -> tuple[Bool[Array, "G H"], Bool[Array, "G H"]]:
    """Which gates of which units let nothing back, and say nothing; and which let back next to nothing.

    Args:
        values: what the gates say.
        slopes: as :func:`gates_and_slopes` gives them.
        largest: of each gate's function, as :attr:`GatedCell.slopes` has it; 1 is taken for None.

    Returns:
        Dead: slope and value are exactly 0. Saturated: the slope is below 5 % of the largest. Whatever is dead is
        saturated too.
    """
    dead = (slopes == 0) & (values == 0)
    limits = jnp.asarray([SATURATED * (1.0 if one is None else one) for one in largest], slopes.dtype)
    return dead, jnp.abs(slopes) < jnp.broadcast_to(limits[:, None], slopes.shape)
