"""Batch normalization: the statistics of a batch in training, its masks, and the cell at inference."""

import inspect

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tests.contract import random_cell, random_inputs, random_weights
from tests.layers.wrapped import random_wrapped

import throughtime as tt
from throughtime.layers.batch_normalization import unroll_batch_norm

B, T = 6, 5
EPSILON = 1e-5
train, infer = eqx.filter_jit(unroll_batch_norm), eqx.filter_jit(tt.unroll)
MASK = np.arange(T) < np.array([5, 2, 4, 3, 5, 3])[:, None]  # at least two sequences in each step


def scattered(rows: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Return longer sequences with the unmasked steps of MASK at the given places, NaN elsewhere."""
    longer = np.full((*places.shape, *rows.shape[2:]), np.nan, rows.dtype)
    for b in range(len(rows)):
        longer[b, places[b]] = rows[b, MASK[b]]
    return longer


@pytest.fixture(scope="module")
def cell() -> tt.BatchNorm:
    return random_wrapped("batch_norm")


@pytest.fixture(scope="module")
def places() -> np.ndarray:
    """Return a mask of longer sequences with as many steps as MASK: padding at both ends and holes."""
    random = np.random.default_rng(4)
    places = np.zeros((B, 9), bool)
    for b, count in enumerate(MASK.sum(1)):
        places[b, random.choice(9, count, replace=False)] = True
    return places


@pytest.fixture
def products():
    """Return an identity cell and inputs for which the output of step 0 is W_x x and that of step 1 is W_h h."""
    cell = random_weights(lambda: tt.BatchNorm(tt.Elman(3, 4, "identity", key=jax.random.key(0)), steps=2))
    xs = random_inputs(B, 2, 3).at[:, 1].set(7.0)
    return cell, xs


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("rows", [[0, 1, 2, 3, 4, 5], [0, 2, 3]])
def test_a_normalized_product_has_mean_zero_and_the_variance_of_gamma(products, rows):
    cell, xs = products
    mask = jnp.zeros((B, 2), bool).at[jnp.asarray(rows)].set(True)
    _, ys, statistics = train(cell, xs, mask)
    np.testing.assert_array_equal(statistics.counts, [len(rows)] * 2)
    for step, gamma, variance in (
        (0, cell.gamma_x, statistics.x.variance[0]),
        (1, cell.gamma_h, statistics.h.variance[1]),
    ):
        product = np.asarray(ys)[rows, step] - np.asarray(cell.b)
        np.testing.assert_allclose(product.mean(0), 0, atol=1e-12)
        np.testing.assert_allclose(product.var(0), gamma**2 * variance / (variance + EPSILON), rtol=1e-9)
        assert (variance > EPSILON).all()


@pytest.mark.usefixtures("x64")
def test_training_against_numpy():
    """The LSTM's equations with the batch's own moments, for all sequences at once."""
    cell = random_wrapped("batch_norm")
    xs = np.asarray(random_inputs(B, T, cell.inputs))
    w_x, w_h, b, gamma_x, gamma_h = (np.asarray(w) for w in (cell.w_x, cell.w_h, cell.b, cell.gamma_x, cell.gamma_h))

    def normal(z):
        return (z - z.mean(0)) / np.sqrt(z.var(0) + EPSILON)

    def sigmoid(a):
        return 1 / (1 + np.exp(-a))

    h, c = np.zeros((2, B, cell.hidden))
    _, ys, statistics = train(cell, xs)
    for t in range(T):
        gx, gh = xs[:, t] @ w_x.T, h @ w_h.T
        np.testing.assert_allclose(statistics.x.mean[t], gx.mean(0), atol=1e-12)
        np.testing.assert_allclose(statistics.h.variance[t], gh.var(0), atol=1e-12)
        i, f, g, o = np.split(gamma_x * normal(gx) + gamma_h * normal(gh) + b, 4, axis=1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        np.testing.assert_allclose(ys[:, t], h, atol=1e-12)


def test_a_padded_masked_batch_gives_the_numbers_of_the_unpadded(cell, places):
    xs = np.asarray(random_inputs(B, T, cell.inputs))
    state, ys, statistics = train(cell, jnp.asarray(xs), jnp.asarray(MASK))
    padded_state, padded_ys, padded = train(cell, jnp.asarray(scattered(xs, places)), jnp.asarray(places))
    np.testing.assert_allclose(padded_ys, np.nan_to_num(scattered(np.asarray(ys), places)), atol=1e-6)
    np.testing.assert_allclose(padded_state.cell.c, state.cell.c, atol=1e-6)
    np.testing.assert_array_equal(padded_state.t, MASK.sum(1))
    np.testing.assert_array_equal(padded.counts, [*MASK.sum(0), 0, 0, 0, 0])
    for actual, expected in zip(jax.tree.leaves(padded), jax.tree.leaves(statistics), strict=True):
        np.testing.assert_allclose(actual[:T], expected, atol=1e-6)


def test_sequences_of_padding_alone_do_not_count(cell):
    xs = random_inputs(B, T, cell.inputs)
    _, ys, _ = train(cell, xs, jnp.asarray(MASK))
    longer = jnp.concatenate([xs, jnp.full_like(xs[:2], jnp.nan)])
    _, more, _ = train(cell, longer, jnp.concatenate([MASK, jnp.zeros((2, T), bool)]))
    np.testing.assert_allclose(more, jnp.concatenate([ys, jnp.zeros_like(ys[:2])]), atol=1e-6)


def test_masked_nan_reaches_no_gradient(cell, places):
    xs = jnp.asarray(scattered(np.asarray(random_inputs(B, T, cell.inputs)), places))

    @eqx.filter_jit
    @eqx.filter_grad
    def slope(cell):
        return jnp.sum(unroll_batch_norm(cell, xs, jnp.asarray(places))[1] ** 2)

    gradient = slope(cell)
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(gradient))
    assert np.abs(gradient.gamma_h).min() > 0
    for running in jax.tree.leaves((gradient.x, gradient.h)):  # training does not read them
        assert not running.any()


@pytest.mark.parametrize("steps", [T, T + 2])
def test_inference_with_the_statistics_of_one_batch_equals_training(steps, places):
    cell = random_weights(lambda: tt.BatchNorm(random_cell("gru"), steps=steps))
    xs = jnp.asarray(scattered(np.asarray(random_inputs(B, T, cell.inputs)), places))
    state, ys, statistics = train(cell, xs, jnp.asarray(places))
    state_at_inference, ys_at_inference = infer(
        cell.with_statistics(statistics, rate=1.0), xs, mask=jnp.asarray(places)
    )
    np.testing.assert_allclose(ys_at_inference, ys, atol=1e-5)
    np.testing.assert_array_equal(state_at_inference.t, state.t)


def test_running_statistics_are_a_moving_average(cell):
    """For a batch longer than they are; steps without a sequence keep their statistics."""
    mask = jnp.broadcast_to((jnp.arange(T) < 2)[None], (B, T))
    _, _, statistics = train(cell, random_inputs(B, T, cell.inputs), mask)
    updated = cell.with_statistics(statistics, rate=0.25)
    leaves = (jax.tree.leaves(tree) for tree in ((updated.x, updated.h), (cell.x, cell.h), statistics[:2]))
    for new, old, batch in zip(*leaves, strict=True):
        np.testing.assert_allclose(new[:2], 0.75 * old[:2] + 0.25 * batch[:2], rtol=1e-5, atol=1e-6)
        np.testing.assert_array_equal(new[2:], old[2:])


def test_a_new_cell_has_mean_zero_and_variance_one():
    cell = tt.BatchNorm(tt.Elman(2, 3, "identity", key=jax.random.key(1)), steps=4)
    xs = random_inputs(1, 2)
    expected = 0.1 * np.asarray(xs @ cell.w_x.T) / np.sqrt(1 + EPSILON)
    np.testing.assert_allclose(tt.unroll(cell, xs)[1], expected, rtol=1e-5)
    np.testing.assert_array_equal(cell.gamma_h, np.full(3, 0.1, np.float32))


def test_unusable_arguments(cell):
    with pytest.raises(tt.InputError) as caught:
        tt.BatchNorm(random_cell("gru"), 0)
    assert (caught.value.code, caught.value.found) == ("no-steps", 0)
    unchecked = inspect.unwrap(unroll_batch_norm)  # the tests' type checks would raise first
    with pytest.raises(tt.InputError) as caught:
        unchecked(cell, random_inputs(T, cell.inputs))
    assert (caught.value.code, caught.value.found) == ("wrong-shape", (5, 3))
    assert str(caught.value) == "xs has shape (5, 3): expected a batch (B, T, 3), for its statistics"
    with pytest.raises(tt.InputError) as caught:
        unchecked(cell, random_inputs(2, T, cell.inputs), jnp.ones((2, 4), bool))
    assert caught.value.code == "wrong-mask-shape"
