"""Unrolling a cell through time.

Three methods give the same numbers, up to rounding. A scan runs any cell, one step after the other. A parallel scan
runs a cell that is linear in its state, all steps at once in about log T sweeps. A native kernel runs the whole loop in
C++ on the CPU, for the cells that have one and for the recurrence of linear ones: :mod:`throughtime.kernels`.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp

from throughtime._devices import split_alike, vary_alike
from throughtime._fork import require_threads
from throughtime._mesh import by_rows
from throughtime._types import Array, Inputs, Mask, Outputs
from throughtime.cells import Cell, LinearCell
from throughtime.kernels import native_recurrence, native_unroll
from throughtime.recurrence.checks import require_cell, require_shapes, require_state, require_types
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

    Outside of ``jax.jit`` it compiles once for each shape. Inside ``jax.shard_map``, and on a mesh with explicit axes,
    a state and a mask are spread over the devices as the inputs are.

    Raises:
        InputError: if ``cell`` is no cell, a shape or a type does not fit the cell or another argument, the mask is not
            boolean, or the method cannot run this cell.
    """
    require_cell(cell)
    require_threads()
    xs = jnp.asarray(xs)
    mask = None if mask is None else jnp.asarray(mask)
    require_shapes(cell, xs, mask)
    require_state(cell, state, xs.shape[:-2])
    state = jax.tree.map(jnp.asarray, state)
    require_method(method, cell.stepper, xs, state)
    chosen = _choose(cell.stepper, xs, state) if method == "auto" else method
    return _unroll(cell, xs, state, mask, reverse=bool(reverse), method=chosen)


def _choose(cell: Cell, xs: Array, state: Any) -> Chosen:
    try:
        return choose_method(cell, xs, state)
    except TypeError:  # numbers that the cell cannot take, which require_types will name
        return "scan"


@eqx.filter_jit
def _unroll(
    cell: Cell, xs: Array, state: Any, mask: Mask | None, *, reverse: bool, method: Chosen
) -> tuple[Any, Array]:
    """Run a cell by this method.

    JAX compiles a scan anew for every new function that it gets, and never frees the program. One function that holds
    the scan is compiled once for each shape, also where ``unroll`` is called outside of ``jax.jit``.
    """
    if state is None:
        initial = cell.initial_state()
        state = jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, (*xs.shape[:-2], *leaf.shape)), initial)
    rows = vary_alike((state, xs, mask), cell)
    run = partial(_run, reverse=reverse, method=method)
    return by_rows(run, cell.stepper, rows) if method == "kernel" else run(cell.stepper, rows)


def _run(cell: Cell, rows: tuple[Any, Array, Mask | None], *, reverse: bool, method: Chosen) -> tuple[Any, Array]:
    """Run a cell over a state, inputs and a mask."""
    state, xs, mask = rows
    if method == "kernel" and not isinstance(cell, LinearCell):
        return native_unroll(cell, state, xs, mask, reverse=reverse)
    scan = _scan(method, cell)

    def one_sequence(state: Any, xs: Array, mask: Mask | None) -> tuple[Any, Array]:
        require_types(cell, xs, state)
        return scan(state, xs, mask, reverse)

    if xs.ndim == 2:
        return one_sequence(state, xs, mask)
    return jax.vmap(one_sequence)(*split_alike(rows))


def _scan(method: Chosen, cell: Cell) -> Callable[..., tuple[Any, Array]]:
    """Return the function of state, xs (T, D), mask and reverse that runs one sequence."""
    if method == "scan" or not isinstance(cell, LinearCell):
        return partial(sequential_scan, cell)
    recurrence = native_recurrence if method == "kernel" else parallel_recurrence
    return partial(linear_scan, recurrence, cell)
