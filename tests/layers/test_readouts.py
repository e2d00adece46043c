"""Tokens, pooling, and networks with an output for each step or for the whole sequence."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tests.contract import random_inputs, random_weights

import throughtime as tt

B, T, V, E, H, O = 3, 5, 11, 4, 6, 2  # noqa: E741
KEY = jax.random.key(17)
TOKENS = jnp.asarray([[3, 10, 0, 7, 7], [9, 2, -5, V, 1], [-1, -1, -1, -1, -1]])
MASK = tt.sequence_mask(jnp.asarray([5, 2, 0]), T)


def layers():
    both = tt.Bidirectional(tt.GRU(E, H, key=0), tt.LSTM(E, H + 1, key=1))
    return [tt.Embedding(V, E, key=KEY), both, tt.Dropout(both.hidden, 0.5)]


@eqx.filter_jit
def run(network, xs, mask=None):
    return network(xs, mask=mask)


@pytest.mark.parametrize("pool", ["last", "mean", "max"])
def test_one_output_for_a_sequence(pool):
    """By NumPy from the layers' outputs; padding that is no token, and no input at all, change nothing."""
    network = random_weights(lambda: tt.ManyToOne(layers(), O, pool, key=KEY))
    assert (network.inputs, network.outputs) == (V, O)
    _, logits = run(network, TOKENS, MASK)
    _, hidden = run(network.layer, TOKENS, MASK)
    weight, bias = np.asarray(network.readout.weight), np.asarray(network.readout.bias)
    for row, length in enumerate((5, 2)):
        ys = np.asarray(hidden)[row, :length]
        pooled = {"last": np.r_[ys[-1, :H], ys[0, H:]], "mean": ys.mean(0), "max": ys.max(0)}[pool]
        np.testing.assert_allclose(logits[row], weight @ pooled + bias, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(run(network, TOKENS[row, :length])[1], logits[row], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(logits[2], bias)

    @jax.jit
    @jax.grad
    def gradient(network):
        return jnp.sum(network(TOKENS, mask=MASK)[1][2] ** 2)  # of the sequence without inputs

    slopes = gradient(network)
    np.testing.assert_allclose(slopes.readout.bias, 2 * bias, rtol=1e-6)
    assert all(np.all(np.asarray(leaf) == 0) for leaf in jax.tree.leaves(slopes.layer))


def test_an_output_for_each_step():
    network = random_weights(lambda: tt.ManyToMany(layers(), O, key=KEY))
    state, tags = run(network, TOKENS, MASK)
    expected_state, hidden = run(network.layer, TOKENS, MASK)
    weight, bias = np.asarray(network.readout.weight), np.asarray(network.readout.bias)
    expected = np.where(MASK[..., None], np.asarray(hidden) @ weight.T + bias, 0)
    np.testing.assert_allclose(tags, expected, rtol=1e-5, atol=1e-6)
    jax.tree.map(np.testing.assert_array_equal, state, expected_state)
    cell = tt.ManyToMany(tt.GRU(3, H, key=KEY), O, key=KEY)
    same = tt.RecurrentNetwork(cell.layer, O, key=KEY)
    xs = random_inputs(T, 3)
    np.testing.assert_array_equal(run(cell, xs)[1], run(same, xs)[1])


def test_pooling_over_outputs():
    """Of negative numbers too; NaN at masked steps; finite gradients for a sequence without any input."""
    ys = np.asarray(random_inputs(B, T, H)) - 3
    mask = np.asarray(MASK) & (np.arange(T) != 1)
    padded = jnp.where(mask[..., None], ys, jnp.nan)
    for pool, right in ((tt.mean_output, np.mean), (tt.max_output, np.max)):
        pooled, slopes = jax.value_and_grad(lambda ys, pool=pool: (pool(ys, mask) ** 2).sum())(padded)
        expected = [right(ys[row][mask[row]], axis=0) for row in range(2)]
        np.testing.assert_allclose(pool(padded, mask), [*expected, np.zeros(H)], rtol=1e-6)
        np.testing.assert_allclose(pooled, np.square(expected).sum(), rtol=1e-5)
        assert np.isfinite(slopes).all()
        np.testing.assert_array_equal(slopes[2], 0)
        np.testing.assert_allclose(pool(ys[1]), right(ys[1], axis=0), rtol=1e-6)
        assert pool(ys[:, :0]).shape == (B, H)
        with pytest.raises(tt.InputError):
            pool(ys, mask[0])


def test_masks_of_lengths():
    np.testing.assert_array_equal(tt.sequence_mask([2, 0, 3], 3), [[1, 1, 0], [0, 0, 0], [1, 1, 1]])
    np.testing.assert_array_equal(tt.sequence_mask(np.int64(1), 3), [True, False, False])
    np.testing.assert_array_equal(
        jax.jit(lambda lengths: tt.sequence_mask(lengths, 2))(jnp.array([9, -1])), [[1, 1], [0, 0]]
    )
    for lengths, code in (
        ([1.0], "not-lengths"),
        ([[1]], "not-lengths"),
        ([1, 4], "length-out-of-range"),
        ([-1], "length-out-of-range"),
    ):
        with pytest.raises(tt.InputError) as caught:
            tt.sequence_mask(lengths, 3)
        assert caught.value.code == code


def test_tokens_out_of_range():
    """An error where they are known, NaN inside of a compiled program; unknown types and shapes are refused."""
    embedding = tt.Embedding(V, E, key=KEY)
    np.testing.assert_array_equal(embedding([0, V - 1])[1], embedding.table.weight[jnp.array([0, V - 1])])
    compiled = np.asarray(run(embedding, jnp.array([1, V, -1]))[1])
    assert np.isfinite(compiled[0]).all()
    assert np.isnan(compiled[1:]).all()
    wrong = [([V], "token-out-of-range"), ([-1], "token-out-of-range"), ([1.0], "not-tokens"), ([[[1]]], "not-tokens")]
    for tokens, code in wrong:
        with pytest.raises(tt.InputError) as caught:
            embedding(tokens)
        assert caught.value.code == code
    with pytest.raises(tt.InputError) as caught:
        tt.ManyToOne(layers(), O, "median", key=KEY)
    assert caught.value.code == "unknown-name"


def test_sequences_are_padded_to_one_batch():
    """Values and tokens, lists and arrays; an empty sequence; to the longest one or to a length of choice."""
    values = [np.asarray(random_inputs(length, E)) for length in (2, 0, 4)]
    batch, mask = tt.pad(values)
    np.testing.assert_array_equal(mask, tt.sequence_mask([2, 0, 4], 4))
    np.testing.assert_array_equal(np.asarray(batch)[mask], np.concatenate(values))
    assert not np.asarray(batch)[~np.asarray(mask)].any()
    tokens, flags = tt.pad([[3, 1], np.array([2])], 3)
    np.testing.assert_array_equal(tokens, [[3, 1, 0], [2, 0, 0]])
    assert (tokens.dtype, flags.shape) == (jnp.int32, (2, 3))


@pytest.mark.parametrize(
    ("sequences", "steps", "code"),
    [
        ([], None, "unequal-shapes"),
        ([np.zeros((2, E)), np.zeros((2, E + 1))], None, "unequal-shapes"),
        ([np.zeros((2, E)), np.zeros(2)], None, "unequal-shapes"),
        ([np.array(1.0)], None, "unequal-shapes"),
        ([np.zeros((2, E))], 1, "length-out-of-range"),
    ],
    ids=["none", "widths", "axes", "numbers", "too long"],
)
def test_sequences_that_make_no_batch_are_refused(sequences, steps, code):
    with pytest.raises(tt.InputError) as caught:
        tt.pad(sequences, steps)
    assert caught.value.code == code
