"""AdamW under a schedule and averages, against the papers' equations in NumPy."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from throughtime.training.optimizers import adamw_cosine, averaged


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
