"""Autoregression: each prediction of a network becomes its next input."""

import math
from operator import index
from typing import SupportsIndex

import equinox as eqx
import jax
import jax.numpy as jnp

from throughtime._arguments import real_number
from throughtime._errors import InputError
from throughtime._keys import random_key
from throughtime._types import Array, Key, KeyLike, Real, Scalar
from throughtime.layers.arguments import ArrayOrLists, as_inputs, as_tokens
from throughtime.layers.bidirectional import require_forward
from throughtime.layers.network import RecurrentNetwork
from throughtime.layers.readouts import ManyToMany
from throughtime.layers.stack import StackedNetwork


def rollout(
    network: RecurrentNetwork | StackedNetwork | ManyToMany,
    xs: ArrayOrLists,
    steps: SupportsIndex,
    *,
    key: KeyLike | None = None,
    temperature: Real = 1.0,
) -> Array:
    """Continue a sequence, or each sequence of a batch, for ``steps`` (N) steps beyond its end.

    The network first reads all of ``xs``. Then each prediction, one step ahead, is fed back as the next input. The
    outputs of a network that reads tokens are logits: the most likely token is fed back, or one drawn with ``key``.

    Args:
        network: predicts as many values as it reads, or a logit for each of its tokens.
        xs: a sequence (T, D) or a batch (B, T, D), with at least one step; or tokens, (T,) or (B, T).
        steps: N, at least 1.
        key: draws tokens by their probabilities; without a key the most likely one is taken.
        temperature: divides the logits of drawn tokens: below 1, likely tokens become more likely.

    Returns:
        (N, D), or (B, N, D) for a batch; tokens (N,) or (B, N).

    Raises:
        InputError: if the network does not predict as many values as it reads, or reads ahead, the shape of xs does not
            fit, xs or steps is empty, there is a key for values, or a temperature without a key or not above 0.
    """
    require_forward("rollout", network)
    if key is not None and not network.reads_tokens:
        raise InputError(
            "rollout got a key: expected none, as a network that predicts values draws nothing", code="no-tokens"
        )
    warmth = real_number("temperature", temperature)
    if not 0 < warmth < math.inf or (key is None and warmth != 1):
        expected = "a number above 0, and a key to draw tokens with"
        raise InputError(
            f"temperature is {warmth}{'' if key is not None else ' without a key'}: expected {expected}",
            code="wrong-temperature",
            found=warmth,
            expected=expected,
        )
    if network.outputs != network.inputs:
        raise InputError(
            f"the network reads {network.inputs} values and predicts {network.outputs}: "
            "expected the same number, to feed predictions back",
            code="wrong-outputs",
            found=network.outputs,
            expected=network.inputs,
        )
    as_arrays = as_tokens if network.reads_tokens else as_inputs
    sequences, _ = as_arrays(network.inputs, xs, None)
    length, count = sequences.shape[-1 if network.reads_tokens else -2], index(steps)
    if length == 0 or count < 1:
        raise InputError(
            f"expected at least one step to start from and one to predict, got {length} and {count}",
            code="no-steps",
            found=(length, count),
        )
    return _rollout(network, sequences, count, None if key is None else random_key(key), jnp.float32(warmth))


@eqx.filter_jit
def _rollout(
    network: RecurrentNetwork | StackedNetwork | ManyToMany, xs: Array, steps: int, key: Key | None, temperature: Scalar
) -> Array:
    time = -1 if network.reads_tokens else -2
    state, predictions = network(xs)

    def next_input(y: Array, step: Array) -> Array:
        """Return what is read after the outputs y (..., O) of the step before this one."""
        if not network.reads_tokens:
            return y
        if key is None:
            return y.argmax(axis=-1).astype(xs.dtype)
        logits = y / temperature.astype(y.dtype)
        return jax.random.categorical(jax.random.fold_in(key, step), logits).astype(xs.dtype)

    def feed_back(carry: tuple, step: Array) -> tuple[tuple, Array]:
        state, y = carry
        x = next_input(y, step)
        state, ys = network(jnp.expand_dims(x, time), state)
        return (state, ys[..., 0, :]), x

    continued = jax.lax.scan(feed_back, (state, predictions[..., -1, :]), jnp.arange(steps))[1]
    return jnp.moveaxis(continued, 0, time)
