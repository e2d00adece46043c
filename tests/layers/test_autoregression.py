"""A network going on by itself is a loop that feeds each prediction back."""

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


def test_every_step_sees_the_whole_past():
    """From the start each time: the network over all points so far, its last prediction appended."""
    network = tt.RecurrentNetwork(
        tt.LSTM(1, H, recurrent_init="uniform", key=jax.random.key(4)), 1, key=jax.random.key(5)
    )
    xs = jnp.array([[0.3], [-1.2]])
    sequence, run = xs, eqx.filter_jit(lambda network, xs: network(xs))
    for _ in range(2):
        sequence = jnp.concatenate([sequence, run(network, sequence)[1][-1:]])
    np.testing.assert_allclose(rollout(network, xs, 2), sequence[2:], rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(("length", "steps"), [(0, 3), (4, 0)])
def test_nothing_comes_of_nothing(length, steps):
    network = tt.RecurrentNetwork(
        tt.Elman(1, H, recurrent_init="uniform", key=jax.random.key(0)), 1, key=jax.random.key(0)
    )
    with pytest.raises(tt.InputError, match=f"at least one step to start from and one to predict, got {length} and"):
        rollout(network, jnp.zeros((length, 1)), steps)


def test_predictions_that_are_no_input_are_refused():
    network = tt.RecurrentNetwork(
        tt.Elman(2, H, recurrent_init="uniform", key=jax.random.key(0)), 3, key=jax.random.key(0)
    )
    with pytest.raises(tt.InputError, match="the network takes 2 values and predicts 3: expected as many"):
        rollout(network, jnp.zeros((4, 2)), 5)
