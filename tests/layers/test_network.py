"""A network: its unrolled cell and a linear readout of every output."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import throughtime as tt
from throughtime.layers.network import network_config, network_from_config

B, T, D, H, O = 2, 5, 3, 4, 6  # noqa: E741


@pytest.fixture(scope="module")
def network():
    return tt.RecurrentNetwork(tt.GRU(D, H, recurrent_init="uniform", key=jax.random.key(1)), O, key=jax.random.key(2))


@pytest.fixture(scope="module")
def xs():
    return jnp.asarray(np.random.default_rng(3).normal(size=(B, T, D)), jnp.float32)


@eqx.filter_jit
def run(network, xs, state=None, mask=None):
    """Run the network as one program, which compiles faster than its operations one by one."""
    return network(xs, state, mask=mask)


def test_every_output_is_read_out(network, xs):
    state, outputs = run(network, xs[0])
    end, ys = eqx.filter_jit(tt.unroll)(network.cell, xs[0])
    expected = np.asarray(ys) @ np.asarray(network.readout.weight).T + np.asarray(network.readout.bias)
    np.testing.assert_allclose(outputs, expected, rtol=1e-6, atol=1e-6)
    np.testing.assert_array_equal(state.h, end.h)
    assert outputs.shape == (T, O)


def test_a_batch_gives_the_numbers_of_its_sequences(network, xs):
    state, outputs = run(network, xs)
    assert outputs.shape == (B, T, O)
    for row in range(B):
        alone_state, alone = run(network, xs[row])
        np.testing.assert_allclose(outputs[row], alone, rtol=1e-6, atol=1e-6)
        np.testing.assert_allclose(state.h[row], alone_state.h, rtol=1e-6, atol=1e-6)


def test_the_state_carries_on(network, xs):
    _, whole = run(network, xs[1])
    state, first = run(network, xs[1, :2])
    _, rest = run(network, xs[1, 2:], state)
    np.testing.assert_allclose(whole, np.concatenate([first, rest]), rtol=1e-6, atol=1e-6)


def test_masked_steps_leave_the_state(network, xs):
    mask = jnp.array([True, True, True, False, False])
    np.testing.assert_allclose(run(network, xs[0], mask=mask)[0].h, run(network, xs[0, :3])[0].h, rtol=1e-6, atol=1e-6)


def test_the_readout_starts_as_the_docstring_says():
    wide = tt.RecurrentNetwork(
        tt.Elman(1, 25, recurrent_init="uniform", key=jax.random.key(1)), 400, key=jax.random.key(2)
    )
    weights = np.abs(wide.readout.weight)
    assert 0.99 / 5 < weights.max() <= 1 / 5
    assert weights.mean() == pytest.approx(1 / 10, rel=0.02)


@pytest.mark.parametrize(
    "cell",
    [
        tt.Elman(D, H, activation="leaky_relu", recurrent_init="uniform", key=jax.random.key(4)),
        tt.GRU(D, H, recurrent_init="uniform", key=jax.random.key(5)),
        tt.LSTM(D, H, recurrent_init="uniform", key=jax.random.key(6)),
    ],
    ids=["elman", "gru", "lstm"],
)
def test_a_configuration_builds_the_same_network(cell, xs):
    network = tt.RecurrentNetwork(cell, O, key=jax.random.key(7))
    again = network_from_config(network_config(network), key=jax.random.key(8))
    assert jax.tree.structure(again) == jax.tree.structure(network)
    assert not np.array_equal(again.readout.weight, network.readout.weight)
    arrays = eqx.filter(network, eqx.is_array)
    filled = eqx.combine(arrays, again)
    np.testing.assert_array_equal(run(filled, xs)[1], run(network, xs)[1])


def test_a_configuration_is_plain_values():
    cell = tt.Elman(D, H, activation="relu", recurrent_init="uniform", key=jax.random.key(0))
    network = tt.RecurrentNetwork(cell, O, key=jax.random.key(0))
    assert network_config(network) == {
        "cell": {"cell": "elman", "inputs": 3, "hidden": 4, "activation": "relu"},
        "outputs": 6,
    }


def test_an_activation_without_a_name_cannot_be_saved():
    cell = tt.Elman(D, H, activation=lambda x: x**3, recurrent_init="uniform", key=jax.random.key(0))
    with pytest.raises(tt.InputError) as caught:
        network_config(tt.RecurrentNetwork(cell, O, key=jax.random.key(0)))
    assert (caught.value.code, caught.value.found) == ("no-name", cell.activation)
