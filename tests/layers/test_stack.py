"""Stacks run their layers in order; blocks and feed-forward layers compute the equations in their docstrings."""

from functools import partial

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import throughtime as tt
from throughtime.layers import unroll_drawn
from throughtime.training import checkpoint

B, T, D, H, O = 2, 5, 3, 4, 6  # noqa: E741
KEY = jax.random.key(5)


def random_weights(build, seed):
    """Return what ``build`` makes with every weight random, also those that start at one or zero."""
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
    """Run a layer as one program, which compiles faster than its operations one by one."""
    return layer(xs, state, mask=mask)


def assert_close(actual, expected):
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6), actual, expected)


def test_a_stack_of_one_cell_gives_its_numbers(gru, xs):
    end, ys = eqx.filter_jit(tt.unroll)(gru, xs)
    stack_end, stack_ys = run(tt.Stack([gru]), xs)
    assert_close(stack_end, (end,))
    assert_close(stack_ys, ys)


def test_every_layer_reads_the_one_below(gru, block, xs):
    stack = tt.Stack([gru, block, tt.Stack([block])])
    assert (stack.inputs, stack.hidden) == (D, H)
    first_end, ys = run(tt.Stack([gru]), xs)
    second_end, ys = run(block, ys)
    third_end, ys = run(block, ys)
    ends, outputs = run(stack, xs)
    assert_close(ends, (*first_end, second_end, (third_end,)))
    assert_close(outputs, ys)


def normalized(norm, x):
    spread = np.sqrt(x.var(axis=1, keepdims=True) + 1e-5)
    return np.asarray(norm.weight) * (x - x.mean(axis=1, keepdims=True)) / spread + np.asarray(norm.bias)


def mapped(linear, x):
    return x @ np.asarray(linear.weight).T + np.asarray(linear.bias)


def gelu(x):
    """Approximate it by tanh (Hendrycks & Gimpel 2016, arXiv 1606.08415)."""
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
    assert_close(run(network, xs[1])[1], mapped(network.readout, normalized(network.norm, x)))


def test_a_batch_gives_the_numbers_of_its_sequences(network, xs):
    state, outputs = run(network, xs)
    assert outputs.shape == (B, T, O)
    for row in range(B):
        assert_close((jax.tree.map(lambda leaf, row=row: leaf[row], state), outputs[row]), run(network, xs[row]))


def test_the_state_carries_on(network, xs):
    end, whole = run(network, xs)
    state, first = run(network, xs[:, :2])
    rest_end, rest = run(network, xs[:, 2:], state)
    assert_close(rest_end, end)
    assert_close(jnp.concatenate([first, rest], axis=1), whole)
    assert not np.allclose(run(network, xs[:, 2:])[1], rest, atol=1e-3)


@partial(jax.jit, compiler_options={"xla_backend_optimization_level": 0})  # compiles faster
def gradient(network, xs, mask):
    """Return the gradient of the sum of squared outputs at unmasked steps, and the last state."""

    def total(network):
        state, ys = network(xs, mask=mask)
        return jnp.sum(jnp.where(mask[..., None], ys, 0) ** 2), state

    return jax.grad(total, has_aux=True)(network)


@pytest.mark.parametrize("padding", [7.0, jnp.nan])
def test_masked_steps_change_nothing(network, xs, padding):
    """State, outputs and gradients are those of the sequence without them."""
    mask = jnp.array([[True, False, True, True, False], [True, True, False, False, True]])
    padded = jnp.where(mask[..., None], xs, padding)

    masked, masked_state = gradient(network, padded, mask)
    rows = [xs[row][mask[row]] for row in range(B)]
    expected, expected_state = gradient(network, jnp.stack(rows), jnp.ones((B, 3), bool))
    assert_close(masked, expected)
    assert_close(masked_state, expected_state)
    assert all(np.any(np.asarray(leaf) != 0) for leaf in jax.tree.leaves(masked))  # every weight matters


