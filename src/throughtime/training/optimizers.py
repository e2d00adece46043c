"""Optimizers with their schedules, made of Optax's parts."""

from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import optax

from throughtime._types import Array, Int


def adamw_cosine(peak: float, steps: int, *, clip_norm: float = 1.0) -> optax.GradientTransformation:
    """Return AdamW with clipped gradients and a learning rate that rises linearly, then falls along a cosine to zero.

    The rise takes a twentieth of the steps. AdamW: Loshchilov & Hutter 2019 (arXiv 1711.05101). Clipping: Pascanu,
    Mikolov & Bengio 2013 (arXiv 1211.5063, algorithm 1), ``g * limit / |g|`` if ``|g| >= limit``.

    Args:
        peak: the highest learning rate.
        steps: the total number of training steps.
        clip_norm: the largest global norm of a gradient.
    """
    schedule = optax.warmup_cosine_decay_schedule(0.0, peak, max(steps // 20, 1), max(steps, 2))
    return optax.chain(optax.clip_by_global_norm(clip_norm), optax.adamw(schedule))


def freeze(optimizer: optax.GradientTransformation, where: Callable[[Any], Any]) -> optax.GradientTransformation:
    """Return an optimizer that leaves parts of a model as they are.

    Args:
        optimizer: trains the rest, and sees nothing of the frozen parts: clipping by a global norm takes the norm of
            the rest.
        where: returns the frozen part of a model, or a tuple of parts, as for ``equinox.tree_at``:
            ``lambda model: model.cell``.
    """

    def labels(model: Any) -> Any:
        trained = jax.tree.map(lambda _: "trained", model)
        return eqx.tree_at(where, trained, replace_fn=lambda part: jax.tree.map(lambda _: "frozen", part))

    return optax.partition({"trained": optimizer, "frozen": optax.set_to_zero()}, labels)


class AveragedState(NamedTuple):
    """The state of :func:`averaged`.

    Attributes:
        inner: the state of the optimizer inside.
        average: the average of the weights, a tree like the model.
        steps: the number of steps done.
    """

    inner: optax.OptState
    average: Any
    steps: Int[Array, ""]


def averaged(optimizer: optax.GradientTransformation, decay: float) -> optax.GradientTransformation:
    """Return ``optimizer`` with an exponential moving average of the weights in its state; its updates are the same.

    Averaging the weights of many steps cancels the noise of single steps (Polyak & Juditsky 1992). Step t enters with
    the weight ``1 - min(decay, (1 + t) / (10 + t))``, so that the untrained first steps are soon forgotten. Read the
    average from ``state.average``.

    Args:
        optimizer: any optimizer, also one that needs the loss.
        decay: the weight of the average so far in the long run, below 1.
    """

    def init(model: Any) -> AveragedState:
        return AveragedState(optimizer.init(model), model, jnp.int32(0))

    inside = optax.with_extra_args_support(optimizer)

    def update(gradient: Any, state: optax.OptState, model: Any = None, **more: Any) -> tuple[Any, AveragedState]:
        assert isinstance(state, AveragedState)
        updates, inner = inside.update(gradient, state.inner, model, **more)
        share = 1 - jnp.minimum(decay, (1 + state.steps) / (10 + state.steps))
        moved = optax.apply_updates(model, updates)
        average = jax.tree.map(lambda mean, new: mean + share.astype(new.dtype) * (new - mean), state.average, moved)
        return updates, AveragedState(inner, average, state.steps + 1)

    return optax.GradientTransformationExtraArgs(init, update)
