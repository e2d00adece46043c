"""The slopes of gates: against finite differences for every cell, and exact for dead units."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tests.contract import CELLS, random_cell, random_inputs

import throughtime as tt
from throughtime.cells.gate_slopes import dead_and_saturated, gates_and_slopes


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("name", CELLS)
def test_slopes_are_those_of_each_gate_by_its_own_pre_activation(name):
    """Central differences in float64, by one entry of one block at a time, from a state that is not zero."""
    cell = random_cell(name)
    xs = random_inputs(4, cell.inputs)
    state, gx = jax.jit(lambda xs: (tt.unroll(cell, xs[:3])[0], cell.project(xs[3])))(xs)
    (values, slopes), gates = jax.jit(lambda gx: (gates_and_slopes(cell, state, gx), jnp.stack(cell.gates(state, gx))))(
        gx
    )
    np.testing.assert_array_equal(values, gates)
    small = 1e-6
    gx, moved = np.asarray(gx), small * np.eye(len(gx))
    near = jax.jit(jax.vmap(lambda gx: jnp.stack(cell.gates(state, gx)).ravel()))
    differences = (np.asarray(near(gx + moved)) - near(gx - moved)) / (2 * small)
    np.testing.assert_allclose(slopes.ravel(), np.diag(differences), rtol=0, atol=1e-9)


@pytest.mark.parametrize("name", CELLS)
def test_no_slope_exceeds_the_largest(name):
    cell = random_cell(name)
    pre_activations = 3 * random_inputs(40, len(cell.GATES) * cell.hidden)
    state = cell.initial_state()
    _, slopes = jax.jit(jax.vmap(lambda gx: gates_and_slopes(cell, state, gx)))(pre_activations)
    assert slopes.dtype == np.float32
    reached = np.abs(slopes).max(axis=(0, 2))
    assert (reached <= np.asarray(cell.slopes) * (1 + 1e-6)).all()
    assert (reached >= 0.8 * np.asarray(cell.slopes)).all()


def test_relu_units_below_zero_are_dead():
    cell = tt.Elman(2, 3, "relu", key=jax.random.key(0))
    values, slopes = gates_and_slopes(cell, cell.initial_state(), jnp.asarray([-1.0, 0.5, -1e-30]))
    np.testing.assert_array_equal(values, [[0, 0.5, 0]])
    np.testing.assert_array_equal(slopes, [[0, 1, 0]])
    dead, saturated = dead_and_saturated(values, slopes, cell.slopes)
    np.testing.assert_array_equal(dead, [[True, False, True]])
    np.testing.assert_array_equal(saturated, dead)


def test_saturated_is_below_a_twentieth_of_the_gates_own_largest_slope():
    """The sigmoid's slope s (1 - s) is 0.0125 at +-4.3567; tanh's is 0.05 at +-2.1783; LEM's dt scales the first."""
    for name, edge in (("sigmoid", np.log(39 + np.sqrt(1520))), ("tanh", np.arctanh(np.sqrt(0.95)))):
        cell = tt.Elman(1, 4, name, key=jax.random.key(0))
        gx = jnp.asarray(edge * np.asarray([-1.001, -0.999, 0.999, 1.001]), jnp.float32)
        dead, saturated = dead_and_saturated(*gates_and_slopes(cell, cell.initial_state(), gx), cell.slopes)
        np.testing.assert_array_equal(saturated, [[True, False, False, True]])
        assert not dead.any()
    values, slopes = jnp.ones((3, 2)), jnp.asarray([[0.0499, 0.0501], [-0.0124, -0.0126], [-0.0, 0.06]])
    dead, saturated = dead_and_saturated(values, slopes, (None, 0.25, 1.0))
    np.testing.assert_array_equal(saturated, [[True, False], [True, False], [True, False]])
    assert not dead.any()  # a slope of 0 with a value, as of a clipped sigmoid, still says something
