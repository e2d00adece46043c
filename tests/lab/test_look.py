"""A look shows the numbers of the network, each computed a second time by public functions."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import throughtime as tt
from throughtime.cells.catalog import CELLS, cell_type
from throughtime.lab.look import look_through
from throughtime.recurrence import trajectory

STEPS, HIDDEN, UNIT = 7, 5, 3
INPUTS = jax.random.normal(jax.random.key(3), (STEPS,))


def network_of(name):
    key_cell, key_readout = jax.random.split(jax.random.key(1))
    return tt.RecurrentNetwork(cell_type(name)(1, HIDDEN, key=key_cell), 1, key=key_readout)


@pytest.mark.parametrize("name", CELLS)
def test_predictions_units_gates_and_the_continuation_are_the_network_s(name):
    network = network_of(name)
    seen = look_through(network, INPUTS, jnp.int32(UNIT))
    _, predictions = network(INPUTS[:, None])
    _, ys = tt.unroll(network.cell, INPUTS[:, None])
    np.testing.assert_allclose(seen.predictions, predictions[:, 0], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(seen.activity, ys, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(seen.alone, tt.rollout(network, INPUTS[:, None], STEPS)[:, 0], rtol=1e-5, atol=1e-6)
    assert seen.alone[0] == pytest.approx(float(seen.predictions[-1]), rel=1e-4)
    states, gx = trajectory(network.cell, INPUTS[:, None])
    assert seen.gates.shape == (len(network.cell.GATES), STEPS)
    for t in (0, STEPS - 1):
        gates = network.cell.gates(jax.tree.map(lambda leaf, t=t: leaf[t], states), gx[t])
        np.testing.assert_allclose(seen.gates[:, t], jnp.stack(gates)[:, UNIT], rtol=1e-5, atol=1e-6)


def test_the_memory_of_an_lstm_is_its_c_and_that_of_a_gru_its_output():
    lstm, gru = network_of("lstm"), network_of("gru")
    states, _ = trajectory(lstm.cell, INPUTS[:, None])
    np.testing.assert_allclose(look_through(lstm, INPUTS, jnp.int32(UNIT)).memory, states.c[1:, UNIT], rtol=1e-6)
    seen = look_through(gru, INPUTS, jnp.int32(UNIT))
    np.testing.assert_array_equal(seen.memory, seen.activity[:, UNIT])
