"""Optimizers with their schedules: chains of Optax's parts."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from throughtime._types import Array, Int


def clipped_by_value(optimizer: optax.GradientTransformation, limit: float = 1.0) -> optax.GradientTransformation:
    """``optimizer``, fed with gradients of which each number is first brought into [-limit, limit].

    This turns the direction of a gradient towards the diagonal. An infinite number becomes the limit with its sign; one
    that is not a number stays so, and no other is touched.
    """
    return optax.chain(optax.clip(limit), optimizer)


def clipped_by_norm(optimizer: optax.GradientTransformation, limit: float = 1.0) -> optax.GradientTransformation:
    """``optimizer``, fed with gradients g whose norm over all arrays together is first brought to ``limit`` if larger.

    Pascanu, Mikolov & Bengio 2013 (arXiv 1211.5063, algorithm 1): ``g * limit / |g|`` where ``|g| >= limit``. The
    direction stays. One number that is not a number makes all of them so: the norm is none. If one is infinite, or the
    squares add up beyond what the type can hold (in float32, a norm above 1.8e19), then all finite numbers become zero
    and the infinite ones not a number.
    """
    return optax.chain(optax.clip_by_global_norm(limit), optimizer)


def adamw_cosine(peak: float, steps: int, *, clip_norm: float = 1.0) -> optax.GradientTransformation:
    """AdamW whose learning rate rises linearly over the first twentieth and falls along a cosine to zero.

    Loshchilov & Hutter 2019 (arXiv 1711.05101); gradients are first clipped to a global norm (Pascanu, Mikolov & Bengio
    2013, arXiv 1211.5063).

    Args:
        peak: the highest learning rate.
        steps: training steps in all.
        clip_norm: the largest global norm of a gradient.
    """
    schedule = optax.warmup_cosine_decay_schedule(0.0, peak, max(steps // 20, 1), max(steps, 2))
    return clipped_by_norm(optax.adamw(schedule), clip_norm)


class AveragedState(NamedTuple):
    """What :func:`averaged` carries: its optimizer's state, the weights' average, and how many steps are in it."""

    inner: optax.OptState
    average: Any
    steps: Int[Array, ""]


def averaged(optimizer: optax.GradientTransformation, decay: float) -> optax.GradientTransformation:
    """``optimizer``, which also keeps an exponential moving average of the weights, and leaves the weights alone.

    Polyak & Juditsky 1992 average the weights of many steps, for the noise of single ones to cancel. Here step t counts
    ``1 - min(decay, (1 + t) / (10 + t))``, so that the first, which know nothing yet, are soon forgotten. The average
    is ``state.average`` of the optimizer's state, a tree like the model.
    """

    def init(model: Any) -> AveragedState:
        return AveragedState(optimizer.init(model), model, jnp.int32(0))

    def update(gradient: Any, state: optax.OptState, model: Any = None) -> tuple[Any, AveragedState]:
        assert isinstance(state, AveragedState)
        updates, inner = optimizer.update(gradient, state.inner, model)
        share = 1 - jnp.minimum(decay, (1 + state.steps) / (10 + state.steps))
        moved = optax.apply_updates(model, updates)
        average = jax.tree.map(lambda mean, new: mean + share.astype(new.dtype) * (new - mean), state.average, moved)
        return updates, AveragedState(inner, average, state.steps + 1)

    return optax.GradientTransformation(init, update)
