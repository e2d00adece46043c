"""The states that a cell passes through, and unrolling with a perturbed state, for derivatives by each step's state."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp

from throughtime._devices import vary_alike
from throughtime._types import Array, Float
from throughtime.cells import Cell


@eqx.filter_jit
def trajectory(cell: Cell, xs: Float[Array, "T D"], state: Any = None) -> tuple[Any, Array]:
    """Return the states s_0 .. s_T of one sequence, T + 1 along a leading axis, and the projections gx (T, G*H)."""
    first, xs = vary_alike((cell.initial_state() if state is None else state, xs), cell)
    gx = cell.project(xs)

    def visited(state: Any, gx: Array) -> tuple[Any, Any]:
        state, _ = cell.step(state, gx)
        return state, state

    _, later = jax.lax.scan(visited, first, gx)
    return jax.tree.map(lambda start, rest: jnp.concatenate([start[None], rest]), first, later), gx


def zero_perturbations(cell: Cell, steps: int) -> Any:
    """Return zero perturbations for ``steps`` steps: the point at which :func:`unroll_perturbed` is differentiated."""
    return jax.tree.map(lambda leaf: jnp.zeros((steps, *leaf.shape), leaf.dtype), cell.initial_state())


@eqx.filter_jit
def unroll_perturbed(cell: Cell, xs: Float[Array, "T D"], perturbations: Any, state: Any = None) -> tuple[Any, Array]:
    """Return the last state and the outputs (T, H) of one sequence; before each step its perturbation is added.

    With zero perturbations this is :func:`unroll`. The derivative of a loss by perturbation t is then its derivative
    by the state before step t.

    Args:
        cell: any cell.
        xs: (T, D).
        perturbations: like the state, with a leading T; None in the place of an array that is not perturbed.
        state: the initial state; the cell's own if it is None.
    """

    def step(state: Any, at: tuple[Any, Array]) -> tuple[Any, Array]:
        perturbation, gx = at
        pairs = zip(_leaves(state), _leaves(perturbation), strict=True)
        moved = [leaf if added is None else leaf + added for leaf, added in pairs]
        return cell.step(jax.tree.unflatten(jax.tree.structure(state), moved), gx)

    first, xs = vary_alike((cell.initial_state() if state is None else state, xs), cell, perturbations)
    return jax.lax.scan(step, first, (perturbations, cell.project(xs)))


def _leaves(tree: Any) -> list[Any]:
    return jax.tree.leaves(tree, is_leaf=lambda leaf: leaf is None)
