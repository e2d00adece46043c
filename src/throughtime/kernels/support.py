"""The limits of the native kernels: which cells and numbers they can run, and why not the others."""

from typing import Any

import jax
import jax.numpy as jnp

from throughtime._devices import is_split
from throughtime._mesh import device_count
from throughtime._types import Array
from throughtime.cells import Cell, Elman, LinearCell
from throughtime.kernels.ffi import spec_of
from throughtime.kernels.library import LINEAR, available
from throughtime.kernels.linear import coefficient_dtypes


def why_no_kernel(cell: Cell, xs: Array, state: Any) -> str | None:
    """Return the reason why no kernel can run this cell on these numbers here and now, or None if one can.

    Args:
        cell: any cell.
        xs: inputs (T, D) or (B, T, D).
        state: the state to start from.
    """
    if isinstance(cell, LinearCell):
        reason = _why_not_linear(cell, xs)
    elif spec_of(cell) is None:
        reason = _why_no_spec(cell)
    else:
        others = {str(jnp.result_type(leaf)) for leaf in jax.tree.leaves((cell, xs, state))} - {"float32"}
        reason = f"kernels compute in float32: cell, xs or state hold {', '.join(sorted(others))}" if others else None
    if reason is None and is_split((cell, xs, state)):
        reason = (
            "cell, xs or state are split over devices by explicit axes, and a kernel would gather them on each device"
        )
    if reason is None and (devices := device_count()) > 1 and (xs.ndim == 2 or len(xs) % devices):
        reason = (
            f"{devices} devices share each batch, but a kernel only where unroll gets a batch (B, T, D) that they "
            "split evenly: else each would run all of it"
        )
    if reason is None and not available():
        return available().why
    return reason


def _why_no_spec(cell: Cell) -> str:
    if type(cell) is Elman:
        return "no kernel knows this activation function: expected one of throughtime.cells.ACTIVATIONS"
    return f"there is no kernel for a {type(cell).__name__}: there are some for Elman, GRU, LSTM and every LinearCell"


def _why_not_linear(cell: LinearCell, xs: Array) -> str | None:
    a, c = coefficient_dtypes(cell, xs)
    if a == c and c.name in LINEAR:
        return None
    return f"kernels compute in {' or '.join(LINEAR)}: the cell's coefficients are {a.name} and {c.name}"
