"""Autoregression: each prediction of a network becomes its next input."""

from operator import index
from typing import SupportsIndex

import equinox as eqx
import jax
import jax.numpy as jnp

from throughtime._errors import InputError
from throughtime._types import Array, Float
from throughtime.layers.arguments import ArrayOrLists, as_inputs
from throughtime.layers.network import RecurrentNetwork
from throughtime.layers.stack import StackedNetwork


def rollout(
    network: RecurrentNetwork | StackedNetwork, xs: ArrayOrLists, steps: SupportsIndex
) -> Float[Array, "N D"] | Float[Array, "B N D"]:
    """Continue a sequence, or each sequence of a batch, for ``steps`` (N) steps beyond its end.

    The network first reads all of ``xs``. Then each prediction, one step ahead, is fed back as the next input.

    Args:
        network: predicts as many values as it reads.
        xs: a sequence (T, D) or a batch (B, T, D), with at least one step.
        steps: N, at least 1.

    Returns:
        (N, D), or (B, N, D) for a batch.

    Raises:
        InputError: if the network does not predict as many values as it reads, the shape of xs does not fit, or xs or
            steps is empty.
    """
    if network.outputs != network.inputs:
        raise InputError(
            f"the network reads {network.inputs} values and predicts {network.outputs}: "
            "expected the same number, to feed predictions back",
            code="wrong-outputs",
            found=network.outputs,
            expected=network.inputs,
        )
    sequences, _ = as_inputs(network.inputs, xs, None)
    length, count = sequences.shape[-2], index(steps)
    if length == 0 or count < 1:
        raise InputError(
            f"expected at least one step to start from and one to predict, got {length} and {count}",
            code="no-steps",
            found=(length, count),
        )
    return _rollout(network, sequences, count)


@eqx.filter_jit
def _rollout(network: RecurrentNetwork | StackedNetwork, xs: Array, steps: int) -> Array:
    state, predictions = network(xs)

    def feed_back(carry: tuple, _: None) -> tuple[tuple, Array]:
        state, x = carry
        state, y = network(x[..., None, :], state)
        return (state, y[..., 0, :]), x

    continued = jax.lax.scan(feed_back, (state, predictions[..., -1, :]), None, length=steps)[1]
    return jnp.moveaxis(continued, 0, -2)
