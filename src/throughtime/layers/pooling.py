"""Pooling over time: one vector for each sequence, from its outputs at steps with an input.

A sequence without any input gives zeros, and gradients of zero.
"""

from typing import Any

import jax
import jax.numpy as jnp

from throughtime._errors import InputError
from throughtime._types import Array, Int
from throughtime.layers.arguments import ArrayOrLists, as_mask, zero_masked


def last_output(ys: ArrayOrLists, mask: ArrayOrLists | None = None) -> Array:
    """Return the output of the last step with an input, for a cell or network of any kind.

    Args:
        ys: outputs (T, H), or (B, T, H) for a batch.
        mask: (T,) or (B, T), the mask that made them; None if every step has an input.

    Returns:
        (H,) or (B, H); zeros for a sequence without any input.

    Raises:
        InputError: if a shape does not fit, or the mask is not boolean.
    """
    outputs, flags = _outputs_and_mask(ys, mask)
    *batch, steps, hidden = outputs.shape
    if steps == 0:
        return jnp.zeros((*batch, hidden), outputs.dtype)
    if flags is None:
        return jax.lax.index_in_dim(outputs, -1, outputs.ndim - 2, keepdims=False)
    last = steps - 1 - jnp.argmax(flags[..., ::-1], axis=-1)
    return zero_masked(_at(outputs, last), flags.any(axis=-1))


@jax.custom_jvp
def _at(outputs: Array, step: Int[Array, "*batch"]) -> Array:
    """Return the output of one step of each sequence."""
    return jnp.take_along_axis(outputs, step[..., None, None], axis=-2)[..., 0, :]


@_at.defjvp
def _derivative(primals: tuple[Array, Array], tangents: tuple[Array, Any]) -> tuple[Array, Array]:
    """Return the same for the tangents, as a sum: its transpose is one elementwise pass, that of a gather three."""
    outputs, step = primals
    chosen = jax.lax.broadcasted_iota(step.dtype, outputs.shape[:-1], outputs.ndim - 2) == step[..., None]
    return _at(*primals), zero_masked(tangents[0], chosen).sum(axis=-2)


def mean_output(ys: ArrayOrLists, mask: ArrayOrLists | None = None) -> Array:
    """Return the mean of the outputs at all steps with an input.

    Args:
        ys: outputs (T, H), or (B, T, H) for a batch.
        mask: (T,) or (B, T), the mask that made them; None if every step has an input.

    Returns:
        (H,) or (B, H); zeros for a sequence without any input.

    Raises:
        InputError: if a shape does not fit, or the mask is not boolean.
    """
    outputs, flags = _outputs_and_mask(ys, mask)
    steps = outputs.shape[-2] if flags is None else flags.sum(axis=-1)[..., None]
    return zero_masked(outputs, flags).sum(axis=-2) / jnp.maximum(jnp.asarray(steps, outputs.dtype), 1)


def max_output(ys: ArrayOrLists, mask: ArrayOrLists | None = None) -> Array:
    """Return the largest output of each unit over all steps with an input.

    Args:
        ys: outputs (T, H), or (B, T, H) for a batch.
        mask: (T,) or (B, T), the mask that made them; None if every step has an input.

    Returns:
        (H,) or (B, H); zeros for a sequence without any input.

    Raises:
        InputError: if a shape does not fit, or the mask is not boolean.
    """
    outputs, flags = _outputs_and_mask(ys, mask)
    *batch, steps, hidden = outputs.shape
    if steps == 0:
        return jnp.zeros((*batch, hidden), outputs.dtype)
    if flags is None:
        return outputs.max(axis=-2)
    largest = jnp.where(flags[..., None], outputs, -jnp.inf).max(axis=-2)
    return zero_masked(largest, flags.any(axis=-1))


def _outputs_and_mask(ys: ArrayOrLists, mask: ArrayOrLists | None) -> tuple[Array, Array | None]:
    """Return both as arrays whose shapes fit."""
    outputs = jnp.asarray(ys)
    if outputs.ndim not in (2, 3):
        raise InputError(
            f"ys has shape {outputs.shape}: expected (T, H) or (B, T, H)",
            code="wrong-shape",
            found=outputs.shape,
            expected="(T, H) or (B, T, H)",
        )
    return outputs, None if mask is None else as_mask(mask, outputs.shape[:-1])
