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


def stacked(key):
    layers = [tt.Block(tt.GRU(H, H, key=key)), tt.FeedForward(H, key=key), tt.LSTM(H, H, key=key)]
    return tt.StackedNetwork(D, layers, D, key=key)


NETWORKS = {
    "elman": lambda key: tt.RecurrentNetwork(tt.Elman(D, H, "relu", key=key), D, key=key),
    "lru": lambda key: tt.RecurrentNetwork(tt.LRU(D, H, key=key), D, key=key),
    "zoneout": lambda key: tt.RecurrentNetwork(tt.Zoneout(tt.LSTM(D, H, key=key), 0.2), D, key=key),
    "stacked": stacked,
}


@pytest.mark.parametrize(("name", "batch"), [*((name, 4) for name in NETWORKS), ("elman", 1), ("stacked", 1)])
def test_a_batch_continues_as_its_sequences(name, batch):
    """Varied: networks, batches of one and of four; arrays of JAX and NumPy, lists; the number of steps."""
    network = NETWORKS[name](jax.random.key(6))
    xs = np.random.default_rng(7).normal(size=(batch, T, D)).astype(np.float32)
    together = rollout(network, xs, np.int64(N))
    assert together.shape == (batch, N, D)
    for row in range(batch):
        np.testing.assert_allclose(together[row], rollout(network, jnp.asarray(xs[row]), N), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(rollout(network, xs.tolist(), 1), together[:, :1], rtol=1e-4, atol=1e-5)
    run = eqx.filter_jit(lambda network, xs: network(xs)[1])
    for at in range(2):  # by hand: all points so far, read anew
        longer = np.concatenate([xs, together[:, :at]], axis=1)
        np.testing.assert_allclose(together[:, at], run(network, longer)[:, -1], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("shape", [(T,), (T, D + 1), (2, T, 1), (1, 1, T, D)])
@pytest.mark.parametrize("network", ["lru", "stacked"])
def test_shapes_that_do_not_fit_are_refused(network, shape):
    with pytest.raises(tt.InputError) as caught:
        rollout(NETWORKS[network](jax.random.key(6)), np.zeros(shape, np.float32), 3)
    assert (caught.value.code, caught.value.found) == ("wrong-shape", shape)


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


def test_tokens_are_continued_by_the_most_likely_or_by_drawn_ones():
    """A loop over the whole past for each token; drawn tokens have the network's probabilities."""
    count = 4
    network = tt.ManyToMany([tt.Embedding(count, 3, key=1), tt.GRU(3, H, key=2)], count, key=jax.random.key(3))
    network = eqx.tree_at(lambda network: network.readout.weight, network, replace_fn=lambda weight: 3 * weight)
    tokens, run = jnp.asarray([[1, 3, 0], [2, 2, 1]]), eqx.filter_jit(lambda network, xs: network(xs)[1])
    sequence = tokens
    for _ in range(3):
        sequence = jnp.concatenate([sequence, run(network, sequence)[:, -1:].argmax(axis=-1)], axis=1)
    generated = rollout(network, tokens, 3)
    np.testing.assert_array_equal(generated, sequence[:, 3:])
    np.testing.assert_array_equal(rollout(network, tokens[1], 3), generated[1])
    drawn = rollout(network, jnp.tile(tokens[:1], (4000, 1)), 2, key=jax.random.key(4))
    shares = np.bincount(drawn[:, 0], minlength=count) / 4000
    np.testing.assert_allclose(shares, jax.nn.softmax(run(network, tokens[:1])[0, -1]), atol=0.03)
    first = int(shares.argmax())
    after = np.asarray(drawn)[drawn[:, 0] == first, 1]
    logits = run(network, jnp.asarray([[*tokens[0], first]]))[0, -1]
    np.testing.assert_allclose(np.bincount(after, minlength=count) / len(after), jax.nn.softmax(logits), atol=0.06)


def test_a_temperature_divides_the_logits_of_drawn_tokens():
    """As a readout that is divided by it; near 0 the most likely tokens are drawn."""
    count = 5
    network = tt.ManyToMany([tt.Embedding(count, 3, key=1), tt.GRU(3, H, key=2)], count, key=jax.random.key(3))
    sharp = eqx.tree_at(
        lambda network: network.readout, network, replace_fn=lambda w: jax.tree.map(lambda x: x / 0.25, w)
    )
    tokens = np.tile([[1, 3, 0]], (40, 1))
    drawn, cool = (rollout(network, tokens, N, key=4, temperature=value) for value in (1.0, 0.25))
    np.testing.assert_array_equal(cool, rollout(sharp, tokens, N, key=4))
    assert (cool != drawn).mean() > 0.1
    np.testing.assert_array_equal(rollout(network, tokens, N, key=4, temperature=1e-6), rollout(network, tokens, N))
    for key, temperature in ((4, 0.0), (4, -1.0), (4, np.nan), (None, 0.5)):
        with pytest.raises(tt.InputError) as caught:
            rollout(network, tokens, N, key=key, temperature=temperature)
        assert caught.value.code == "wrong-temperature"


def test_networks_that_cannot_be_continued():
    gru = tt.GRU(D, H, key=1)
    ahead = tt.ManyToMany(tt.Bidirectional(gru, gru), D, key=1)
    for network, key, code in ((ahead, None, "reads-ahead"), (tt.ManyToMany(gru, D, key=1), 0, "no-tokens")):
        with pytest.raises(tt.InputError) as caught:
            rollout(network, np.zeros((T, D), np.float32), N, key=key)
        assert caught.value.code == code
