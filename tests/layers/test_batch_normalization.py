"""A batch in training: its statistics, its masks, and what is left of it for use."""

import inspect

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tests.contract import random_cell, random_inputs, random_weights
from tests.layers.wrapped import random_wrapped

import throughtime as tt
from throughtime.layers.batch_normalization import unroll_batch

B, T = 6, 5
EPSILON = 1e-5
train, use = eqx.filter_jit(unroll_batch), eqx.filter_jit(tt.unroll)
MASK = np.arange(T) < np.array([5, 2, 4, 3, 5, 3])[:, None]  # two sequences at least in each step


def scattered(rows: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Each sequence's own steps, as MASK has them, at the places of a longer one; NaN elsewhere."""
    longer = np.full((*places.shape, *rows.shape[2:]), np.nan, rows.dtype)
    for b in range(len(rows)):
        longer[b, places[b]] = rows[b, MASK[b]]
    return longer


@pytest.fixture(scope="module")
def cell() -> tt.BatchNorm:
    return random_wrapped("batch_norm")


@pytest.fixture(scope="module")
def places() -> np.ndarray:
    """Where the steps of MASK lie in longer sequences: padding at both ends and holes, in each its own."""
    random = np.random.default_rng(4)
    places = np.zeros((B, 9), bool)
    for b, count in enumerate(MASK.sum(1)):
        places[b, random.choice(9, count, replace=False)] = True
    return places


@pytest.fixture
def shares():
    """An identity cell whose output is the sum of the two shares: with inputs in step 0 only, one share a step."""
    cell = random_weights(lambda: tt.BatchNorm(tt.Elman(3, 4, "identity", key=jax.random.key(0)), steps=2))
    xs = random_inputs(B, 2, 3).at[:, 1].set(7.0)
    return cell, xs


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("rows", [[0, 1, 2, 3, 4, 5], [0, 2, 3]])
def test_a_share_has_mean_zero_and_the_variance_of_gamma(shares, rows):
    cell, xs = shares
    mask = jnp.zeros((B, 2), bool).at[jnp.asarray(rows)].set(True)
    _, ys, statistics = train(cell, xs, mask)
    np.testing.assert_array_equal(statistics.rows, [len(rows)] * 2)
    for step, gamma, variance in (
        (0, cell.gamma_x, statistics.x.variance[0]),
        (1, cell.gamma_h, statistics.h.variance[1]),
    ):
        share = np.asarray(ys)[rows, step] - np.asarray(cell.b)
        np.testing.assert_allclose(share.mean(0), 0, atol=1e-12)
        np.testing.assert_allclose(share.var(0), gamma**2 * variance / (variance + EPSILON), rtol=1e-9)
        assert (variance > EPSILON).all()


@pytest.mark.usefixtures("x64")
def test_training_against_numpy():
    """The LSTM's equations with the batch's own moments, all sequences at once."""
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
    np.testing.assert_array_equal(padded.rows, [*MASK.sum(0), 0, 0, 0, 0])
    for came, due in zip(jax.tree.leaves(padded), jax.tree.leaves(statistics), strict=True):
        np.testing.assert_allclose(came[:T], due, atol=1e-6)


def test_rows_that_are_masked_out_do_not_count(cell):
    """A batch with two sequences more, all padding, is the batch."""
    xs = random_inputs(B, T, cell.inputs)
    _, ys, _ = train(cell, xs, jnp.asarray(MASK))
    longer = jnp.concatenate([xs, jnp.full_like(xs[:2], jnp.nan)])
    _, more, _ = train(cell, longer, jnp.concatenate([MASK, jnp.zeros((2, T), bool)]))
    np.testing.assert_allclose(more, jnp.concatenate([ys, jnp.zeros_like(ys[:2])]), atol=1e-6)


def test_masks_give_no_gradient_that_is_not_a_number(cell, places):
    xs = jnp.asarray(scattered(np.asarray(random_inputs(B, T, cell.inputs)), places))

    @eqx.filter_jit
    @eqx.filter_grad
    def slope(cell):
        return jnp.sum(unroll_batch(cell, xs, jnp.asarray(places))[1] ** 2)

    gradient = slope(cell)
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(gradient))
    assert np.abs(gradient.gamma_h).min() > 0
    for running in jax.tree.leaves((gradient.x, gradient.h)):  # training does not read them
        assert not running.any()


@pytest.mark.parametrize("steps", [T, T + 2])
def test_use_after_training_on_one_batch_equals_training(steps, places):
    cell = random_weights(lambda: tt.BatchNorm(random_cell("gru"), steps=steps))
    xs = jnp.asarray(scattered(np.asarray(random_inputs(B, T, cell.inputs)), places))
    state, ys, statistics = train(cell, xs, jnp.asarray(places))
    used_state, used = use(cell.with_statistics(statistics, rate=1.0), xs, mask=jnp.asarray(places))
    np.testing.assert_allclose(used, ys, atol=1e-5)
    np.testing.assert_array_equal(used_state.t, state.t)


def test_running_statistics_are_a_moving_average(cell):
    """Of a batch longer than they are, and where no sequence had a step they stay."""
    mask = jnp.broadcast_to((jnp.arange(T) < 2)[None], (B, T))
    _, _, statistics = train(cell, random_inputs(B, T, cell.inputs), mask)
    moved = cell.with_statistics(statistics, rate=0.25)
    leaves = (jax.tree.leaves(tree) for tree in ((moved.x, moved.h), (cell.x, cell.h), statistics[:2]))
    for new, old, seen in zip(*leaves, strict=True):
        np.testing.assert_allclose(new[:2], 0.75 * old[:2] + 0.25 * seen[:2], rtol=1e-5, atol=1e-6)
        np.testing.assert_array_equal(new[2:], old[2:])


def test_a_new_cell_normalizes_by_nothing():
    cell = tt.BatchNorm(tt.Elman(2, 3, "identity", key=jax.random.key(1)), steps=4)
    xs = random_inputs(1, 2)
    due = 0.1 * np.asarray(xs @ cell.w_x.T) / np.sqrt(1 + EPSILON)
    np.testing.assert_allclose(tt.unroll(cell, xs)[1], due, rtol=1e-5)
    np.testing.assert_array_equal(cell.gamma_h, np.full(3, 0.1, np.float32))


def test_bad_arguments_are_named(cell):
    with pytest.raises(tt.InputError, match="steps=0: expected at least 1"):
        tt.BatchNorm(random_cell("gru"), 0)
    plain = inspect.unwrap(unroll_batch)  # without the type checks of the tests, which would speak first
    with pytest.raises(tt.InputError, match=r"xs has shape \(5, 3\): expected a batch"):
        plain(cell, random_inputs(T, cell.inputs))
    with pytest.raises(tt.InputError, match=r"mask has shape \(2, 4\): expected \(2, 5\)"):
        plain(cell, random_inputs(2, T, cell.inputs), jnp.ones((2, 4), bool))
