"""Optimisers with their schedules: chains of Optax's parts."""

import optax


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
    return optax.chain(optax.clip_by_global_norm(clip_norm), optax.adamw(schedule))
