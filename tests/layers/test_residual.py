"""The residual connection around a cell."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tests.contract import random_cell, random_inputs

import throughtime as tt


def test_a_dead_cell_passes_its_input():
    dead = jax.tree.map(jnp.zeros_like, tt.LSTM(3, 3, key=jax.random.key(0)))
    xs = random_inputs(2, 4, 3)
    np.testing.assert_array_equal(tt.unroll(tt.Residual(dead), xs)[1], xs)


def test_the_derivative_of_output_by_input_contains_the_identity():
    cell = tt.Residual(tt.GRU(3, 3, key=jax.random.key(1)))
    inner, residual = (
        jax.jacobian(lambda x, c=c: c.step(c.initial_state(), c.project(x))[1]) for c in (cell.cell, cell)
    )
    x = random_inputs(3)
    np.testing.assert_allclose(residual(x), inner(x) + np.eye(3), atol=1e-6)


def test_its_weights_agree_with_its_projection():
    cell = tt.Residual(tt.LEM(4, 4, key=jax.random.key(2)))
    x = random_inputs(4)
    np.testing.assert_allclose(cell.project(x), cell.w_x @ x + cell.b, atol=1e-6)
    assert cell.GATES == ("s", "t", "z", "h", "residual")
    assert not cell.w_h[16:].any()


def test_input_and_hidden_size_must_be_equal():
    with pytest.raises(tt.InputError) as caught:
        tt.Residual(random_cell("mingru"))
    assert (caught.value.code, caught.value.found) == ("wrong-sizes", (3, 5))
