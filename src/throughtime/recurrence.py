"""Unrolling a cell through time: the only place that loops over it."""

from typing import Any

import jax
import jax.numpy as jnp

from throughtime.cells.base import Cell
from throughtime.errors import InputError
from throughtime.shapes import Array, Inputs, Mask, Outputs


def unroll(
    cell: Cell,
    xs: Inputs,
    state: Any = None,
    *,
    mask: Mask | None = None,
    reverse: bool = False,
) -> tuple[Any, Outputs]:
    """Run a cell over a sequence, or over a batch of them.

    Args:
        cell: any cell.
        xs: inputs (T, D), or a batch (B, T, D).
        state: where to start, as an earlier call returned it, with a leading B for a batch; the cell's own initial
            state where it is None.
        mask: (T,) or (B, T), True where there is an input. A step that is masked out keeps the state and gives
            zeros, whatever its input holds (NaN too): a padded, masked sequence gives the numbers of the unpadded one.
        reverse: run from the last step to the first. Outputs stay at the place of their inputs.

    Returns:
        The state after the last step that ran, and the outputs (T, H) or (B, T, H).

    Raises:
        InputError: where a shape does not fit the cell or another argument, or the mask is not boolean.
    """
    xs = jnp.asarray(xs)
    mask = None if mask is None else jnp.asarray(mask)
    _require_shapes(cell, xs, mask)
    _require_state(cell, state, xs.shape[:-2])
    if xs.ndim == 2:
        return _scan(cell, cell.initial_state() if state is None else state, xs, mask, reverse)
    if state is None:
        one = cell.initial_state()
        state = jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, (xs.shape[0], *leaf.shape)), one)

    def one_sequence(state: Any, xs: Array, mask: Mask | None) -> tuple[Any, Array]:
        return _scan(cell, state, xs, mask, reverse)

    return jax.vmap(one_sequence)(state, xs, mask)


def _scan(cell: Cell, state: Any, xs: Array, mask: Mask | None, reverse: bool) -> tuple[Any, Array]:
    """One sequence (T, D); ``project`` does the input's product for all T before the loop."""
    if mask is None:
        return jax.lax.scan(lambda *at: cell.step(*at), state, cell.project(xs), reverse=reverse)
    # Not a number times zero is not a number, in the gradient too: what is masked out must not enter at all.
    observed = jnp.where(mask[:, None], xs, 0)

    def masked_step(state: Any, step: tuple[Array, Array]) -> tuple[Any, Array]:
        gx, observed = step
        moved, y = cell.step(state, gx)
        kept = jax.tree.map(lambda new, old: jnp.where(observed, new, old), moved, state)
        return kept, jnp.where(observed, y, 0)

    return jax.lax.scan(masked_step, state, (cell.project(observed), mask), reverse=reverse)


def _require_shapes(cell: Cell, xs: Array, mask: Array | None) -> None:
    if xs.ndim not in (2, 3) or xs.shape[-1] != cell.inputs:
        raise InputError(
            f"xs has shape {xs.shape}: expected (T, {cell.inputs}) or (B, T, {cell.inputs}) for a cell of "
            f"{cell.inputs} inputs"
        )
    if mask is not None and mask.shape != xs.shape[:-1]:
        raise InputError(f"mask has shape {mask.shape}: expected {xs.shape[:-1]}, one value for each step of xs")
    if mask is not None and mask.dtype != bool:
        raise InputError(f"mask has dtype {mask.dtype}: expected bool, True where xs holds an input")


def _require_state(cell: Cell, state: Any, batch: tuple[int, ...]) -> None:
    if state is None:
        return
    one = jax.eval_shape(cell.initial_state)
    came = [jnp.shape(leaf) for leaf in jax.tree.leaves(state)]
    expected = [(*batch, *leaf.shape) for leaf in jax.tree.leaves(one)]
    if (jax.tree.structure(state), came) != (jax.tree.structure(one), expected):
        raise InputError(
            f"state is a {type(state).__name__} with shapes {came}: expected a {type(one).__name__} with shapes "
            f"{expected}, as unroll returns it for the same cell and batch"
        )
