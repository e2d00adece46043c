"""Optimisers with their schedules: chains of Optax's parts."""

import optax


def clipped_by_value(optimiser: optax.GradientTransformation, limit: float = 1.0) -> optax.GradientTransformation:
    """``optimiser``, fed with gradients of which each number is first brought into [-limit, limit].

    This turns the direction of a gradient towards the diagonal. An infinite number becomes the limit with its sign; one
    that is not a number stays so, and no other is touched.
    """
    return optax.chain(optax.clip(limit), optimiser)


def clipped_by_norm(optimiser: optax.GradientTransformation, limit: float = 1.0) -> optax.GradientTransformation:
    """``optimiser``, fed with gradients g whose norm over all arrays together is first brought to ``limit`` if larger.

    Pascanu, Mikolov & Bengio 2013 (arXiv 1211.5063, algorithm 1): ``g * limit / |g|`` where ``|g| >= limit``. The
    direction stays. One number that is not a number makes all of them so: the norm is none. If one is infinite, or the
    squares add up beyond what the type can hold (in float32, a norm above 1.8e19), then all finite numbers become zero
    and the infinite ones not a number.
    """
    return optax.chain(optax.clip_by_global_norm(limit), optimiser)


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
