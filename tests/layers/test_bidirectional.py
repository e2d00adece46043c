"""A bidirectional layer computes PyTorch's equations in both directions, on the unmasked steps alone."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tests.contract import random_inputs, random_weights

import throughtime as tt
from throughtime.layers.layer import require_layer

B, T, D, H = 4, 6, 3, 9
BACK = 8  # units of the backward layer: enough for a kernel, and not those of the forward one
KEY = jax.random.key(13)
MASK = np.array([[1, 1, 1, 1, 1, 1], [1, 1, 1, 0, 0, 0], [0, 1, 0, 1, 1, 0], [0, 0, 0, 0, 0, 0]], bool)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def gru(cell, xs, h=None):
    """PyTorch's nn.GRU: gates r, z, n, of which n has a bias of its own inside of the reset gate's product."""
    w_x, w_h, b, b_h = (np.asarray(w, np.float64) for w in (cell.w_x, cell.w_h, cell.b, cell.b_h))
    h, ys = np.zeros(cell.hidden) if h is None else h, []
    for x in xs:
        (xr, xz, xn), (hr, hz, hn) = np.split(w_x @ x + b, 3), np.split(w_h @ h, 3)
        r, z = sigmoid(xr + hr), sigmoid(xz + hz)
        n = np.tanh(xn + r * (hn + b_h))
        h = (1 - z) * n + z * h
        ys.append(h)
    return (h,), np.array(ys).reshape(len(xs), cell.hidden)


def lstm(cell, xs):
    """PyTorch's nn.LSTM: gates i, f, g, o."""
    w_x, w_h, b = (np.asarray(w, np.float64) for w in (cell.w_x, cell.w_h, cell.b))
    h = c = np.zeros(cell.hidden)
    ys = []
    for x in xs:
        i, f, g, o = np.split(w_x @ x + w_h @ h + b, 4)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        ys.append(h)
    return (h, c), np.array(ys).reshape(len(xs), cell.hidden)


REFERENCES = {tt.GRU: gru, tt.LSTM: lstm}


def reference(layer, xs):
    """Return states, outputs and the final output of one sequence without masked steps."""
    forward, ahead = REFERENCES[type(layer.forward)](layer.forward, xs)
    backward, back = REFERENCES[type(layer.backward)](layer.backward, xs[::-1])
    ys = np.concatenate([ahead, back[::-1]], axis=1)
    return (forward, backward), ys, np.concatenate([forward[0], backward[0]])


def two_cells(forward, backward):
    return random_weights(lambda: tt.Bidirectional(forward(D, H, key=KEY), backward(D, BACK, key=KEY)))


@eqx.filter_jit
def run(layer, xs, mask=None, key=None):
    """Return the state, the outputs and the final output."""
    state, ys = layer(xs, mask=mask, key=key)
    return state, ys, layer.final_output(ys, mask)


def assert_close(actual, expected):
    np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("forward", "backward"), [(tt.GRU, tt.GRU), (tt.LSTM, tt.GRU)])
def test_both_directions_are_pytorchs(forward, backward):
    """Varied: kinds and sizes, masked ends, gaps and starts with NaN there, no input at all, one sequence alone."""
    layer, xs = two_cells(forward, backward), np.asarray(random_inputs(B, T, D))
    assert (layer.inputs, layer.hidden) == (D, H + BACK)
    padded = jnp.asarray(np.where(MASK[..., None], xs, np.nan))
    state, ys, final = run(layer, padded, jnp.asarray(MASK))
    for row in range(B):
        states, expected, expected_final = reference(layer, xs[row][MASK[row]])
        assert_close(ys[row][MASK[row]], expected)
        assert_close(final[row], expected_final)
        for direction, arrays in zip(state, states, strict=True):
            for array, right in zip(direction, arrays, strict=True):
                assert_close(array[row], right)
    np.testing.assert_array_equal(np.asarray(ys)[~MASK], 0)
    _, expected, expected_final = reference(layer, xs[1])
    _, ys, final = run(layer, jnp.asarray(xs[1]))
    assert_close(ys, expected)
    assert_close(final, expected_final)


def test_layers_of_any_kind_read_backward():
    """A stack that reads backward is the stack over the turned sequence; tokens are turned by their own axis."""
    stack = tt.Stack([tt.Embedding(7, D, key=KEY), tt.Bidirectional(tt.GRU(D, 2, key=0), tt.GRU(D, 3, key=1))])
    layer = tt.Stack([tt.Bidirectional(stack, tt.Stack([tt.Embedding(7, 4, key=3)]))])
    tokens = jnp.asarray([[1, 6, 0, 3, -1], [2, 5, -1, -1, -1]])
    mask = tokens >= 0
    assert (layer.inputs, layer.hidden, layer.reads_tokens) == (7, 9, True)
    ((ends,), ys, final), ((_, _, of_turned)) = run(layer, tokens, mask), run(stack, tokens[:, ::-1], mask[:, ::-1])
    table = np.asarray(layer.layers[0].backward.layers[0].table.weight)
    np.testing.assert_array_equal(ys[..., 5:], np.where(mask[..., None], table[tokens], 0))
    for row, length in enumerate((4, 2)):
        (alone,), of_row, final_of_row = run(layer, tokens[row, :length])
        assert_close(ys[row, :length], of_row)
        assert_close(final[row], final_of_row)
        jax.tree.map(lambda many, one, row=row: assert_close(many[row], one), ends, alone)
    turned = tt.Bidirectional(layer.layers[0].backward, stack)
    assert_close(run(turned, tokens, mask)[2][:, 4:], of_turned)


def test_each_direction_has_its_own_noise():
    """With a key the outputs differ between draws, sequences and directions; without one nothing is drawn."""
    cell = tt.VariationalDropout(tt.Zoneout(tt.GRU(D, H, key=KEY), 0.5), 0.3)
    layer = tt.Stack([tt.Bidirectional(cell, cell), tt.GRU(2 * H, 2, key=KEY)])
    xs = jnp.broadcast_to(random_inputs(1, 1, D), (2, T, D))  # the same at all steps: both directions read the same
    ys, still = run(layer.layers[0], xs, key=KEY)[1], run(layer.layers[0], xs)[1]
    assert_close(still[..., :H], still[:, ::-1, H:])
    assert np.abs(ys[..., :H] - ys[:, ::-1, H:]).max() > 1e-3
    assert np.abs(ys[0] - ys[1]).max() > 1e-3
    outputs = [run(layer, xs, key=key)[1] for key in (KEY, KEY, jax.random.key(1), None)]
    np.testing.assert_array_equal(outputs[0], outputs[1])
    assert np.abs(outputs[0] - outputs[2]).max() > 1e-3
    assert np.abs(outputs[0] - outputs[3]).max() > 1e-3


def test_layers_that_do_not_fit_are_refused():
    gru, network = tt.GRU(D, H, key=KEY), tt.RecurrentNetwork(tt.GRU(D, H, key=KEY), 1, key=KEY)
    for wrong in (tt.GRU, network, None):
        with pytest.raises(tt.InputError) as caught:
            require_layer("Bidirectional", wrong)
        assert caught.value.code == "wrong-layer"
    for backward in (tt.GRU(D + 1, H, key=KEY), tt.Embedding(D, H, key=KEY)):
        with pytest.raises(tt.InputError) as caught:
            tt.Bidirectional(gru, backward)
        assert caught.value.code == "wrong-sizes"
