"""The native calls check their operands: an error, never a crash."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from throughtime.kernels.library import BACKWARD, FORWARD

# Correct shapes for a GRU: M, B, T, D, H = 2, 3, 4, 5, 6.
OPERANDS = [(2, 18, 5), (2, 18, 6), (2, 18), (2, 6), (2, 3, 4, 5), (2, 3, 6), (2, 3, 0), (2, 3, 4)]
RESULTS = [(2, 3, 4, 6), (2, 3, 6), (2, 3, 0), (2, 3, 4, 64)]
COTANGENTS = [RESULTS[0], RESULTS[3], RESULTS[0], (2, 3, 6), (2, 3, 0)]
GRADIENTS = [*OPERANDS[:5], (2, 3, 6), (2, 3, 0)]


def call(target, operands, results, cell=1, activation=0):
    arrays = [np.ones(shape, bool if place == 7 else np.float32) for place, shape in enumerate(operands)]
    run = jax.ffi.ffi_call(target, [jax.ShapeDtypeStruct(shape, jnp.float32) for shape in results])
    numbers = {"cell": np.int32(cell), "activation": np.int32(activation), "reverse": np.bool_(False)}
    return jax.block_until_ready(run(*arrays, **numbers))


def test_shapes_that_fit():
    call(FORWARD, OPERANDS, RESULTS)
    call(BACKWARD, [*OPERANDS, *COTANGENTS], GRADIENTS)


@pytest.mark.parametrize("place", range(len(OPERANDS)))
@pytest.mark.parametrize(
    "change", [lambda s: s[:-1], lambda s: (*s, 1), lambda s: (*s[:-1], s[-1] + 1), lambda s: (s[0] + 1, *s[1:])]
)
def test_every_operand_is_checked(place, change):
    changed = [change(shape) if number == place else shape for number, shape in enumerate(OPERANDS)]
    with pytest.raises(jax.errors.JaxRuntimeError, match="throughtime: the shape of"):
        call(FORWARD, changed, RESULTS)
    with pytest.raises(jax.errors.JaxRuntimeError, match="throughtime: the shape of"):
        call(BACKWARD, [*changed, *COTANGENTS], GRADIENTS)


@pytest.mark.parametrize("place", range(len(RESULTS)))
def test_every_result_is_checked(place):
    changed = [(*s[:-1], s[-1] + 1) if number == place else s for number, s in enumerate(RESULTS)]
    with pytest.raises(jax.errors.JaxRuntimeError, match="throughtime: the shape of"):
        call(FORWARD, OPERANDS, changed)


@pytest.mark.parametrize("place", range(len(COTANGENTS)))
def test_every_cotangent_is_checked(place):
    changed = [(*s[:-1], s[-1] + 1) if number == place else s for number, s in enumerate(COTANGENTS)]
    with pytest.raises(jax.errors.JaxRuntimeError, match="throughtime: the shape of"):
        call(BACKWARD, [*OPERANDS, *changed], GRADIENTS)


@pytest.mark.parametrize("place", range(len(GRADIENTS)))
def test_every_gradient_is_checked(place):
    changed = [(*s[:-1], s[-1] + 1) if number == place else s for number, s in enumerate(GRADIENTS)]
    with pytest.raises(jax.errors.JaxRuntimeError, match="throughtime: the shape of"):
        call(BACKWARD, [*OPERANDS, *COTANGENTS], changed)


@pytest.mark.parametrize(("cell", "activation"), [(3, 0), (-1, 0), (0, 6), (0, -1)])
def test_a_cell_without_a_kernel(cell, activation):
    with pytest.raises(jax.errors.JaxRuntimeError, match="throughtime: no kernel of this cell"):
        call(FORWARD, OPERANDS, RESULTS, cell, activation)


@settings(max_examples=60)
@given(st.lists(st.lists(st.integers(0, 4), max_size=4), min_size=8, max_size=8))
def test_any_shapes(shapes):
    """None fits, because the results have sizes that no operand has: an error, and the process survives."""
    with pytest.raises(jax.errors.JaxRuntimeError, match="throughtime:"):
        call(FORWARD, [tuple(shape) for shape in shapes], [(5, 5, 5, 5), (5, 5, 5), (5, 5, 0), (5, 5, 5, 64)])
