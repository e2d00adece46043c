"""The states that a cell visits, and unrolling under perturbations of the state, which gradients differentiate."""

from typing import Any

import jax
import jax.numpy as jnp

from throughtime._types import Array, Float
from throughtime.cells import Cell


def trajectory(cell: Cell, xs: Float[Array, "T D"], state: Any = None) -> tuple[Any, Array]:
    """Run one sequence and return every state and the projected inputs.

    Returns:
        The states s_0 .. s_T, T + 1 along a leading axis, and gx (T, G*H).
    """
    first = cell.initial_state() if state is None else state
    gx = cell.project(xs)

    def step(state: Any, gx: Array) -> tuple[Any, Any]:
        state, _ = cell.step(state, gx)
        return state, state

    _, later = jax.lax.scan(step, first, gx)
    return jax.tree.map(lambda start, rest: jnp.concatenate([start[None], rest]), first, later), gx


def zero_perturbations(cell: Cell, steps: int) -> Any:
    """Return zero perturbations for ``steps`` steps: the point at which :func:`unroll_perturbed` is differentiated.

    Every array of the state gets a leading axis of ``steps``.
    """
    return jax.tree.map(lambda leaf: jnp.zeros((steps, *leaf.shape), leaf.dtype), cell.initial_state())


def unroll_perturbed(
    cell: Cell, xs: Float[Array, "T D"], perturbations: Any, state: Any = None
) -> tuple[Any, Float[Array, "T H"]]:
    """Unroll one sequence, adding a perturbation to the state before each step.

    At perturbations of zero it is :func:`throughtime.unroll`; its derivative there is the gradient that arrives at
    each step's state.

    Args:
        cell: any cell.
        xs: inputs (T, D).
        perturbations: like the state, with a leading T; None in place of an array that is not perturbed.
        state: the first state; the cell's initial state by default.

    Returns:
        The last state and the outputs (T, H).
    """

    def step(state: Any, at: tuple[Any, Array]) -> tuple[Any, Array]:
        perturbation, gx = at
        pairs = zip(_leaves(state), _leaves(perturbation), strict=True)
        leaves = [leaf if change is None else leaf + change for leaf, change in pairs]
        return cell.step(jax.tree.unflatten(jax.tree.structure(state), leaves), gx)

    first = cell.initial_state() if state is None else state
    return jax.lax.scan(step, first, (perturbations, cell.project(xs)))


def _leaves(tree: Any) -> list[Any]:
    """Return the leaves of a tree; None counts as one."""
    return jax.tree.leaves(tree, is_leaf=lambda leaf: leaf is None)
