"""The weights of a network by their names: those of a run for the forward pass in NumPy, and a network with them."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from throughtime.pretraining.network import MixtureNetwork
from throughtime.training import AveragedState, named_leaves
from throughtime.zero_shot import Weights


def averaged_weights(state: Any) -> Weights:
    """Return the averaged weights of a run's state by their names, for the forward pass in NumPy."""
    assert isinstance(state.optimizer, AveragedState)
    return weights_of(eqx.combine(state.optimizer.average, state.model))


def weights_of(network: MixtureNetwork) -> Weights:
    """Return the weights of a network by their names, which :func:`network_with` reads."""
    return {name.removeprefix("network."): np.asarray(leaf) for name, leaf in named_leaves(network, "network").items()}


def network_with(weights: Weights) -> MixtureNetwork:
    """Return the network of these weights, to look into it: its sizes are theirs."""
    blocks = sum(name.endswith(".cell.w_h") for name in weights)
    network = eqx.filter_eval_shape(MixtureNetwork, hidden=len(weights["norm.weight"]), blocks=blocks, key=0)
    arrays, rest = eqx.partition(network, lambda leaf: isinstance(leaf, jax.ShapeDtypeStruct))
    names = (name.removeprefix("network.") for name in named_leaves(arrays, "network"))
    leaves = [jnp.asarray(weights[name]) for name in names]
    filled: MixtureNetwork = eqx.combine(jax.tree.unflatten(jax.tree.structure(arrays), leaves), rest)
    return filled
