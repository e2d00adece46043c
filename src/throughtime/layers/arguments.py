"""The inputs and the mask of a layer or a network, as arrays whose shapes fit."""

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from throughtime._errors import InputError
from throughtime._types import Array

ArrayOrLists = Array | np.ndarray | Sequence[Any]
"""An array of JAX or NumPy, or nested lists of numbers."""


def as_inputs(width: int, xs: ArrayOrLists, mask: ArrayOrLists | None) -> tuple[Array, Array | None]:
    """Return inputs (T, D) or (B, T, D) and their mask (T,) or (B, T) as arrays.

    Args:
        width: D, the number of inputs of the layer at one step.
        xs: the inputs.
        mask: True for steps with an input; None for all steps.

    Raises:
        InputError: if a shape does not fit, or the mask is not boolean.
    """
    inputs = jnp.asarray(xs)
    if inputs.ndim not in (2, 3) or inputs.shape[-1] != width:
        expected = f"(T, {width}) or (B, T, {width})"
        raise InputError(
            f"xs has shape {inputs.shape}: expected {expected} for {width} inputs",
            code="wrong-shape",
            found=inputs.shape,
            expected=expected,
        )
    return inputs, None if mask is None else as_mask(mask, inputs.shape[:-1])


def as_mask(mask: ArrayOrLists, steps: tuple[int, ...]) -> Array:
    """Return a mask as an array, (T,) or (B, T) like ``steps``.

    Raises:
        InputError: if it has another shape, or is not boolean.
    """
    flags = jnp.asarray(mask)
    if flags.shape != steps:
        raise InputError(
            f"mask has shape {flags.shape}: expected {steps}, one value for each step",
            code="wrong-mask-shape",
            found=flags.shape,
            expected=steps,
        )
    if flags.dtype != bool:
        raise InputError(
            f"mask has dtype {flags.dtype}: expected bool, True for steps with an input",
            code="wrong-mask-dtype",
            found=str(flags.dtype),
            expected="bool",
        )
    return flags


def zero_masked(values: Array, mask: Array | None) -> Array:
    """Return values (..., T, N) with zeros at masked steps, so that NaN there reaches neither outputs nor gradients."""
    return values if mask is None else jnp.where(mask[..., None], values, 0)


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
    outputs = jnp.asarray(ys)
    if outputs.ndim not in (2, 3):
        raise InputError(
            f"ys has shape {outputs.shape}: expected (T, H) or (B, T, H)",
            code="wrong-shape",
            found=outputs.shape,
            expected="(T, H) or (B, T, H)",
        )
    *batch, steps, hidden = outputs.shape
    if steps == 0:
        return jnp.zeros((*batch, hidden), outputs.dtype)
    if mask is None:
        return outputs[..., -1, :]
    flags = as_mask(mask, (*batch, steps))
    last = steps - 1 - jnp.argmax(flags[..., ::-1], axis=-1)
    chosen = jnp.take_along_axis(outputs, last[..., None, None], axis=-2)[..., 0, :]
    return zero_masked(chosen, flags.any(axis=-1))
