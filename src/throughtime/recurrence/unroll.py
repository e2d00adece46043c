"""Unrolling a cell through time.

Three methods give the same numbers, up to rounding. A scan runs any cell, one step after the other. A parallel scan
runs a cell that is linear in its state, all steps at once in about log T sweeps. A native kernel runs the whole loop in
C++ on the CPU, for the cells that have one and for the recurrence of linear ones: :mod:`throughtime.kernels`.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from throughtime._errors import InputError
from throughtime._fork import require_threads
from throughtime._types import Array, Inputs, Mask, Outputs
from throughtime.cells import Cell, LinearCell
from throughtime.kernels import native_recurrence, native_unroll
from throughtime.recurrence.method import Chosen, Method, choose_method, require_method
from throughtime.recurrence.scans import linear_scan, parallel_recurrence, sequential_scan


def unroll(
    cell: Cell,
    xs: Inputs,
    state: Any = None,
    *,
    mask: Mask | None = None,
    reverse: bool = False,
    method: Method = "auto",
) -> tuple[Any, Outputs]:
    """Run a cell over a sequence, or over a batch of them.

    Args:
        cell: any cell.
        xs: inputs (T, D), or a batch (B, T, D).
        state: the state to start from, as an earlier call returned it, with a leading B for a batch. By default the
            cell's own initial state.
        mask: (T,) or (B, T), True where there is an input. A masked step (False) keeps the state and gives zeros,
            whatever its input holds, NaN too: a padded, masked sequence gives the numbers of the unpadded one.
        reverse: run from the last step to the first. Outputs stay at the place of their inputs.
        method: ``"scan"``, one step after the other; ``"parallel"``, a parallel scan, for a LinearCell; ``"kernel"``, a
            native kernel, for float32 on a CPU; ``"auto"``, the fastest of them by :func:`choose_method`.

    Returns:
        The state after the last step that ran, and the outputs (T, H) or (B, T, H).

    Native kernels have gradients of any order, but no derivatives in forward mode (``jax.jvp``, ``jax.jacfwd``): for
    those use ``method="scan"``, or ``with throughtime.kernels.off():`` around code that calls unroll.

    Raises:
        InputError: if a shape does not fit the cell or another argument, the mask is not boolean, or the method cannot
            run this cell.
    """
    require_threads()
    xs = jnp.asarray(xs)
    mask = None if mask is None else jnp.asarray(mask)
    require_shapes(cell, xs, mask)
    _require_state(cell, state, xs.shape[:-2])
    if state is None:
        initial = cell.initial_state()
        state = jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, (*xs.shape[:-2], *leaf.shape)), initial)
    require_method(method, cell, xs, state)
    chosen = choose_method(cell, xs, state) if method == "auto" else method
    if chosen == "kernel" and not isinstance(cell, LinearCell):
        return native_unroll(cell, state, xs, mask, reverse=reverse)
    scan = _scan(chosen, cell)
    if xs.ndim == 2:
        return scan(state, xs, mask, reverse)

    def one_sequence(state: Any, xs: Array, mask: Mask | None) -> tuple[Any, Array]:
        return scan(state, xs, mask, reverse)

    return jax.vmap(one_sequence)(state, xs, mask)


def _scan(method: Chosen, cell: Cell) -> Callable[..., tuple[Any, Array]]:
    """Return the function of state, xs (T, D), mask and reverse that runs one sequence."""
    if method == "scan" or not isinstance(cell, LinearCell):
        return partial(sequential_scan, cell)
    recurrence = native_recurrence if method == "kernel" else parallel_recurrence
    return partial(linear_scan, recurrence, cell)


def require_shapes(cell: Cell, xs: Array, mask: Array | None) -> None:
    """Check that inputs and mask fit each other and the cell.

    Raises:
        InputError: if they do not.
    """
    if xs.ndim not in (2, 3) or xs.shape[-1] != cell.inputs:
        expected = f"(T, {cell.inputs}) or (B, T, {cell.inputs})"
        raise InputError(
            f"xs has shape {xs.shape}: expected {expected} for a cell of {cell.inputs} inputs",
            code="wrong-shape",
            found=xs.shape,
            expected=expected,
        )
    if mask is not None and mask.shape != xs.shape[:-1]:
        raise InputError(
            f"mask has shape {mask.shape}: expected {xs.shape[:-1]}, one value for each step of xs",
            code="wrong-mask-shape",
            found=mask.shape,
            expected=xs.shape[:-1],
        )
    if mask is not None and mask.dtype != bool:
        raise InputError(
            f"mask has dtype {mask.dtype}: expected bool, True where xs holds an input",
            code="wrong-mask-dtype",
            found=str(mask.dtype),
            expected="bool",
        )


def _require_state(cell: Cell, state: Any, batch: tuple[int, ...]) -> None:
    """Check that a state has the type and the shapes of the cell's own."""
    if state is None:
        return
    own = jax.eval_shape(cell.initial_state)
    shapes = [jnp.shape(leaf) for leaf in jax.tree.leaves(state)]
    expected = [(*batch, *leaf.shape) for leaf in jax.tree.leaves(own)]
    if (jax.tree.structure(state), shapes) != (jax.tree.structure(own), expected):
        kind, own_kind = type(state).__name__, type(own).__name__
        raise InputError(
            f"state is a {kind} with shapes {shapes}: expected a {own_kind} with shapes {expected}, as unroll returns "
            "it for the same cell and batch",
            code="wrong-state",
            found=(kind, shapes),
            expected=(own_kind, expected),
        )
