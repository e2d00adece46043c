"""Losses: elementwise, then one masked reduction. Shapes must be equal; nothing broadcasts in silence."""

import jax
import jax.numpy as jnp

from throughtime._errors import InputError
from throughtime._types import Array, Bool, Float, Int, Scalar


def squared_error(predictions: Float[Array, "*shape"], targets: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """``(prediction - target)^2``.

    Raises:
        InputError: where the shapes differ.
    """
    _require_equal(predictions.shape, targets.shape)
    return (predictions - targets) ** 2


def cross_entropy(scores: Float[Array, "*shape O"], targets: Int[Array, "*shape"]) -> Float[Array, "*shape"]:
    """``-log softmax(scores)[target]`` for classes 0 ... O - 1, in nats.

    Raises:
        InputError: where the shapes, less the classes' axis, differ.
    """
    _require_equal(scores.shape[:-1], targets.shape)
    return -jnp.take_along_axis(jax.nn.log_softmax(scores), targets[..., None], axis=-1)[..., 0]


def pinball(
    predictions: Float[Array, "*shape Q"], targets: Float[Array, "*shape"], quantiles: Float[Array, "Q"]
) -> Float[Array, "*shape Q"]:
    """``max(q (y - p), (q - 1) (y - p))`` for each quantile's level q (Koenker & Bassett 1978, eq. 1.2).

    Its mean is least where p is the q-quantile of y.

    Raises:
        InputError: where the shapes, less the quantiles' axis, differ.
    """
    _require_equal(predictions.shape, (*targets.shape, *quantiles.shape))
    error = targets[..., None] - predictions
    levels = quantiles.reshape((1,) * targets.ndim + quantiles.shape)
    return jnp.maximum(levels * error, (levels - 1) * error)


def masked_mean(values: Float[Array, "*shape"], mask: Bool[Array, "*shape"] | None = None) -> Scalar:
    """The mean over the entries where ``mask`` is True; over all without one; 0 where there are none.

    What is masked out enters neither the value nor the gradient, be it NaN.

    Raises:
        InputError: where the shapes differ.
    """
    if mask is None:
        return jnp.mean(values)
    _require_equal(values.shape, mask.shape)
    return jnp.sum(jnp.where(mask, values, 0)) / jnp.maximum(jnp.sum(mask), 1)


def _require_equal(came: tuple[int, ...], due: tuple[int, ...]) -> None:
    if came != due:
        raise InputError(f"shape {came} does not fit {due}: expected equal shapes, nothing is broadcast")
