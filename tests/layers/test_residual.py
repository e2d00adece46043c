"""The way past a cell."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tests.contract import random_cell, random_inputs

import throughtime as tt


def test_what_a_dead_cell_gives_is_its_input():
    dead = jax.tree.map(jnp.zeros_like, tt.LSTM(3, 3, key=jax.random.key(0)))
    xs = random_inputs(2, 4, 3)
    np.testing.assert_array_equal(tt.unroll(tt.Residual(dead), xs)[1], xs)


def test_the_slope_of_output_to_input_holds_an_identity():
    cell = tt.Residual(tt.GRU(3, 3, key=jax.random.key(1)))
    inner, past = (jax.jacobian(lambda x, c=c: c.step(c.initial_state(), c.project(x))[1]) for c in (cell.cell, cell))
    x = random_inputs(3)
    np.testing.assert_allclose(past(x), inner(x) + np.eye(3), atol=1e-6)


def test_its_weights_say_what_its_projection_does():
    cell = tt.Residual(tt.LEM(4, 4, key=jax.random.key(2)))
    x = random_inputs(4)
    np.testing.assert_allclose(cell.project(x), cell.w_x @ x + cell.b, atol=1e-6)
    assert cell.GATES == ("s", "t", "z", "h", "residual")
    assert not cell.w_h[16:].any()


def test_as_many_inputs_as_units():
    with pytest.raises(tt.InputError, match="3 inputs and 5 units: expected as many inputs as units"):
        tt.Residual(random_cell("mingru"))
