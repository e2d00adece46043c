"""The recurrence ``s' = a s + c`` of cells that are linear in their state, in one native call."""

import math
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from throughtime._types import Array
from throughtime.cells import LinearCell
from throughtime.kernels.library import LINEAR, available

# Below so many numbers in a sequence's states, or in those of all, XLA is faster: it compiles the loop as one function.
LEAST_OF_ONE = 200
LEAST_OF_ALL = 1_500
# Beyond so many complex ones XLA takes longer to make a and c for all steps at once than the loop does in all.
MOST_COMPLEX = 3_000_000
# A real cell with as many gates leaves XLA more to make for all steps at once: its loop is as fast where a sequence has
# so few states, and in a batch of one with so many units.
MANY_GATES, LEAST_OF_MANY_GATES, MANY_UNITS = 3, 300, 100


def serves_linear(cell: LinearCell, xs: Array) -> bool:
    """Whether there is a native recurrence for the numbers that move this cell's state, and it is the faster way."""
    of_one = xs.shape[-2] * cell.hidden
    of_all = math.prod(xs.shape[:-2]) * of_one
    if of_one < LEAST_OF_ONE or of_all < LEAST_OF_ALL or not available():
        return False
    step = jax.ShapeDtypeStruct(xs.shape[-1:], xs.dtype)
    a, c = jax.eval_shape(lambda x: cell.coefficients(cell.project(x)), step)
    if jnp.iscomplexobj(c):
        too_much = of_all > MOST_COMPLEX
    else:
        slow = of_one < LEAST_OF_MANY_GATES or (xs.shape[:-2] == (1,) and cell.hidden >= MANY_UNITS)
        too_much = len(cell.GATES) >= MANY_GATES and slow
    return not too_much and a.dtype == c.dtype and c.dtype.name in LINEAR


def states(a: Array, c: Array, *, reverse: bool) -> Array:
    """The states (T, H) from a and c (T, H), real or complex of single precision, from a state of zeros."""
    return _run(reverse, False, a, c)


@partial(jax.custom_vjp, nondiff_argnums=(0, 1))
def _run(reverse: bool, late: bool, a: Array, c: Array) -> Array:
    shape = jax.ShapeDtypeStruct(c.shape, c.dtype)
    call = jax.ffi.ffi_call(LINEAR[c.dtype.name], shape, vmap_method="broadcast_all")
    return call(a, c, reverse=np.bool_(reverse), late=np.bool_(late))


def _ahead(reverse: bool, late: bool, a: Array, c: Array) -> tuple[Array, tuple[Array, Array]]:
    s = _run(reverse, late, a, c)
    return s, (a, s)


def _back(reverse: bool, late: bool, kept: tuple[Array, Array], came: Array) -> tuple[Array, Array]:
    """The derivative by c is the same recurrence from the other end; that by a is it times the state before."""
    a, s = kept
    by_c = _run(not reverse, not late, a, came)
    if late:  # the step after multiplied by this a
        return s * _moved(by_c, back=not reverse), by_c
    return by_c * _moved(s, back=reverse), by_c


_run.defvjp(_ahead, _back)


def _moved(steps: Array, *, back: bool) -> Array:
    """Every step's numbers at the place of the next, or of the one before where ``back``; zeros at the end."""
    none = jnp.zeros_like(steps[:1])
    return jnp.concatenate([steps[1:], none] if back else [none, steps[:-1]])
