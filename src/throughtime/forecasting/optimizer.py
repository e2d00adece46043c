"""The optimizer of forecast networks: AdamW and a cosine, for any number of steps and over joined weights.

The number of steps is part of the state, so that trainings of any length share a program. The weights are joined to one
vector, because each operation on each array would be a function to compile and to call.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from throughtime._types import Array, Int, Scalar
from throughtime.training import averaged

CLIP_NORM = 1.0  # the largest global norm of a gradient
WEIGHT_DECAY = 1e-4  # of the learning rate
RISE = 20  # one part of so many is the rise of the learning rate
LONGER = 3  # times as long as a training that goes on is the one whose end it is
Vectors = Mapping[str, Any]
"""The arrays of a tree, joined to one vector for each type of numbers, by the type's name."""


class CosineState(NamedTuple):
    """The state of a learning rate.

    Attributes:
        step: the number of steps done.
        total: the number of steps that the learning rate is made for.
        rate: the learning rate of the next step. Computed in the step itself, it would be compiled into the update of
            each array.
    """

    step: Int[Array, ""]
    total: Int[Array, ""]
    rate: Scalar


def optimizer_of(peak: float, average: float) -> optax.GradientTransformation:
    """Return :func:`throughtime.training.adamw_cosine` and the moving average of the weights.

    Set the number of steps with :func:`with_total` after ``init``. The average in the state is joined: see
    :func:`parted`.

    Args:
        peak: the highest learning rate.
        average: the decay of the average.
    """
    chain = optax.chain(
        optax.clip_by_global_norm(CLIP_NORM),
        optax.scale_by_adam(),
        optax.add_decayed_weights(WEIGHT_DECAY),
        _scale_by_cosine(peak),
    )
    return _over_joined(averaged(chain, average))


def with_total(state: optax.OptState, total: Int[Array | np.ndarray, ""]) -> optax.OptState:
    """Return the state of an :func:`optimizer_of` for this number of steps."""
    return optax.tree.set(state, total=jnp.asarray(total, jnp.int32))


def going_on(state: optax.OptState, steps: Int[Array | np.ndarray, ""], peak: float) -> optax.OptState:
    """Return the first state of an :func:`optimizer_of` for weights that were trained before.

    The learning rate is that of the last steps of a training three times as long: it begins at a quarter of the peak,
    which does not drive the weights away, and falls along the cosine to zero.

    Args:
        state: as ``init`` returns it.
        steps: that follow.
        peak: the highest learning rate.
    """
    total = LONGER * jnp.asarray(steps, jnp.int32)
    done = total - steps
    return optax.tree.set(state, total=total, step=done, rate=learning_rate(done, total, peak))


def learning_rate(step: Int[Array, ""], total: Int[Array, ""], peak: float) -> Scalar:
    """Return the learning rate of a step: a linear rise from zero, then a cosine to zero at ``total``."""
    total = jnp.maximum(total, 2)
    rise = jnp.maximum(total // RISE, 1)
    falling = jnp.clip((step - rise) / (total - rise), 0, 1)
    share = jnp.where(step < rise, step / rise, 0.5 * (1 + jnp.cos(jnp.pi * falling)))
    return (peak * share).astype(jnp.float32)


def joined(tree: Any) -> Vectors:
    """Return the arrays of a tree, one after the other, as one vector for each type."""
    parts: dict[str, list[Array]] = {}
    for leaf in jax.tree.leaves(tree):
        parts.setdefault(leaf.dtype.name, []).append(leaf.ravel())
    return {name: jnp.concatenate(vectors) for name, vectors in parts.items()}


def parted(vectors: Vectors, like: Any) -> Any:
    """Return the tree whose arrays were joined; ``like`` has its structure, shapes and types."""
    leaves, structure = jax.tree.flatten(like)
    begins = dict.fromkeys(vectors, 0)
    parts = []
    for leaf in leaves:
        name, begin = leaf.dtype.name, begins[leaf.dtype.name]
        begins[name] = begin + leaf.size
        parts.append(vectors[name][begin : begins[name]].reshape(leaf.shape))
    return jax.tree.unflatten(structure, parts)


def _over_joined(optimizer: optax.GradientTransformation) -> optax.GradientTransformation:
    """Return an optimizer of trees that runs ``optimizer`` on joined arrays."""

    def init(model: Any) -> optax.OptState:
        return optimizer.init(joined(model))

    def update(gradient: Any, state: optax.OptState, model: Any = None) -> tuple[Any, optax.OptState]:
        updates, state = optimizer.update(joined(gradient), state, joined(model))
        return parted(updates, gradient), state

    return optax.GradientTransformation(init, update)


def _scale_by_cosine(peak: float) -> optax.GradientTransformation:
    """Return the transformation that multiplies with minus the :func:`learning_rate`."""

    def init(model: Any) -> CosineState:
        del model
        return CosineState(jnp.int32(0), jnp.int32(0), jnp.float32(0))  # the first learning rate is zero

    def update(updates: Any, state: CosineState, model: Any = None) -> tuple[Any, CosineState]:
        del model
        scaled = jax.tree.map(lambda update: -state.rate.astype(update.real.dtype) * update, updates)
        step = state.step + 1
        return scaled, CosineState(step, state.total, learning_rate(step, state.total, peak))

    return optax.GradientTransformation(init, update)
