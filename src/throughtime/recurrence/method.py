"""The methods of unrolling a cell, and the choice between them."""

import math
from typing import Any, Literal, get_args

import jax
import jax.numpy as jnp

from throughtime._errors import InputError
from throughtime._types import Array
from throughtime.cells import Cell, LinearCell
from throughtime.kernels import coefficient_dtypes, why_no_kernel

Method = Literal["auto", "scan", "parallel", "kernel"]
Chosen = Literal["scan", "parallel", "kernel"]

# Elman, GRU and LSTM. XLA compiles a loop over little data as one function, and the scan is as fast as the kernel.
LEAST_WORK = 20_000  # multiplications by recurrent weights in all steps
LEAST_UNITS = 8  # units for a batch with less work
LEAST_STEPS = 12  # steps of one sequence: fewer do not pay for packing the weights

# Cells that are linear in their state. The same, in numbers of all states.
LEAST_OF_SEQUENCE = 200
LEAST_OF_BATCH = 1_500
MOST_COMPLEX = 3_000_000  # above, computing complex a and c for all steps at once takes longer than the whole scan
# Real cells with many gates compute more for all steps at once: with fewer numbers in a sequence than this, or with
# many units in a batch of one, the scan is as fast.
MANY_GATES, LEAST_OF_MANY_GATES, MANY_UNITS = 3, 300, 100


def choose_method(cell: Cell, xs: Array, state: Any) -> Chosen:
    """Return the fastest method for a cell over inputs xs (T, D) or (B, T, D) from a state.

    Measured on CPUs with AVX2 and AVX-512, whole training steps, by ``benchmarks/recurrent_step.py --grid``. B is 1 for
    one sequence, H the number of units, G that of gates:

    ================  ====================================================================  ===========================
    cell              size                                                                  method
    ================  ====================================================================  ===========================
    Elman, GRU, LSTM  B > 1 and H >= 8                                                      kernel
    ..                B T G H^2 >= 20,000, and B > 1 or T >= 12                             kernel
    ..                smaller                                                               scan
    LinearCell        T H < 200 or B T H < 1,500                                            as without a kernel
    .. complex        B T H > 3,000,000                                                     as without a kernel
    .. real, G >= 3   T H < 300, or a batch of one with H >= 100                            as without a kernel
    ..                else                                                                  kernel
    .. no kernel      one sequence, or not on a CPU                                         parallel
    .. no kernel      a batch on a CPU, which one step of all sequences keeps busy as well  scan
    any other                                                                               scan
    ================  ====================================================================  ===========================

    The kernel is up to 7.7 times as fast as the scan, and the parallel scan of one sequence up to 2.5 times as fast. A
    kernel is chosen only if one can run the cell: :func:`throughtime.kernels.why_no_kernel`.
    """
    if _kernel_is_faster(cell, xs) and why_no_kernel(cell, xs, state) is None:
        return "kernel"
    if isinstance(cell, LinearCell) and (xs.ndim == 2 or jax.default_backend() != "cpu"):
        return "parallel"
    return "scan"


def _kernel_is_faster(cell: Cell, xs: Array) -> bool:
    batch, steps = math.prod(xs.shape[:-2]), xs.shape[-2]
    if isinstance(cell, LinearCell):
        return _linear_kernel_is_faster(cell, xs)
    if batch > 1 and cell.hidden >= LEAST_UNITS:
        return True
    work = batch * steps * len(cell.GATES) * cell.hidden**2
    return work >= LEAST_WORK and (batch > 1 or steps >= LEAST_STEPS)


def _linear_kernel_is_faster(cell: LinearCell, xs: Array) -> bool:
    of_sequence = xs.shape[-2] * cell.hidden
    of_batch = math.prod(xs.shape[:-2]) * of_sequence
    if of_sequence < LEAST_OF_SEQUENCE or of_batch < LEAST_OF_BATCH:
        return False
    if jnp.issubdtype(coefficient_dtypes(cell, xs)[1], jnp.complexfloating):
        return of_batch <= MOST_COMPLEX
    batch_of_one = xs.shape[:-2] == (1,)
    scan_is_fast = of_sequence < LEAST_OF_MANY_GATES or (batch_of_one and cell.hidden >= MANY_UNITS)
    return len(cell.GATES) < MANY_GATES or not scan_is_fast


def require_method(method: str, cell: Cell, xs: Array, state: Any) -> None:
    """Check that a method is known and can run a cell over inputs xs from a state.

    Raises:
        InputError: if it is not, or cannot.
    """
    kind, expected = type(cell).__name__, get_args(Method)
    if method not in expected:
        raise InputError(
            f"unknown method {method!r}: expected one of {', '.join(expected)}",
            code="unknown-method",
            found=method,
            expected=expected,
        )
    if method == "kernel" and (reason := why_no_kernel(cell, xs, state)) is not None:
        raise InputError(
            f"no native kernel can run this {kind}: {reason}. Use method='auto' or method='scan'.",
            code="no-kernel",
            found=reason,
        )
    if method == "parallel" and not isinstance(cell, LinearCell):
        raise InputError(
            f"a parallel scan cannot run a {kind}: expected a LinearCell such as MinGRU, MinLSTM or LRU. "
            "Use method='auto' or method='scan'.",
            code="not-linear",
            found=kind,
            expected="LinearCell",
        )
