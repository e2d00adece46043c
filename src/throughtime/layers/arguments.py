"""The inputs, tokens and masks of layers and networks, as arrays whose shapes fit."""

from collections.abc import Sequence
from operator import index
from typing import Any, SupportsIndex

import jax
import jax.numpy as jnp
import numpy as np
from typing_extensions import TypeAliasType

from throughtime._errors import InputError
from throughtime._types import Array, Bool, Sizes

ArrayOrLists = TypeAliasType("ArrayOrLists", Array | np.ndarray | Sequence[Any])
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


def as_mask(mask: ArrayOrLists, steps: Sizes) -> Array:
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


def as_tokens(count: int, xs: ArrayOrLists, mask: ArrayOrLists | None) -> tuple[Array, Array | None]:
    """Return tokens (T,) or (B, T) and their mask as arrays; masked tokens become 0.

    Args:
        count: the number of tokens; they are 0 .. count - 1.
        xs: whole numbers.
        mask: True for steps with an input; None for all steps.

    Raises:
        InputError: if a shape or a type does not fit, the mask is not boolean, or a token is out of range. Inside of
            ``jax.jit`` tokens are not known, so they are not checked.
    """
    tokens = jnp.asarray(xs)
    if tokens.ndim not in (1, 2) or not jnp.issubdtype(tokens.dtype, jnp.integer):
        raise InputError(
            f"xs is {tokens.dtype} of shape {tokens.shape}: expected tokens, whole numbers of shape (T,) or (B, T)",
            code="not-tokens",
            found=(str(tokens.dtype), tokens.shape),
            expected="whole numbers of shape (T,) or (B, T)",
        )
    flags = None if mask is None else as_mask(mask, tokens.shape)
    _require_range("xs", tokens, flags, (0, count - 1), "token-out-of-range")
    return tokens if flags is None else jnp.where(flags, tokens, 0), flags


def sequence_mask(lengths: ArrayOrLists | SupportsIndex, steps: SupportsIndex) -> Bool[Array, "T"] | Bool[Array, "B T"]:
    """Return the mask of sequences of these lengths, padded at the end to ``steps`` (T) steps.

    Args:
        lengths: (B,) whole numbers, or one number for a single sequence.
        steps: T.

    Returns:
        (B, T), or (T,) for a single sequence: True for the first ``lengths`` steps.

    Raises:
        InputError: for lengths that are not whole numbers, have another shape, or are not between 0 and T. Inside of
            ``jax.jit`` lengths are not known; a length above T is then T, and a negative one is 0.
    """
    count, numbers = index(steps), jnp.asarray(lengths)
    expected = f"whole numbers from 0 to {count}, of shape (B,)"
    if numbers.ndim > 1 or not jnp.issubdtype(numbers.dtype, jnp.integer):
        raise InputError(
            f"lengths is {numbers.dtype} of shape {numbers.shape}: expected {expected}",
            code="not-lengths",
            found=(str(numbers.dtype), numbers.shape),
            expected=expected,
        )
    _require_range("lengths", numbers, None, (0, count), "length-out-of-range")
    places = jax.lax.broadcasted_iota(jnp.int32, (*numbers.shape, count), numbers.ndim)
    return places < numbers[..., None].astype(jnp.int32)


def pad(sequences: Sequence[ArrayOrLists], steps: SupportsIndex | None = None) -> tuple[Array, Bool[Array, "B T"]]:
    """Return sequences of different lengths as one batch, with zeros at their ends, and its mask.

    Args:
        sequences: B arrays (T_b, ...), alike but for their lengths: values (T_b, D), or tokens (T_b,).
        steps: T, the number of steps to pad to; by default those of the longest sequence. Few different T compile few
            programs.

    Returns:
        The batch (B, T, ...), and the mask (B, T), True for the steps of the sequences.

    Raises:
        InputError: for no sequences, for arrays that differ in more than their lengths, and for one longer than T.
    """
    rows = [np.asarray(sequence) for sequence in sequences]
    shapes = sorted({row.shape[1:] for row in rows if row.ndim})
    if len(shapes) != 1 or not all(row.ndim for row in rows):
        raise InputError(
            f"the sequences have the shapes {[row.shape for row in rows]}: expected one or more of the same shape "
            "(T, ...), apart from T",
            code="unequal-shapes",
            found=[row.shape for row in rows],
            expected="(T, ...)",
        )
    lengths = [len(row) for row in rows]
    longest = max(lengths) if steps is None else index(steps)
    mask = sequence_mask(lengths, longest)
    batch = np.zeros((len(rows), longest, *shapes[0]), np.result_type(*rows))
    for padded, row in zip(batch, rows, strict=True):
        padded[: len(row)] = row
    return jnp.asarray(batch), mask


def _require_range(name: str, numbers: Array, mask: Array | None, limits: tuple[int, int], code: str) -> None:
    """Check that all unmasked numbers are within limits, if they are known: inside of ``jax.jit`` they are not.

    Raises:
        InputError: if they are not.
    """
    if isinstance(numbers, jax.core.Tracer) or isinstance(mask, jax.core.Tracer):
        return
    known = np.asarray(numbers) if mask is None else np.asarray(numbers)[np.asarray(mask)]
    if known.size and (known.min() < limits[0] or known.max() > limits[1]):
        found = int(known.min()), int(known.max())
        raise InputError(
            f"{name} has numbers from {found[0]} to {found[1]}: expected {limits[0]} to {limits[1]}, "
            "apart from steps that a mask leaves out",
            code=code,
            found=found,
            expected=limits,
        )
