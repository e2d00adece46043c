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


@pytest.mark.parametrize("key", [None, jax.random.key(9)], ids=["inference", "training"])
@pytest.mark.parametrize("cell", [tt.LRU, tt.LSTM, lambda *sizes, key: tt.Zoneout(tt.GRU(*sizes, key=key), 0.3)])
def test_masked_outputs_are_zeros(cell, key, xs):
    """Varied: cells, with and without noise; masked ends, starts and gaps; lists; the gradient of padded targets."""
    network = tt.RecurrentNetwork(cell(D, H, key=jax.random.key(1)), O, key=jax.random.key(2))
    mask = np.array([[True, True, False, False, False], [False, True, False, True, True]])
    padded = jnp.where(mask[..., None], xs, jnp.nan)

    @eqx.filter_jit
    def squares(network, mask):
        ys = network(padded, mask=mask, key=key)[1]
        return jnp.sum(ys**2), ys

    (total, ys), slope = eqx.filter_value_and_grad(squares, has_aux=True)(network, jnp.asarray(mask))
    np.testing.assert_array_equal(np.asarray(ys)[~mask], 0)
    assert np.all(np.asarray(ys)[mask])
    np.testing.assert_allclose(slope.readout.bias, 2 * np.asarray(ys)[mask].sum(0), rtol=1e-5)
    assert np.isfinite(total)
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(slope))
    listed = network(padded.tolist(), mask=mask.tolist(), key=key)[1]
    np.testing.assert_allclose(listed, ys, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("key", [None, jax.random.key(9)], ids=["inference", "training"])
def test_shapes_and_masks_that_do_not_fit_are_refused(network, key):
    for xs, mask, code in (
        (np.zeros((T, D + 1)), None, "wrong-shape"),
        (np.zeros(D), None, "wrong-shape"),
        (np.zeros((T, D)), np.ones((1, T), bool), "wrong-mask-shape"),
        (np.zeros((B, T, D)), np.ones((B, T)), "wrong-mask-dtype"),
    ):
        with pytest.raises(tt.InputError) as caught:
            network(xs, mask=mask, key=key)
        assert caught.value.code == code


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
