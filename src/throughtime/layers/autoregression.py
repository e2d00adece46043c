"""A network that goes on by itself: each prediction is the next input."""

from functools import partial

import jax
import jax.numpy as jnp

from throughtime._errors import InputError
from throughtime._types import Array, Float
from throughtime.layers.network import RecurrentNetwork


def rollout(network: RecurrentNetwork, xs: Float[Array, "T D"], steps: int) -> Float[Array, "N D"]:
    """Continue a sequence for ``steps`` (N) steps beyond its end, without another look at the truth.

    The state comes from all of ``xs``; the network's prediction one step ahead is then fed back as its next input.

    Raises:
        InputError: where the network does not predict as many values as it takes, or there is nothing to start from.
    """
    if network.readout.out_features != network.cell.inputs:
        raise InputError(
            f"the network takes {network.cell.inputs} values and predicts {network.readout.out_features}: "
            "expected as many, to feed its predictions back"
        )
    if len(xs) == 0 or steps < 1:
        raise InputError(f"expected at least one step to start from and one to predict, got {len(xs)} and {steps}")
    return _rollout(network, jnp.asarray(xs), steps)


@partial(jax.jit, static_argnums=2)
def _rollout(network: RecurrentNetwork, xs: Array, steps: int) -> Array:
    state, predictions = network(xs)

    def feed_back(carry: tuple, _: None) -> tuple[tuple, Array]:
        state, x = carry
        state, y = network(x[None], state)
        return (state, y[0]), x

    return jax.lax.scan(feed_back, (state, predictions[-1]), None, length=steps)[1]
