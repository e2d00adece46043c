"""Elementwise losses and one masked reduction. Shapes must be equal: nothing is broadcast silently."""

import jax
import jax.numpy as jnp

from throughtime._errors import InputError
from throughtime._types import Array, Bool, Float, Int, Scalar


def squared_error(predictions: Float[Array, "*shape"], targets: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """Return ``(prediction - target)^2``.

    Raises:
        InputError: if the shapes differ.
    """
    _require_equal(predictions.shape, targets.shape)
    return (predictions - targets) ** 2


def cross_entropy(scores: Float[Array, "*shape O"], targets: Int[Array, "*shape"]) -> Float[Array, "*shape"]:
    """Return ``-log softmax(scores)[target]`` for classes 0 ... O - 1, in nats.

    Raises:
        InputError: if the shapes without the axis of the classes differ.
    """
    _require_equal(scores.shape[:-1], targets.shape)
    return -jnp.take_along_axis(jax.nn.log_softmax(scores), targets[..., None], axis=-1)[..., 0]


def pinball(
    predictions: Float[Array, "*shape Q"], targets: Float[Array, "*shape"], quantiles: Float[Array, "Q"]
) -> Float[Array, "*shape Q"]:
    """Return ``max(q (y - p), (q - 1) (y - p))`` for each quantile level q (Koenker & Bassett 1978, eq. 1.2).

    Its mean is least if p is the q-quantile of y.

    Raises:
        InputError: if the shapes without the axis of the quantiles differ.
    """
    _require_equal(predictions.shape, (*targets.shape, *quantiles.shape))
    error = targets[..., None] - predictions
    levels = quantiles.reshape((1,) * targets.ndim + quantiles.shape)
    return jnp.maximum(levels * error, (levels - 1) * error)


def masked_mean(values: Float[Array, "*shape"], mask: Bool[Array, "*shape"] | None = None) -> Scalar:
    """Return the mean over the entries where ``mask`` is True, or over all without a mask; 0 if there are none.

    Masked entries affect neither the value nor the gradient, even if they are NaN.

    Raises:
        InputError: if the shapes differ.
    """
    if mask is None:
        return jnp.mean(values)
    _require_equal(values.shape, mask.shape)
    return jnp.sum(jnp.where(mask, values, 0)) / jnp.maximum(jnp.sum(mask), 1)


def _require_equal(shape: tuple[int, ...], expected: tuple[int, ...]) -> None:
    """Refuse a shape that differs from the expected one."""
    if shape != expected:
        raise InputError(
            f"the shape {shape} does not fit {expected}: expected equal shapes, nothing is broadcast",
            code="unequal-shapes",
            found=shape,
            expected=expected,
        )
