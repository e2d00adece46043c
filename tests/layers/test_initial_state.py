"""A learned initial state is the state from which a cell starts, in every way to run it."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tests.contract import random_cell, random_inputs, random_weights

import throughtime as tt
from throughtime.kernels import available

B, T, D, H = 2, 5, 3, 9
KEY = jax.random.key(19)


def assert_close(actual, expected):
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6), actual, expected)


@eqx.filter_jit
def value_and_gradient(cell, xs, state, mask, method):
    """Return state and outputs, and the gradient of their squares by the cell and the state."""

    def total(cell_and_state):
        results = tt.unroll(cell_and_state[0], xs, cell_and_state[1], mask=mask, method=method)
        return sum(jnp.sum(leaf**2) for leaf in jax.tree.leaves(results)), results

    return eqx.filter_grad(total, has_aux=True)((cell, state))


@pytest.mark.parametrize(
    ("kind", "method"), [(tt.LSTM, "scan"), (tt.LSTM, "kernel"), (tt.MinGRU, "parallel"), (tt.LRU, "scan")]
)
def test_it_is_the_state_given_by_hand(kind, method):
    """Values and gradients, of a masked batch; the kernel and the parallel scan run the inner cell."""
    if method == "kernel" and not available():
        pytest.skip("no native kernels here")
    cell = random_weights(lambda: tt.LearnedInitialState(kind(D, H, key=KEY)))
    xs, mask = random_inputs(B, T, D), tt.sequence_mask([T, 2], T)
    slopes, results = value_and_gradient(cell, xs, None, mask, method)
    by_hand = jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, (B, H)), cell.state)
    (inner, state), expected = value_and_gradient(cell.cell, xs, by_hand, mask, "scan")
    assert_close(results, expected)
    assert_close(slopes[0].cell, inner)
    assert_close(slopes[0].state, jax.tree.map(lambda leaf: leaf.sum(axis=0), state))
    assert all(np.abs(leaf).min() > 0 for leaf in jax.tree.leaves(slopes[0].state))


def test_it_starts_a_draw():
    """Noise inside and outside of it; in a stack; a state that is passed on takes its place."""
    zoneout = random_weights(lambda: tt.LearnedInitialState(tt.Zoneout(tt.LSTM(D, H, key=KEY), 0.5)))
    draw = zoneout.draw(KEY)
    assert_close(draw.initial_state().cell, zoneout.state)
    stack, xs = tt.Stack([zoneout]), random_inputs(B, T, D)
    run = eqx.filter_jit(lambda layer, xs, state, key: layer(xs, state, key=key))
    end, ys = run(stack, xs, None, KEY)
    first, ahead = run(stack, xs[:, :2], None, KEY)
    rest_end, rest = run(stack, xs[:, 2:], first, KEY)
    assert_close((rest_end, jnp.concatenate([ahead, rest], axis=1)), (end, ys))
    assert np.abs(run(stack, xs, None, jax.random.key(1))[1] - ys).max() > 1e-3
    gru = tt.LearnedInitialState(random_cell("gru"))
    moved = eqx.tree_at(lambda cell: cell.state.h, gru, jnp.full(4, 0.5))
    dropout = tt.VariationalDropout(moved, 0.5)
    assert_close(dropout.draw(KEY).initial_state().h, moved.state.h)
    assert np.any(dropout.draw(KEY).w_h == 0)
