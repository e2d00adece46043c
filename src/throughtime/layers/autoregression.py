"""Autoregression: each prediction of a network becomes its next input."""

from functools import partial

import jax
import jax.numpy as jnp

from throughtime._errors import InputError
from throughtime._types import Array, Float
from throughtime.layers.network import RecurrentNetwork


def rollout(network: RecurrentNetwork, xs: Float[Array, "T D"], steps: int) -> Float[Array, "N D"]:
    """Continue a sequence for ``steps`` (N) steps beyond its end.

    The network first reads all of ``xs``. Then each prediction, one step ahead, is fed back as the next input.

    Args:
        network: predicts as many values as it reads.
        xs: the sequence, with at least one step.
        steps: N, at least 1.

    Raises:
        InputError: if the network does not predict as many values as it reads, or xs or steps is empty.
    """
    if network.readout.out_features != network.cell.inputs:
        raise InputError(
            f"the network reads {network.cell.inputs} values and predicts {network.readout.out_features}: "
            "expected the same number, to feed predictions back",
            code="wrong-outputs",
            found=network.readout.out_features,
            expected=network.cell.inputs,
        )
    if len(xs) == 0 or steps < 1:
        raise InputError(
            f"expected at least one step to start from and one to predict, got {len(xs)} and {steps}",
            code="no-steps",
            found=(len(xs), steps),
        )
    return _rollout(network, jnp.asarray(xs), steps)


@partial(jax.jit, static_argnums=2)
def _rollout(network: RecurrentNetwork, xs: Array, steps: int) -> Array:
    state, predictions = network(xs)

    def feed_back(carry: tuple, _: None) -> tuple[tuple, Array]:
        state, x = carry
        state, y = network(x[None], state)
        return (state, y[0]), x

    return jax.lax.scan(feed_back, (state, predictions[-1]), None, length=steps)[1]
