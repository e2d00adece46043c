"""Kernels under JAX's transformations."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tests.contract import random_inputs
from tests.kernels.compare import assert_same, both, cell_of, forward_and_back, padded, state_of, weighed

import throughtime as tt

NAMES = ["lstm", "gru", "elman-tanh"]
N, B, T, D, H = 3, 4, 5, 2, 7
MANY = 17  # rows: more than one vector


def models(name):
    """Return N cells as one, their arrays stacked."""
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *(cell_of(name, D, H, seed) for seed in range(N)))


@pytest.mark.parametrize("B", [1, B, MANY])
@pytest.mark.parametrize("name", NAMES)
def test_mapped_inputs_are_more_rows(name, B):
    cell, state, xs = cell_of(name, D, H), state_of(cell_of(name, D, H), N, B), random_inputs(N, B, T, D)
    assert_same(*both(jax.vmap(lambda state, xs: tt.unroll(cell, xs, state)), state, xs))
    mapped = jax.vmap(forward_and_back(), in_axes=(None, 0, 0))
    fast, slow = both(mapped, cell, state, xs)
    assert_same(fast, slow)
    one = forward_and_back()(cell, jax.tree.map(lambda leaf: leaf[1], state), xs[1])
    assert_same(jax.tree.map(lambda leaf: leaf[1], fast), one)


@pytest.mark.parametrize("name", NAMES)
def test_mapped_weights_are_models(name):
    cells, state, xs = models(name), state_of(cell_of(name, D, H), N, B), random_inputs(N, B, T, D)
    fast, slow = both(jax.vmap(forward_and_back()), cells, state, xs)
    assert_same(fast, slow)
    third = jax.tree.map(lambda leaf: leaf[2], (cells, state, xs))
    assert_same(jax.tree.map(lambda leaf: leaf[2], fast), forward_and_back()(*third))


@pytest.mark.parametrize("share", [False, True])
def test_models_of_sequences_of_different_lengths(share):
    """Each model has an order of its own, with weights of its own or those of all."""
    B, T, H = 19, 20, 15
    cells = [cell_of("gru", D, H, seed) for seed in range(N)]
    cell = cells[0] if share else jax.tree.map(lambda *leaves: jnp.stack(leaves), *cells)
    run = jax.vmap(lambda cell, mask, *rest: forward_and_back(mask)(cell, *rest), (None if share else 0, 0, 0, 0))
    operands = cell, padded(N, B, T=T), state_of(cells[0], N, B), random_inputs(N, B, T, D)
    assert_same(*both(run, *operands))


@pytest.mark.parametrize("name", NAMES)
def test_models_share_their_inputs(name):
    state, xs = state_of(cell_of(name, D, H), B), random_inputs(B, T, D)
    assert_same(*both(jax.vmap(forward_and_back(), in_axes=(0, None, None)), models(name), state, xs))


def test_models_of_mapped_rows():
    """Two vmaps, one of each kind, in either order."""
    state, xs = state_of(cell_of("gru", D, H), 2, B), random_inputs(2, B, T, D)
    rows = jax.vmap(forward_and_back(), in_axes=(None, 0, 0))
    assert_same(*both(jax.vmap(rows, in_axes=(0, None, None)), models("gru"), state, xs))
    of_models = jax.vmap(forward_and_back(), in_axes=(0, None, None))
    assert_same(*both(jax.vmap(of_models, in_axes=(None, 0, 0)), models("gru"), state, xs))


@pytest.mark.parametrize("B", [B, MANY])
@pytest.mark.parametrize("name", NAMES)
def test_the_gradient_of_a_mapped_loss_adds_up(name, B):
    """A network called on single sequences under vmap, as Equinox's are: the shared weights have one gradient."""
    cell, xs = cell_of(name, D, H), random_inputs(B, 3 * T, D)

    def loss(cell):
        return weighed(jax.vmap(lambda x: tt.unroll(cell, x))(xs))

    assert_same(*both(jax.grad(loss), cell))
    assert_same(jax.grad(loss)(cell), jax.grad(lambda cell: weighed(tt.unroll(cell, xs)))(cell))


@pytest.mark.parametrize("name", ["lstm", "gru"])
def test_many_backward_passes_after_one_forward_pass(name):
    """The residuals of one model are read for each cotangent, as for a model by itself."""
    cell, xs = cell_of(name, D, 16), random_inputs(32, T, D)
    assert_same(*both(jax.jacrev(lambda cell: tt.unroll(cell, xs)[1][:8, -1, 0]), cell))


@pytest.mark.parametrize("name", NAMES)
def test_empty_batches(name):
    cell = cell_of(name, D, H)
    for batch in ((0, B, T), (0, T)):
        fast, slow = both(
            jax.vmap(forward_and_back(), in_axes=(None, 0, 0)),
            cell,
            state_of(cell, *batch[:-1]),
            random_inputs(*batch, D),
        )
        assert_same(fast, slow)


@pytest.mark.parametrize("argnums", [(0,), (0, 1)], ids=["by the cell", "by cell and inputs"])
@pytest.mark.parametrize("name", NAMES)
def test_the_derivative_of_a_derivative(name, argnums):
    """Of the gradient's norm, with a mask, in reverse: flatness and Pascanu's regularizer need it."""
    cell, state, xs = cell_of(name, D, H), state_of(cell_of(name, D, H), B), random_inputs(B, T, D)
    mask = jnp.asarray(np.random.default_rng(0).random((B, T)) < 0.7)

    def norm(cell, state, xs):
        def loss(cell, xs):
            return weighed(tt.unroll(cell, xs, state, mask=mask, reverse=True))

        return sum(jnp.sum(leaf**2) for leaf in jax.tree.leaves(jax.grad(loss, argnums=argnums)(cell, xs)))

    assert_same(*both(jax.grad(norm, argnums=(0, 1, 2)), cell, state, xs), relative=1e-4)


def test_inside_a_scan():
    cell, xs = cell_of("lstm", D, H), random_inputs(N, B, T, D)

    def run(cell):
        return jax.lax.scan(lambda state, x: tt.unroll(cell, x, state), state_of(cell, B), xs)

    assert_same(*both(lambda cell: (run(cell), jax.grad(lambda cell: weighed(run(cell)))(cell)), cell))


def test_frozen_weights_and_rematerialization():
    cell, xs = cell_of("gru", D, H), random_inputs(B, T, D)

    def gradient(cell):
        frozen, trained = eqx.partition(
            cell, eqx.tree_at(lambda c: [c.w_x, c.w_h, c.b, c.b_h], cell, [True, False, True, True])
        )
        loss = jax.checkpoint(lambda part: weighed(tt.unroll(eqx.combine(frozen, part), xs)))
        return jax.grad(loss)(trained)

    assert_same(*both(gradient, cell))


def test_no_derivative_in_forward_mode():
    """JAX refuses; ``off`` helps."""
    cell, xs = cell_of("gru", D, H), random_inputs(T, D)
    forward = jax.jacfwd(lambda xs: tt.unroll(cell, xs)[1])
    with pytest.raises(TypeError, match="forward-mode"):
        forward(xs)
    with tt.kernels.off():
        slow = forward(xs)
    assert_same(jax.jacrev(lambda xs: tt.unroll(cell, xs)[1])(xs), slow)
