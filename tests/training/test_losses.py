"""Losses: hand-made values, where they are least, and what a mask keeps out."""

import inspect

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from throughtime._errors import InputError
from throughtime.training.losses import cross_entropy, masked_mean, pinball, squared_error


def test_pinball_by_hand():
    """Too low by 2 at level 0.9 costs 1.8; too high by 3 at level 0.25 costs 0.75 * 3."""
    came = pinball(jnp.array([[3.0, 8.0], [5.0, 5.0]]), jnp.array([5.0, 5.0]), jnp.array([0.9, 0.25]))
    np.testing.assert_allclose(came, [[1.8, 2.25], [0.0, 0.0]], rtol=1e-6)


@pytest.mark.parametrize("level", [0.1, 0.35, 0.5, 0.9])
def test_pinball_is_least_at_the_quantile(level):
    sample = np.random.default_rng(0).gamma(2.0, size=999).astype(np.float32)
    candidates = np.linspace(sample.min(), sample.max(), 400, dtype=np.float32)
    predictions = jnp.asarray(np.broadcast_to(candidates, (999, 400)))[..., None]
    targets = jnp.asarray(np.broadcast_to(sample[:, None], (999, 400)))
    losses = pinball(predictions, targets, jnp.array([level], jnp.float32)).mean(axis=(0, 2))
    best = candidates[int(jnp.argmin(losses))]
    assert best == pytest.approx(np.quantile(sample, level), abs=1.5 * float(candidates[1] - candidates[0]))


def test_squared_error_by_hand():
    np.testing.assert_allclose(squared_error(jnp.array([1.0, -2.0]), jnp.array([4.0, -2.5])), [9.0, 0.25])


def test_cross_entropy_by_hand():
    """Scores are logarithms of odds: 1 to 3 to 4, whatever is added to all of them, also where exp() overflows."""
    scores = jnp.log(jnp.array([1.0, 3.0, 4.0]))
    came = cross_entropy(jnp.stack([scores, scores + 5, scores + 900]), jnp.array([0, 1, 2]))
    np.testing.assert_allclose(came, [np.log(8), np.log(8 / 3), np.log(2)], rtol=1e-4)


@pytest.mark.parametrize("hidden", [jnp.nan, jnp.inf, -1e30])
def test_what_is_masked_out_enters_neither_value_nor_gradient(hidden):
    mask = jnp.array([[True, False, True], [False, True, False]])
    plain = jnp.array([[1.0, 2.0, 4.0], [3.0, 8.0, 5.0]])
    levels = jnp.array([0.1, 0.6])

    def loss(predictions, targets):
        return masked_mean(pinball(predictions, targets, levels).mean(axis=-1), mask)

    predictions = jnp.asarray(np.random.default_rng(1).normal(3.0, 2.0, (2, 3, 2)), jnp.float32)
    due = jax.value_and_grad(loss)(predictions, plain)
    came = jax.value_and_grad(loss)(predictions, jnp.where(mask, plain, hidden))
    jax.tree.map(np.testing.assert_array_equal, came, due)
    assert not np.any(np.asarray(came[1])[~np.asarray(mask)])


def test_a_masked_mean_counts_what_is_left():
    values = jnp.array([1.0, 10.0, 4.0])
    assert masked_mean(values) == 5.0
    assert masked_mean(values, jnp.array([True, False, True])) == 2.5
    assert masked_mean(values, jnp.zeros(3, bool)) == 0.0


# The type checker of the tests would speak before the library's own errors.
LOSSES = {
    "squared_error": lambda a, b: inspect.unwrap(squared_error)(a, b),
    "cross_entropy": lambda a, b: inspect.unwrap(cross_entropy)(a[..., None], b.astype(int)),
    "pinball": lambda a, b: inspect.unwrap(pinball)(a[..., None], b, jnp.array([0.5])),
    "masked_mean": lambda a, b: inspect.unwrap(masked_mean)(a, b > 0),
}


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
@pytest.mark.parametrize("shape", [(3, 1), (1, 3), (3,), (1,), ()])
def test_shapes_must_be_equal(loss, shape):
    with pytest.raises(InputError) as caught:
        loss(jnp.ones((3, 3)), jnp.ones(shape))
    assert caught.value.code == "unequal-shapes"
    assert len({caught.value.found, caught.value.expected}) == 2
