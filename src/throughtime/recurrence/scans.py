"""The scans that unroll a cell: sequential, and parallel for cells that are linear in their state."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from throughtime._types import Array, Mask
from throughtime.cells import Cell, LinearCell


def sequential_scan(cell: Cell, state: Any, xs: Array, mask: Mask | None, reverse: bool) -> tuple[Any, Array]:
    """Run one sequence (T, D) step by step; ``project`` multiplies the inputs of all T steps before the loop."""
    if mask is None:
        # JAX hashes the function, which fails for the bound method cell.step: its cell holds arrays.
        return jax.lax.scan(lambda *at: cell.step(*at), state, cell.project(xs), reverse=reverse)

    def masked_step(state: Any, at: tuple[Array, Array]) -> tuple[Any, Array]:
        gx, observed = at
        new, y = cell.step(state, gx)
        new = jax.tree.map(lambda new, old: jnp.where(observed, new, old), new, state)
        return new, jnp.where(observed, y, 0)

    return jax.lax.scan(masked_step, state, (cell.project(_zero_masked(xs, mask)), mask), reverse=reverse)


def linear_scan(
    recurrence: Callable[..., Array], cell: LinearCell, state: Any, xs: Array, mask: Mask | None, reverse: bool
) -> tuple[Any, Array]:
    """Run one sequence (T, D): its coefficients for all steps at once, then the recurrence.

    Args:
        recurrence: a function of a and c (T, H) that returns the states (T, H) from a state of zeros, such as
            :func:`parallel_recurrence`.
        cell: a linear cell.
        state: the state to start from.
        xs: inputs (T, D).
        mask: (T,). A masked step has a = 1 and c = 0, which changes nothing.
        reverse: run from the last step to the first.
    """
    if len(xs) == 0:
        return sequential_scan(cell, state, xs, mask, reverse)
    gx = cell.project(xs if mask is None else _zero_masked(xs, mask))
    a, c = cell.coefficients(gx)
    if mask is not None:
        a, c = jnp.where(mask[:, None], a, 1), jnp.where(mask[:, None], c, 0)
    first, last = (-1, 0) if reverse else (0, -1)
    c = c.at[first].add(a[first] * cell.state_to_array(state))
    states = recurrence(a, c, reverse=reverse)
    ys = cell.output(states, gx)
    last_state = cell.array_to_state(states[last])
    return last_state, ys if mask is None else jnp.where(mask[:, None], ys, 0)


def parallel_recurrence(a: Array, c: Array, *, reverse: bool) -> Array:
    """Return the states (T, H) for a and c (T, H) from a state of zeros, by joining pairs of steps, then of pairs."""
    return jax.lax.associative_scan(_join, (a, c), reverse=reverse)[1]


def _join(earlier: tuple[Array, Array], later: tuple[Array, Array]) -> tuple[Array, Array]:
    """Return two steps in a row as one: ``a2 (a1 s + c1) + c2 = (a2 a1) s + (a2 c1 + c2)``."""
    (a1, c1), (a2, c2) = earlier, later
    return a2 * a1, a2 * c1 + c2


def _zero_masked(xs: Array, mask: Mask) -> Array:
    """Return inputs with zeros at masked steps.

    Multiplying by the mask would not do: NaN * 0 is NaN, in the gradient too.
    """
    return jnp.where(mask[:, None], xs, 0)
