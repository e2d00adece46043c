"""The recurrence ``s_t = a_t s_(t-1) + c_t`` of cells that are linear in their state, in one native call.

Its gradient is the same recurrence in the other direction, so it has derivatives of any order in reverse mode.
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from throughtime._devices import vary_alike
from throughtime._types import Array
from throughtime.cells import LinearCell
from throughtime.kernels.library import LINEAR


def coefficient_dtypes(cell: LinearCell, xs: Array) -> tuple[np.dtype, np.dtype]:
    """Return the dtypes of the coefficients a and c of a cell for inputs xs (..., D)."""
    x = jax.ShapeDtypeStruct(xs.shape[-1:], xs.dtype)
    a, c = jax.eval_shape(lambda x: cell.coefficients(cell.project(x)), x)
    return a.dtype, c.dtype


def native_recurrence(a: Array, c: Array, *, reverse: bool) -> Array:
    """Return the states (T, H) for a and c (T, H), float32 or complex64, from a state of zeros."""
    return _states(Direction(reverse), *vary_alike((a, c)))


@jax.tree_util.register_static
@dataclass(frozen=True)
class Direction:
    """The direction of a recurrence: a static argument, for JAX a pytree without arrays.

    Attributes:
        reverse: run from the last step to the first.
        late: multiply a state by the coefficient of its own step, ``s_t = a_(t-1) s_(t-1) + c_t``, instead of that of
            the next, ``s_t = a_t s_(t-1) + c_t``.
    """

    reverse: bool
    late: bool = False

    @property
    def opposite(self) -> "Direction":
        """The direction of the gradient."""
        return Direction(not self.reverse, not self.late)


@jax.custom_vjp
def _states(direction: Direction, a: Array, c: Array) -> Array:
    shape = jax.ShapeDtypeStruct(c.shape, c.dtype)
    run = jax.ffi.ffi_call(LINEAR[c.dtype.name], shape, vmap_method="broadcast_all")
    return vary_alike(run(a, c, reverse=np.bool_(direction.reverse), late=np.bool_(direction.late)), (a, c))


def _forward_rule(direction: Direction, a: Array, c: Array) -> tuple[Array, tuple[Direction, Array, Array]]:
    s = _states(direction, a, c)
    return s, (direction, a, s)


def _backward_rule(saved: tuple[Direction, Array, Array], cotangent: Array) -> tuple[None, Array, Array]:
    """Return the gradients by a and c: that by c is a recurrence, that by a multiplies it by the state next to it."""
    direction, a, s = saved
    d_c = _states(direction.opposite, a, cotangent)
    if direction.late:  # a_t multiplied s_t on its way to the next step
        return None, s * _previous(d_c, reverse=not direction.reverse), d_c
    return None, d_c * _previous(s, reverse=direction.reverse), d_c


_states.defvjp(_forward_rule, _backward_rule)


def _previous(steps: Array, *, reverse: bool) -> Array:
    """Return at each step the array of the step that runs before it, zeros at the first one."""
    zeros = jnp.zeros_like(steps[:1])
    return jnp.concatenate([steps[1:], zeros] if reverse else [zeros, steps[:-1]])
