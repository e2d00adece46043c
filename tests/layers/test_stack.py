"""A stack is its layers, one after the other; blocks and feed-forward layers compute the equations they tell."""

from functools import partial

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import throughtime as tt
from throughtime.training import checkpoint

B, T, D, H, O = 2, 5, 3, 4, 6  # noqa: E741
KEY = jax.random.key(5)


def random_weights(build, seed):
    """What ``build`` makes, with every weight drawn anew, also those that start at one or zero."""
    draw = np.random.default_rng(seed)
    shapes = eqx.filter_eval_shape(build)
    return jax.tree.map(lambda w: jnp.asarray(draw.normal(0.0, w.shape[-1] ** -0.5, w.shape), w.dtype), shapes)


def build_network():
    layers = [tt.Block(tt.MinGRU(H, H, key=KEY)), tt.FeedForward(H, key=KEY), tt.Block(tt.GRU(H, H, key=KEY))]
    return tt.StackedNetwork(D, layers, O, key=KEY)


@pytest.fixture(scope="module")
def gru():
    return random_weights(lambda: tt.GRU(D, H, key=KEY), 0)


@pytest.fixture(scope="module")
def block():
    return random_weights(lambda: tt.Block(tt.LSTM(H, H, key=KEY)), 1)


@pytest.fixture(scope="module")
def network():
    return random_weights(build_network, 2)


@pytest.fixture(scope="module")
def xs():
    return jnp.asarray(np.random.default_rng(3).normal(size=(B, T, D)), jnp.float32)


@eqx.filter_jit
def run(layer, xs, state=None, mask=None):
    """One program, which compiles faster than its operations one by one."""
    return layer(xs, state, mask=mask)


def close(came, due):
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6), came, due)


def test_a_stack_of_one_is_the_cell(gru, xs):
    end, ys = eqx.filter_jit(tt.unroll)(gru, xs)
    came_end, came = run(tt.Stack([gru]), xs)
    close(came_end, (end,))
    close(came, ys)


def test_each_layer_reads_the_one_below(gru, block, xs):
    stack = tt.Stack([gru, block, tt.Stack([block])])
    assert (stack.inputs, stack.hidden) == (D, H)
    first_end, ys = run(tt.Stack([gru]), xs)
    second_end, ys = run(block, ys)
    third_end, ys = run(block, ys)
    ends, outputs = run(stack, xs)
    close(ends, (*first_end, second_end, (third_end,)))
    close(outputs, ys)


def normalized(norm, x):
    spread = np.sqrt(x.var(axis=1, keepdims=True) + 1e-5)
    return np.asarray(norm.weight) * (x - x.mean(axis=1, keepdims=True)) / spread + np.asarray(norm.bias)


def mapped(linear, x):
    return x @ np.asarray(linear.weight).T + np.asarray(linear.bias)


def gelu(x):
    """Its approximation by tanh (Hendrycks & Gimpel 2016, arXiv 1606.08415)."""
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


def by_the_equations(layer, x):
    inside = normalized(layer.norm, x)
    if isinstance(layer, tt.FeedForward):
        return x + mapped(layer.narrow, gelu(mapped(layer.widen, inside)))
    return x + np.asarray(eqx.filter_jit(tt.unroll)(layer.cell, jnp.asarray(inside))[1])


def test_a_network_computes_its_equations(network, xs):
    x = mapped(network.embedding, np.asarray(xs[1]))
    for layer in network.stack.layers:
        x = by_the_equations(layer, x)
    close(run(network, xs[1])[1], mapped(network.readout, normalized(network.norm, x)))


def test_a_batch_is_its_series_side_by_side(network, xs):
    state, outputs = run(network, xs)
    assert outputs.shape == (B, T, O)
    for row in range(B):
        close((jax.tree.map(lambda leaf, row=row: leaf[row], state), outputs[row]), run(network, xs[row]))


def test_the_state_carries_on(network, xs):
    end, whole = run(network, xs)
    state, first = run(network, xs[:, :2])
    came_end, rest = run(network, xs[:, 2:], state)
    close(came_end, end)
    close(jnp.concatenate([first, rest], axis=1), whole)
    assert not np.allclose(run(network, xs[:, 2:])[1], rest, atol=1e-3)


@partial(jax.jit, compiler_options={"xla_backend_optimization_level": 0})  # compiles faster
def gradient(network, xs, mask):
    """Of the outputs' sum of squares where there are inputs, and the last state."""

    def total(network):
        state, ys = network(xs, mask=mask)
        return jnp.sum(jnp.where(mask[..., None], ys, 0) ** 2), state

    return jax.grad(total, has_aux=True)(network)


@pytest.mark.parametrize("padding", [7.0, jnp.nan])
def test_masked_steps_change_nothing(network, xs, padding):
    """State, outputs and gradients are those of the series without them."""
    mask = jnp.array([[True, False, True, True, False], [True, True, False, False, True]])
    padded = jnp.where(mask[..., None], xs, padding)

    came, came_state = gradient(network, padded, mask)
    rows = [xs[row][mask[row]] for row in range(B)]
    due, due_state = gradient(network, jnp.stack(rows), jnp.ones((B, 3), bool))
    close(came, due)
    close(came_state, due_state)
    assert all(np.any(np.asarray(leaf) != 0) for leaf in jax.tree.leaves(came))  # every weight has its part


def test_outputs_are_zeros_where_masked_out(network):
    mask = np.array([True, False, True, True, False])
    xs = jnp.asarray(np.random.default_rng(4).normal(size=(T, H)), jnp.float32)
    for layer in network.stack.layers[:2]:
        ys = np.asarray(run(layer, xs, mask=jnp.asarray(mask))[1])
        assert not np.any(ys[~mask])
        assert np.all(ys[mask])
        padded = jnp.where(mask[:, None], xs, jnp.nan)
        jax.tree.map(np.testing.assert_array_equal, *(gradient(layer, x, jnp.asarray(mask))[0] for x in (padded, xs)))


def test_a_network_comes_back_from_disk(network, tmp_path):
    checkpoint.save(tmp_path, "training", {}, {"model": network})
    again = checkpoint.restore(checkpoint.load(tmp_path).arrays, build_network, "model")
    assert jax.tree.structure(again) == jax.tree.structure(network)
    jax.tree.map(np.testing.assert_array_equal, again, network)


def test_what_does_not_fit_is_refused(gru, block, xs):
    with pytest.raises(tt.InputError, match="at least one layer, got none"):
        tt.Stack([])
    with pytest.raises(tt.InputError, match="layer 2 reads 3 inputs, but layer 1 puts out 4"):
        tt.Stack([gru, gru])
    with pytest.raises(tt.InputError, match="as many inputs as units, got 3 inputs and 4 units"):
        tt.Block(gru)
    with pytest.raises(tt.InputError, match="state has 1 entries: expected 2, one for each layer"):
        tt.Stack([gru, block])(xs, (None,))
