"""Comparison of a native kernel with the scan."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from tests.contract import random_inputs, random_weights

import throughtime as tt
from throughtime.kernels.library import off

RELATIVE = 2e-5

CELLS = {
    "lstm": tt.LSTM,
    "gru": tt.GRU,
    **{f"elman-{name}": partial(tt.Elman, activation=name) for name in ("identity", "sigmoid", "tanh", "relu")},
    **{f"elman-{name}": partial(tt.Elman, activation=name) for name in ("leaky_relu", "elu")},
}


def cell_of(name, inputs, hidden, seed=0):
    """Return a cell with random asymmetric weights and biases of moderate size."""
    return random_weights(lambda: CELLS[name](inputs, hidden, key=jax.random.key(0)), seed, size=0.8)


def state_of(cell, *batch, seed=3):
    """Return a random state; h and c differ."""
    leaves, tree = jax.tree.flatten(jax.eval_shape(cell.initial_state))
    drawn = [random_inputs(*batch, *leaf.shape, seed=seed + number, size=0.5) for number, leaf in enumerate(leaves)]
    return jax.tree.unflatten(tree, drawn)


def weighed(results, seed=7):
    """Return a number that depends on every output and every last state, with different weights."""
    leaves = jax.tree.leaves(results)
    return sum(jnp.sum(jnp.sin(leaf) * random_inputs(*leaf.shape, seed=seed + i)) for i, leaf in enumerate(leaves))


def both(function, *operands):
    """Return the results of ``function`` with kernels, and with scans: two programs."""
    fast = jax.jit(function)(*operands)
    with off():
        slow = jax.jit(lambda *again: function(*again))(*operands)
    return fast, slow


def program(cell, xs):
    """Return the program's text, before XLA compiles it."""
    return jax.jit(lambda cell, xs: tt.unroll(cell, xs)).lower(cell, xs).as_text()


def padded(*batch, T, seed=5):
    """Return a mask (*batch, T) of sequences of different lengths with padding on both sides and a few gaps."""
    random = np.random.default_rng(seed)
    begin, end = random.integers(0, T // 3, (*batch, 1)), random.integers(0, T + 1, (*batch, 1))
    steps = np.arange(T)
    return jnp.asarray((begin <= steps) & (steps < end) & (random.random((*batch, T)) < 0.9))


def assert_same(fast, slow, relative=RELATIVE):
    """Compare array by array: the largest difference over the largest value."""
    assert jax.tree.structure(fast) == jax.tree.structure(slow)
    for one, other in zip(*map(jax.tree.leaves, (fast, slow)), strict=True):
        assert one.shape == other.shape
        assert one.dtype == other.dtype
        size = np.abs(np.asarray(other)).max(initial=0)
        np.testing.assert_allclose(one, other, rtol=0, atol=relative * max(size, 1e-30))


def forward_and_back(mask=None, reverse=False):
    """Return a function of cell, state and xs: the gradients of a loss by all three, and the results."""

    def run(cell, state, xs):
        def loss(cell, state, xs):
            results = tt.unroll(cell, xs, state, mask=mask, reverse=reverse)
            return weighed(results), results

        return jax.grad(loss, argnums=(0, 1, 2), has_aux=True)(cell, state, xs)

    return run