def noisy(wrapper, rate, cell=tt.LSTM):
    """Return layers with one random cell, at each depth that a stack allows."""
    cell = wrapper(cell(H, H, key=KEY), rate)
    return {
        "block": tt.Block(cell),
        "block of a wrapper": tt.Block(tt.Residual(cell)),
        "stack": tt.Stack([cell]),
        "stack in a stack": tt.Stack([tt.FeedForward(H, key=KEY), tt.Stack([tt.Block(cell)])]),
        "network": tt.StackedNetwork(H, [tt.Block(cell), tt.FeedForward(H, key=KEY)], O, key=KEY),
    }


@pytest.mark.parametrize(
    ("wrapper", "depth"),
    [*((tt.Zoneout, depth) for depth in noisy(tt.Zoneout, 0.5)), (tt.VariationalDropout, "stack in a stack")],
)
def test_noise_is_drawn_for_each_sequence(wrapper, depth):
    """Varied: both kinds of noise, and the depth of the random cell; three times the same sequence, and one alone."""
    layer = noisy(wrapper, 0.6)[depth]
    through = eqx.filter_jit(lambda layer, xs, key: layer(xs, key=key)[1])
    one = jnp.asarray(np.random.default_rng(6).normal(size=(T, H)), jnp.float32)
    same = jnp.broadcast_to(one[None], (3, T, H))
    at_inference, drawn = through(layer, same, None), through(layer, same, KEY)
    assert np.abs(drawn - at_inference).max() > 1e-3
    assert np.abs(drawn[0] - drawn[1]).max() > 1e-3
    assert np.abs(through(layer, same, jax.random.key(1)) - drawn).max() > 1e-3
    np.testing.assert_array_equal(through(layer, same, KEY), drawn)
    np.testing.assert_array_equal(at_inference[0], at_inference[2])
    assert np.abs(through(layer, one, KEY) - at_inference[0]).max() > 1e-3
    still = noisy(wrapper, 0.0)[depth]
    assert_close(through(still, same, KEY), through(still, same, None))


def test_noise_in_a_stack_is_that_of_the_cell_alone():
    """The drawn state carries on, masked steps leave it, and each layer has its own draw."""
    zoneout = tt.Zoneout(tt.GRU(H, H, key=KEY), 0.5)
    xs = jnp.asarray(np.random.default_rng(7).normal(size=(B, T, H)), jnp.float32)
    mask = jnp.arange(T)[None] < jnp.array([[2], [5]])
    stack = tt.Stack([zoneout, zoneout])
    end, ys = stack(xs, mask=mask, key=KEY)
    first_end, first = unroll_drawn(zoneout, xs, mask=mask, key=jax.random.fold_in(KEY, 0))
    second_end, second = unroll_drawn(zoneout, first, mask=mask, key=jax.random.fold_in(KEY, 1))
    assert_close((end, ys), ((first_end, second_end), second))
    np.testing.assert_array_equal(end[0].t, [2, 5])
    rest_end, _ = stack(xs, end, mask=mask, key=KEY)
    np.testing.assert_array_equal(rest_end[1].t, [4, 10])


@pytest.mark.parametrize("ends", [[2, 5], [0, 4]])
def test_masked_outputs_of_a_network_are_zeros(network, xs, ends):
    """Varied: masked ends, a sequence without inputs, masked steps at the start; a sequence alone; NaN as padding."""
    late = np.arange(T)[None] < np.array(ends)[:, None]
    for mask in (late, late[:, ::-1]):
        padded = jnp.where(mask[..., None], xs, jnp.nan)
        ys = np.asarray(run(network, padded, mask=jnp.asarray(mask))[1])
        np.testing.assert_array_equal(ys[~mask], 0)
        assert np.all(ys[mask])
        alone = np.asarray(run(network, padded[1], mask=jnp.asarray(mask[1]))[1])
        np.testing.assert_allclose(alone, ys[1], rtol=1e-5, atol=1e-6)
        np.testing.assert_array_equal(alone[~mask[1]], 0)


