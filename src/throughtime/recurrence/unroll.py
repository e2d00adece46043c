"""Unrolling a cell through time: the only place that loops over it.

There are three ways, which give the same numbers. A sequential scan runs any cell, one step after the other. A parallel
scan runs a cell that is linear in its state, all steps at once in about log T sweeps. A native kernel, for the cells
that have one and for the recurrence of linear ones, owns the whole loop on the processor: :mod:`throughtime.kernels`.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from throughtime._errors import InputError
from throughtime._types import Array, Inputs, Mask, Outputs
from throughtime.cells import Cell, LinearCell
from throughtime.kernels import native, serves, serves_linear, states
from throughtime.recurrence.scans import linear_scan, parallel_recurrence, sequential_scan


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

    Native kernels have a derivative backward, of any order, but none forward: where ``jax.jvp`` or ``jax.jacfwd`` is
    asked for, run it ``with throughtime.kernels.off():``.

    Raises:
        InputError: where a shape does not fit the cell or another argument, or the mask is not boolean.
    """
    xs = jnp.asarray(xs)
    mask = None if mask is None else jnp.asarray(mask)
    require_shapes(cell, xs, mask)
    _require_state(cell, state, xs.shape[:-2])
    if state is None:
        one = cell.initial_state()
        state = jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, (*xs.shape[:-2], *leaf.shape)), one)
    if serves(cell, xs, state):
        return native(cell, state, xs, mask, reverse=reverse)
    scan = _scan_for(cell, xs)
    if xs.ndim == 2:
        return scan(state, xs, mask, reverse)

    def one_sequence(state: Any, xs: Array, mask: Mask | None) -> tuple[Any, Array]:
        return scan(state, xs, mask, reverse)

    return jax.vmap(one_sequence)(state, xs, mask)


def _scan_for(cell: Cell, xs: Array) -> Callable[..., tuple[Any, Array]]:
    """The fastest way. Without a kernel, in parallel one sequence takes up to 2.5 times less on a CPU; a batch is as
    fast or faster in steps, which keep it busy as well.
    """
    if isinstance(cell, LinearCell):
        if serves_linear(cell, xs):
            return partial(linear_scan, states, cell)
        if xs.ndim == 2 or jax.default_backend() != "cpu":
            return partial(linear_scan, parallel_recurrence, cell)
    return partial(sequential_scan, cell)


def require_shapes(cell: Cell, xs: Array, mask: Array | None) -> None:
    """Inputs and a mask that fit each other and the cell.

    Raises:
        InputError: where they do not.
    """
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
