"""The scans that unroll a cell: sequential, and parallel for cells that are linear in their state."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from throughtime._types import Array, Mask
from throughtime.cells import Cell, LinearCell


def sequential_scan(cell: Cell, state: Any, xs: Array, mask: Mask | None, reverse: bool) -> tuple[Any, Array]:
    """One sequence (T, D), step by step; ``project`` does the input's product for all T before the loop."""
    if mask is None:
        return jax.lax.scan(lambda *at: cell.step(*at), state, cell.project(xs), reverse=reverse)

    def masked_step(state: Any, step: tuple[Array, Array]) -> tuple[Any, Array]:
        gx, observed = step
        moved, y = cell.step(state, gx)
        kept = jax.tree.map(lambda new, old: jnp.where(observed, new, old), moved, state)
        return kept, jnp.where(observed, y, 0)

    return jax.lax.scan(masked_step, state, (cell.project(_without(xs, mask)), mask), reverse=reverse)


def linear_scan(
    recurrence: Callable[..., Array], cell: LinearCell, state: Any, xs: Array, mask: Mask | None, reverse: bool
) -> tuple[Any, Array]:
    """One sequence (T, D), its coefficients for all steps at once and then the ``recurrence``, a function such as
    :func:`joined` of a and c (T, H).

    A step that is masked out is the move that changes nothing, a = 1 and c = 0.
    """
    if len(xs) == 0:
        return sequential_scan(cell, state, xs, mask, reverse)
    gx = cell.project(xs if mask is None else _without(xs, mask))
    a, c = cell.coefficients(gx)
    if mask is not None:
        a, c = jnp.where(mask[:, None], a, 1), jnp.where(mask[:, None], c, 0)
    first = -1 if reverse else 0
    c = c.at[first].add(a[first] * cell.state_to_array(state))
    memories = recurrence(a, c, reverse=reverse)
    ys = cell.output(memories, gx)
    last = cell.array_to_state(memories[0 if reverse else -1])
    return last, ys if mask is None else jnp.where(mask[:, None], ys, 0)


def parallel_recurrence(a: Array, c: Array, *, reverse: bool) -> Array:
    """The states (T, H) from a and c (T, H), from a state of zeros: moves are joined pairwise, and those again."""
    return jax.lax.associative_scan(_join, (a, c), reverse=reverse)[1]


def _join(earlier: tuple[Array, Array], later: tuple[Array, Array]) -> tuple[Array, Array]:
    """Two moves in a row, as one."""
    (a1, c1), (a2, c2) = earlier, later
    return a2 * a1, a2 * c1 + c2


def _without(xs: Array, mask: Mask) -> Array:
    """Inputs with zeros where they are masked out: not a number times zero is not a number, in the gradient too."""
    return jnp.where(mask[:, None], xs, 0)
