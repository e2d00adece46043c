"""A network from sequence to sequence is a plain loop over its steps, in teacher forcing and with its own outputs."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tests.contract import random_inputs, random_weights
from tests.layers.test_bidirectional import gru, reference

import throughtime as tt
from throughtime.layers import AdditiveAttention, DotAttention

B, S, T, D, V, E, H, M = 3, 5, 4, 2, 7, 6, 8, 9
KEY = jax.random.key(23)
LENGTHS, TARGET_LENGTHS = (5, 2, 3), (3, 4, 2)
MASK, TARGET_MASK = tt.sequence_mask(LENGTHS, S), tt.sequence_mask(TARGET_LENGTHS, T)


def build(attention):
    """Return a network from values to tokens."""
    encoder = tt.Bidirectional(tt.GRU(D, 5, key=0), tt.LSTM(D, 4, key=1))
    return tt.EncoderDecoder(encoder, [tt.Embedding(V, E, key=2), tt.GRU(E, H, key=3)], attention, key=KEY)


@pytest.fixture(scope="module")
def source():
    return jnp.where(MASK[..., None], random_inputs(B, S, D), jnp.nan)


@pytest.fixture(scope="module")
def targets():
    """Tokens, none of which is the first; padding is no token."""
    tokens = np.random.default_rng(5).integers(1, V, (B, T))
    return jnp.asarray(np.where(TARGET_MASK, tokens, -1))


def linear(module, x):
    return np.asarray(module.weight, np.float64) @ x + np.asarray(module.bias, np.float64)


def scores(attention, y, memory):
    """One query and all steps of a memory."""
    if isinstance(attention, DotAttention):
        return memory @ np.asarray(attention.w, np.float64).T @ y
    w, u, v = (np.asarray(array, np.float64) for array in (attention.w, attention.u, attention.v))
    return np.array([v @ np.tanh(w @ y + u @ row) for row in memory])


def by_hand(network, xs, steps, truths=None):
    """Return outputs and weights of one sequence without masked steps: own tokens are read if there are no truths."""
    decoder = network.decoder
    embedding, cell = decoder.layer.layers
    _, memory, final = reference(network.encoder, xs)
    h, token, outputs, weights = np.tanh(linear(decoder.bridge, final)), 0, [], []
    for t in range(steps):
        (h,), _ = gru(cell, np.asarray(embedding.table.weight)[[token]], h)
        powers = np.exp(scores(decoder.attention, h, memory))
        weights.append(powers / powers.sum())
        hidden = np.tanh(linear(decoder.combine, np.concatenate([weights[-1] @ memory, h])))
        outputs.append(linear(decoder.readout, hidden))
        token = int(outputs[-1].argmax()) if truths is None else int(truths[t])
    return np.array(outputs), np.array(weights)


@eqx.filter_jit
def forced(network, xs, targets, key=None):
    return network(xs, targets, mask=MASK, target_mask=TARGET_MASK, key=key)


@eqx.filter_jit
def sampled(network, xs, targets, probability, key):
    return network.scheduled(xs, targets, probability, mask=MASK, target_mask=TARGET_MASK, key=key)


def assert_close(actual, expected):
    np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-5)


def assert_alike(actual, expected):
    jax.tree.map(assert_close, actual, expected)


@pytest.mark.parametrize("attention", ["dot", "additive"])
def test_teacher_forcing_and_generation_are_a_loop(attention, source, targets):
    """Varied: both kinds of attention; masks of both sequences with NaN and no tokens as padding; one sequence."""
    network = random_weights(lambda: build(attention))
    assert (network.inputs, network.outputs, network.reads_tokens) == (D, V, False)
    decoded, own = forced(network, source, targets), network.generate(source, T, mask=MASK)
    for row, (length, count) in enumerate(zip(LENGTHS, TARGET_LENGTHS, strict=True)):
        xs = np.asarray(source)[row, :length]
        outputs, weights = by_hand(network, xs, count, np.asarray(targets)[row])
        assert_close(decoded.outputs[row, :count], outputs)
        assert_close(decoded.weights[row, :count, :length], weights)
        np.testing.assert_array_equal(decoded.predictions[row, :count], outputs.argmax(axis=1))
        np.testing.assert_array_equal(decoded.weights[row, :, length:], 0)
        np.testing.assert_array_equal(decoded.outputs[row, count:], 0)
        outputs, weights = by_hand(network, xs, T)
        assert_close(own.outputs[row], outputs)
        assert_close(own.weights[row, :, :length], weights)
        np.testing.assert_array_equal(own.predictions[row], outputs.argmax(axis=1))
    if attention == "dot":
        alone = network.generate(source[1, :2], T)
        np.testing.assert_array_equal(alone.predictions, own.predictions[1])
        assert_close(alone.outputs, own.outputs[1])


def test_scheduled_sampling_is_between_both(source, targets):
    """Probability 0 is teacher forcing, with the same noise of all kinds; with 1 no true token is read."""
    cell = tt.VariationalDropout(tt.LearnedInitialState(tt.Zoneout(tt.LSTM(E, H, key=3), 0.3)), 0.4)
    decoder = [tt.Embedding(V, E, key=2), tt.Dropout(E, 0.5), cell]
    network = tt.EncoderDecoder(tt.VariationalDropout(tt.GRU(D, M, key=1), 0.5), decoder, key=KEY)
    right = forced(network, source, targets, KEY)
    assert_alike(sampled(network, source, targets, 0.0, KEY), right)
    still = forced(network, source, targets)
    assert np.abs(right.outputs - still.outputs).max() > 1e-3
    assert np.abs(forced(network, source, targets, jax.random.key(1)).outputs - right.outputs).max() > 1e-3
    own = sampled(network, source, targets, jnp.float32(1), KEY)
    assert_close(own.outputs[:, 0], right.outputs[:, 0])
    assert np.abs(own.outputs[:, 1:] - right.outputs[:, 1:]).max() > 1e-3
    other = sampled(network, source, jnp.where(TARGET_MASK, 1, -1), 1.0, KEY)
    assert_alike(other, own)


def test_a_sharp_network_samples_what_it_generates(source, targets):
    """If its outputs leave no doubt, the drawn tokens are the most likely ones."""
    network = random_weights(lambda: build("dot"))
    sharp = eqx.tree_at(
        lambda network: network.decoder.readout, network, replace_fn=lambda r: jax.tree.map(lambda w: 1e4 * w, r)
    )
    own, drawn = sharp.generate(source, T, mask=MASK), sampled(sharp, source, targets, 1.0, KEY)
    flags = np.asarray(TARGET_MASK)
    np.testing.assert_array_equal(drawn.predictions[flags], own.predictions[flags])
    np.testing.assert_allclose(drawn.outputs[flags] / 1e4, own.outputs[flags] / 1e4, atol=1e-4)


def test_values_are_read_as_they_are_predicted(source):
    """A loop over single steps of teacher forcing, of values and of a source of tokens."""
    network = tt.EncoderDecoder([tt.Embedding(V, 3, key=0), tt.LRU(3, M, key=1)], tt.LSTM(2, H, key=2), key=KEY)
    tokens = jnp.asarray([[1, 2, 6], [5, 0, 1]])
    own = network.generate(tokens, T)
    read = jnp.zeros((2, 0, 2))
    run = eqx.filter_jit(lambda network, targets: network(tokens, targets))
    for _ in range(T):
        padded = jnp.concatenate([read, jnp.zeros((2, T - read.shape[1], 2))], axis=1)
        step = run(network, padded).outputs[:, read.shape[1]]
        read = jnp.concatenate([read, step[:, None]], axis=1)
    assert_close(own.predictions, read)
    assert_close(own.outputs, read)
    assert_alike(network.scheduled(tokens, padded, 1.0, key=KEY), run(network, read))
    assert network.generate(tokens[0], 2).weights.shape == (2, 3)


def test_gradients_are_finite_without_a_source(source, targets):
    """Also of a sequence whose source is masked as a whole: its context is zero."""
    network = build("additive")
    mask = tt.sequence_mask(jnp.asarray([5, 0, 3]), S)

    @jax.jit
    @jax.grad
    def gradient(network):
        decoded = network(source, targets, mask=mask, target_mask=TARGET_MASK)
        return jnp.sum(decoded.outputs**2) + jnp.sum(decoded.weights**2)

    slopes = jax.tree.leaves(gradient(network))
    assert all(np.isfinite(leaf).all() and np.any(leaf) for leaf in slopes)


def test_attention_over_any_arrays():
    """The functions of the module alone, without an encoder."""
    for kind in (DotAttention, AdditiveAttention):
        attention = kind(H, M, key=KEY)
        queries, memory = random_inputs(B, T, H), random_inputs(B, S, M, seed=2)
        context, weights = attention(queries, memory, MASK)
        expected = np.exp(scores(attention, np.asarray(queries)[1, 2], np.asarray(memory)[1, :2]))
        assert_close(weights[1, 2, :2], expected / expected.sum())
        assert_close(context[1, 2], expected @ np.asarray(memory)[1, :2] / expected.sum())


def test_what_does_not_fit_is_refused(source, targets):
    network = build("dot")
    gru = tt.GRU(2, 3, key=KEY)
    wrong = {
        "reads-ahead": lambda: tt.EncoderDecoder(gru, tt.Stack([tt.Bidirectional(gru, gru)]), key=KEY),
        "unknown-name": lambda: tt.EncoderDecoder(gru, gru, "cosine", key=KEY),
        "wrong-batch": lambda: network(random_inputs(S, D), targets, target_mask=TARGET_MASK),
        "token-out-of-range": lambda: network(random_inputs(B, S, D), targets),
        "wrong-probability": lambda: network.scheduled(random_inputs(S, D), [1], 1.5, key=KEY),
        "no-steps": lambda: network.generate(random_inputs(S, D), 0),
    }
    for code, call in wrong.items():
        with pytest.raises(tt.InputError) as caught:
            call()
        assert caught.value.code == code
