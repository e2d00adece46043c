"""The states a cell visits, and unrolling under perturbations of the state, which gradients differentiate."""

from typing import Any

import jax
import jax.numpy as jnp

from throughtime._types import Array, Float
from throughtime.cells import Cell


def trajectory(cell: Cell, xs: Float[Array, "T D"], state: Any = None) -> tuple[Any, Array]:
    """Where one sequence leads, step by step: the states s_0 .. s_T, T + 1 along a leading axis, and gx (T, G*H)."""
    first = cell.initial_state() if state is None else state
    gx = cell.project(xs)

    def visited(state: Any, gx: Array) -> tuple[Any, Any]:
        state, _ = cell.step(state, gx)
        return state, state

    _, later = jax.lax.scan(visited, first, gx)
    return jax.tree.map(lambda start, rest: jnp.concatenate([start[None], rest]), first, later), gx


def zero_perturbations(cell: Cell, steps: int) -> Any:
    """Nudges of zero for so many steps: where :func:`nudged` is differentiated."""
    return jax.tree.map(lambda leaf: jnp.zeros((steps, *leaf.shape), leaf.dtype), cell.initial_state())


def unroll_perturbed(cell: Cell, xs: Float[Array, "T D"], nudges: Any, state: Any = None) -> tuple[Any, Array]:
    """The last state and the outputs (T, H) of one sequence whose state is nudged before each step.

    At nudges of zero it is :func:`unroll`; its derivative there is what flows back to each step's state.

    Args:
        cell: any cell.
        xs: (T, D).
        nudges: like the state, with a leading T; None in the place of an array that is not nudged.
        state: where to start.
    """

    def pushed(state: Any, step: tuple[Any, Array]) -> tuple[Any, Array]:
        nudge, gx = step
        moved = [old if push is None else old + push for old, push in zip(*map(_leaves, (state, nudge)), strict=True)]
        return cell.step(jax.tree.unflatten(jax.tree.structure(state), moved), gx)

    first = cell.initial_state() if state is None else state
    return jax.lax.scan(pushed, first, (nudges, cell.project(xs)))


def _leaves(tree: Any) -> list[Any]:
    return jax.tree.leaves(tree, is_leaf=lambda leaf: leaf is None)