def test_lists_and_numpy_arrays_are_inputs(network, xs):
    numbers, flags = xs[0].tolist(), [True, True, True, False, True]
    expected = run(network, xs[0], mask=jnp.array(flags))[1]
    assert_close(network(numbers, mask=flags)[1], expected)
    assert_close(network(np.asarray(xs[0]), mask=np.array(flags))[1], expected)
    block, forward = network.stack.layers[:2]
    wide = np.random.default_rng(8).normal(size=(T, H)).astype(np.float32)
    for layer in (block, forward, network.stack):
        assert_close(layer(wide.tolist(), mask=flags)[1], run(layer, jnp.asarray(wide), mask=jnp.array(flags))[1])


WRONG_ARGUMENTS = {
    "too wide": ((B, T, 1), None, "wrong-shape"),
    "one axis": (None, None, "wrong-shape"),
    "four axes": ((1, B, T, 0), None, "wrong-shape"),
    "mask of a sequence": ((B, T, 0), np.ones(T, bool), "wrong-mask-shape"),
    "mask of all units": ((B, T, 0), np.ones((B, T, 1), bool), "wrong-mask-shape"),
    "mask of another length": ((T, 0), np.ones(T + 1, bool), "wrong-mask-shape"),
    "mask of numbers": ((T, 0), np.ones(T, int), "wrong-mask-dtype"),
    "mask of floats": ((B, T, 0), np.ones((B, T)), "wrong-mask-dtype"),
}


@pytest.mark.parametrize(("shape", "mask", "code"), WRONG_ARGUMENTS.values(), ids=WRONG_ARGUMENTS)
def test_shapes_and_masks_that_do_not_fit_are_refused(network, shape, mask, code):
    """The last axis of ``shape`` is what it has more than the layer reads."""
    block, forward = network.stack.layers[:2]
    for layer in (block, forward, network.stack, network):
        xs = np.zeros(layer.inputs if shape is None else (*shape[:-1], layer.inputs + shape[-1]), np.float32)
        with pytest.raises(tt.InputError) as caught:
            layer(xs, mask=mask)
        assert caught.value.code == code


def test_masked_steps_give_zeros(network):
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


def test_layers_and_states_that_do_not_fit_are_refused(gru, block, xs):
    with pytest.raises(tt.InputError) as caught:
        tt.Stack([])
    assert caught.value.code == "no-layers"
    with pytest.raises(tt.InputError) as caught:
        tt.Stack([gru, gru])
    assert (caught.value.code, caught.value.found, caught.value.expected) == ("wrong-sizes", 3, 4)
    assert str(caught.value) == "layer 2 reads 3 inputs, but layer 1 has 4 outputs: expected the same number"
    with pytest.raises(tt.InputError) as caught:
        tt.Block(gru)
    assert (caught.value.code, caught.value.found) == ("wrong-sizes", (3, 4))
    with pytest.raises(tt.InputError) as caught:
        tt.Stack([gru, block])(xs, (None,))
    assert (caught.value.code, caught.value.found, caught.value.expected) == ("wrong-state", 1, 2)


@pytest.mark.parametrize(
    "layer",
    [
        tt.Stack([tt.GRU(2, 2, key=0)]),
        tt.Bidirectional(tt.GRU(2, 2, key=0), tt.GRU(2, 2, key=1)),
        tt.Dropout(2, 0.1),
        tt.FeedForward(2, key=0),
        tt.Embedding(2, 2, key=0),
        tt.ManyToOne(tt.GRU(2, 2, key=0), 1, key=0),
    ],
    ids=lambda layer: type(layer).__name__,
)
@pytest.mark.parametrize("as_mask", [np.array, np.ndarray.tolist])
def test_a_mask_in_the_place_of_the_state_is_refused(layer, as_mask):
    xs = np.zeros(4, int) if layer.reads_tokens else np.zeros((4, 2), np.float32)
    with pytest.raises(tt.InputError) as caught:
        layer(xs, as_mask(np.ones(4, bool)))
    assert caught.value.code == "mask-as-state"
