"""Autoregression: a loop that feeds each prediction back."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import throughtime as tt
from throughtime.layers.autoregression import rollout

T, D, H, N = 6, 2, 5, 9


def test_an_elman_network_continues_as_numpy_does():
    cell = tt.Elman(D, H, activation="tanh", recurrent_init="uniform", key=jax.random.key(1))
    network = tt.RecurrentNetwork(cell, D, key=jax.random.key(2))
    xs = np.random.default_rng(3).normal(size=(T, D)).astype(np.float32)
    w_x, w_h, b = (np.asarray(weight, np.float64) for weight in (cell.w_x, cell.w_h, cell.b))
    weight, bias = (np.asarray(part, np.float64) for part in (network.readout.weight, network.readout.bias))
    sequence, h = list(xs.astype(np.float64)), np.zeros(H)
    for t in range(T + N - 1):
        h = np.tanh(w_x @ sequence[t] + w_h @ h + b)
        if t >= T - 1:
            sequence.append(weight @ h + bias)
    generated = rollout(network, jnp.asarray(xs), N)
    assert generated.shape == (N, D)
    np.testing.assert_allclose(generated, sequence[T:], rtol=1e-5, atol=1e-6)


def test_every_step_depends_on_the_whole_past():
    """Against the network run from the start for each step, over all points so far."""
    network = tt.RecurrentNetwork(
        tt.LSTM(1, H, recurrent_init="uniform", key=jax.random.key(4)), 1, key=jax.random.key(5)
    )
    xs = jnp.array([[0.3], [-1.2]])
    sequence, run = xs, eqx.filter_jit(lambda network, xs: network(xs))
    for _ in range(2):
        sequence = jnp.concatenate([sequence, run(network, sequence)[1][-1:]])
    np.testing.assert_allclose(rollout(network, xs, 2), sequence[2:], rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(("length", "steps"), [(0, 3), (4, 0)])
def test_at_least_one_step_to_start_from_and_one_to_predict(length, steps):
    network = tt.RecurrentNetwork(
        tt.Elman(1, H, recurrent_init="uniform", key=jax.random.key(0)), 1, key=jax.random.key(0)
    )
    with pytest.raises(tt.InputError) as caught:
        rollout(network, jnp.zeros((length, 1)), steps)
    assert (caught.value.code, caught.value.found) == ("no-steps", (length, steps))


def test_predictions_that_do_not_fit_the_inputs_are_refused():
    network = tt.RecurrentNetwork(
        tt.Elman(2, H, recurrent_init="uniform", key=jax.random.key(0)), 3, key=jax.random.key(0)
    )
    with pytest.raises(tt.InputError) as caught:
        rollout(network, jnp.zeros((4, 2)), 5)
    assert (caught.value.code, caught.value.found, caught.value.expected) == ("wrong-outputs", 3, 2)
    assert str(caught.value) == (
        "the network reads 2 values and predicts 3: expected the same number, to feed predictions back"
    )
