"""A look shows the numbers of the network; its gradients are computed a second time, in another way."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import throughtime as tt
from throughtime.cells.catalog import CELLS, cell_type
from throughtime.lab.look import look_through
from throughtime.recurrence import trajectory

STEPS, HIDDEN, AT = 7, 5, 4
WINDOW = jax.random.normal(jax.random.key(3), (STEPS + 1,))


def network_of(name):
    key_cell, key_readout = jax.random.split(jax.random.key(1))
    return tt.RecurrentNetwork(cell_type(name)(1, HIDDEN, key=key_cell), 1, key=key_readout)


@pytest.mark.parametrize("name", CELLS)
def test_predictions_and_units_are_the_network_s(name):
    network = network_of(name)
    seen = look_through(network, WINDOW, jnp.int32(AT))
    _, predictions = network(WINDOW[:-1, None])
    _, ys = tt.unroll(network.cell, WINDOW[:-1, None])
    np.testing.assert_allclose(seen.predictions, predictions[:, 0], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(seen.activity, ys, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", CELLS)
def test_gradients_are_by_the_states_of_the_trajectory(name):
    """Each state by itself: the error at a step, computed on from there, is differentiated by it."""
    network = network_of(name)
    cell, xs, targets = network.cell, WINDOW[:-1, None], WINDOW[1:]
    states, gx = trajectory(cell, xs)

    def error_from(step, state):
        for t in range(step + 1, AT + 1):
            state, y = cell.step(state, gx[t])
        return (network.readout(y)[0] - targets[AT]) ** 2

    seen = look_through(network, WINDOW, jnp.int32(AT))
    for step in range(AT):
        state = jax.tree.map(lambda leaf, step=step: leaf[step + 1], states)
        gradient = jax.grad(lambda state, step=step: error_from(step, state))(state)
        expected = jnp.sqrt(sum(leaf**2 for leaf in jax.tree.leaves(gradient)))
        np.testing.assert_allclose(seen.gradients[step], expected, rtol=1e-4, atol=1e-6)
    output = 2 * (seen.predictions[AT] - targets[AT]) * network.readout.weight[0]
    np.testing.assert_allclose(seen.gradients[AT], jnp.abs(output), rtol=1e-5)
    np.testing.assert_array_equal(seen.gradients[AT + 1 :], 0)
