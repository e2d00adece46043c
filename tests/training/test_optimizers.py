"""AdamW under a schedule, averages and clipping, against the papers' equations in NumPy."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from throughtime.training.optimizers import adamw_cosine, averaged, clipped_by_norm, clipped_by_value


def by_hand(weights: dict, gradients: list[dict], peak: float, steps: int, clip: float) -> dict:
    """Clipping by the global norm, Adam's moments, decay of 1e-4 apart from them, warm-up and cosine."""
    warmup = max(steps // 20, 1)
    m, v = ({name: np.zeros_like(w) for name, w in weights.items()} for _ in range(2))
    for count, gradient in enumerate(gradients):
        if count < warmup:
            rate = peak * count / warmup
        else:
            rate = peak * (1 + np.cos(np.pi * (count - warmup) / (steps - warmup))) / 2
        norm = np.sqrt(sum(np.sum(g**2) for g in gradient.values()))
        for name, w in weights.items():
            g = gradient[name] * min(1, clip / norm)
            m[name] = 0.9 * m[name] + 0.1 * g
            v[name] = 0.999 * v[name] + 0.001 * g**2
            m_hat, v_hat = m[name] / (1 - 0.9 ** (count + 1)), v[name] / (1 - 0.999 ** (count + 1))
            weights = weights | {name: w - rate * (m_hat / (np.sqrt(v_hat) + 1e-8) + 1e-4 * w)}
    return weights


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize(("steps", "clip"), [(60, 1.0), (7, 2.5)])
def test_adamw_cosine_is_what_the_papers_say(steps, clip):
    random = np.random.default_rng(1)
    weights = {"w": random.normal(size=(3, 2)), "b": random.normal(size=4)}
    scales = random.uniform(0.05, 2, steps)  # some gradients longer than the clip, some shorter
    gradients = [{name: s * random.normal(size=w.shape) for name, w in weights.items()} for s in scales]
    optimizer = adamw_cosine(0.1, steps, clip_norm=clip)
    came = jax.tree.map(jnp.asarray, weights)
    state, update = optimizer.init(came), jax.jit(optimizer.update)
    for gradient in gradients:
        updates, state = update(jax.tree.map(jnp.asarray, gradient), state, came)
        came = optax.apply_updates(came, updates)
    due = by_hand(weights, gradients, 0.1, steps, clip)
    for name in weights:
        np.testing.assert_allclose(came[name], due[name], rtol=1e-6)  # optax keeps the schedule in float32


PASSES_ON = optax.identity()  # an optimizer whose update is the gradient that it was fed


def fed(optimizer: optax.GradientTransformation, *gradients: np.ndarray) -> list[np.ndarray]:
    """What arrives behind the clipping."""
    arrays = [jnp.asarray(gradient, jnp.float32) for gradient in gradients]
    return [np.asarray(update) for update in optimizer.update(arrays, optimizer.init(arrays))[0]]


def norm(arrays) -> float:
    return float(np.sqrt(sum(np.sum(np.square(array, dtype=np.float64)) for array in arrays)))


@pytest.mark.parametrize("scale", [0.01, 0.3, 2.0, 1e6])
def test_clipped_by_norm_keeps_the_direction(scale):
    """Norms below and above the limit, over arrays of which some are small alone."""
    random = np.random.default_rng(3)
    gradients = [scale * random.normal(size=(3, 2)), 0.1 * scale * random.normal(size=4)]
    came = fed(clipped_by_norm(PASSES_ON, 0.7), *gradients)
    assert norm(came) == pytest.approx(min(norm(gradients), 0.7), rel=1e-6)
    for array, gradient in zip(came, gradients, strict=True):
        np.testing.assert_allclose(array / norm(came), gradient / norm(gradients), rtol=1e-5)


def test_clipped_by_value_takes_each_number_alone():
    (came,) = fed(clipped_by_value(PASSES_ON, 0.5), np.array([-3.0, -0.5, 0.2, 0.0, 7.0]))
    np.testing.assert_array_equal(came, np.float32([-0.5, -0.5, 0.2, 0.0, 0.5]))


def test_clipping_goes_before_the_optimizer():
    (by_value,) = fed(clipped_by_value(optax.sgd(10.0)), np.array([5.0]))
    (by_norm,) = fed(clipped_by_norm(optax.sgd(10.0)), np.array([3.0, 4.0]))
    np.testing.assert_allclose(by_value, [-10.0])
    np.testing.assert_allclose(by_norm, [-6.0, -8.0], rtol=1e-6)


def test_clipped_by_value_of_what_is_no_finite_number():
    (came,) = fed(clipped_by_value(PASSES_ON), np.array([np.nan, np.inf, -np.inf, 0.25]))
    np.testing.assert_array_equal(came, [np.nan, 1.0, -1.0, 0.25])


def test_clipped_by_norm_of_what_is_no_finite_number():
    clip = clipped_by_norm(PASSES_ON)
    assert all(np.isnan(array).all() for array in fed(clip, np.array([np.nan, 0.1]), np.array([0.2])))
    first, second = fed(clip, np.array([np.inf, 0.1]), np.array([0.2]))
    np.testing.assert_array_equal(first, [np.nan, 0.0])
    np.testing.assert_array_equal(second, [0.0])
    (too_long,) = fed(clip, np.array([3e19, 1.0]))
    np.testing.assert_array_equal(too_long, [0.0, 0.0])


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize(("steps", "decay"), [(40, 0.6), (3, 0.99)])
def test_averaged_keeps_the_moving_average(steps, decay):
    """Of the weights after each step; the share of each by hand."""
    random = np.random.default_rng(4)
    came = {"w": jnp.asarray(random.normal(size=(3, 2))), "b": jnp.asarray(random.normal(size=4))}
    optimizer = averaged(optax.sgd(0.3), decay)
    state, update = optimizer.init(came), jax.jit(optimizer.update)
    average = {name: np.asarray(array) for name, array in came.items()}
    for step in range(steps):
        gradient = {name: jnp.asarray(random.normal(size=array.shape)) for name, array in came.items()}
        updates, state = update(gradient, state, came)
        came = optax.apply_updates(came, updates)
        share = 1 - min(decay, (1 + step) / (10 + step))
        average = {name: (1 - share) * mean + share * np.asarray(came[name]) for name, mean in average.items()}
    assert int(state.steps) == steps
    for name, due in average.items():
        np.testing.assert_allclose(state.average[name], due, rtol=1e-6)  # the share is a float32
        assert not np.allclose(came[name], due, rtol=0.01)


def test_averaging_leaves_the_weights_alone():
    """Bit for bit those of the optimizer by itself; the types of the weights stay."""
    random = np.random.default_rng(5)
    weights = [jnp.asarray(random.normal(size=(3, 2)), jnp.float32), jnp.asarray(random.normal(size=4), jnp.bfloat16)]
    plain = adamw_cosine(0.1, 9)
    optimizers = plain, averaged(plain, 0.9)
    moved, states = [weights, weights], [optimizer.init(weights) for optimizer in optimizers]
    for _ in range(9):
        gradient = [jnp.asarray(random.normal(size=array.shape), array.dtype) for array in weights]
        for number, optimizer in enumerate(optimizers):
            updates, states[number] = optimizer.update(gradient, states[number], moved[number])
            moved[number] = optax.apply_updates(moved[number], updates)
    for alone, beside, mean in zip(*moved, states[1].average, strict=True):
        np.testing.assert_array_equal(beside, alone)
        assert mean.dtype == alone.dtype
