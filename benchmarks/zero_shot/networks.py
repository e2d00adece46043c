"""The pretrained network, and parts of it: each is the same arithmetic with other weights."""

from collections.abc import Callable

import numpy as np

from throughtime.pretraining import MixtureNetwork
from throughtime.training import named_leaves
from throughtime.zero_shot import LEVELS, SHAPES, Weights, quantiles_of
from zero_shot.windows import Windows


def forecast(weights: Weights, windows: Windows) -> np.ndarray:
    """Return the quantiles (N, F, Q) of all windows; none is negative if no known value is, as in a forecaster."""
    quantiles = quantiles_of(weights, windows.histories, windows.told, windows.horizon)
    positive = np.array([np.nanmin(history) >= 0 for history in windows.histories])
    quantiles[positive] = np.maximum(quantiles[positive], 0)
    return quantiles


def parts(weights: Weights) -> dict[str, Weights]:
    """Return what is left of the network without some of its parts, by what it is."""
    start = _untrained()
    return {
        "its mixture without the residual": _changed(weights, "quantiles", _without_residual),
        "untrained: a mixture by held-out errors": start,
        "untrained: an even mixture": _changed(_changed(start, "mixture", np.zeros_like), "judged", np.zeros_like),
    }


def _without_residual(array: np.ndarray) -> np.ndarray:
    """Return the weights or biases of the layer of quantiles, with zeros for the correction of each step's median."""
    array = array.copy()
    array[:: len(LEVELS) + 1] = 0  # the first of a step's outputs
    return array


def _untrained() -> Weights:
    """Return the network before its training: a mixture by the errors on held-out steps, with normal quantiles."""
    leaves = named_leaves(MixtureNetwork(key=0), "network")
    return {name.removeprefix("network."): np.asarray(leaf) for name, leaf in leaves.items()}


def _changed(weights: Weights, layer: str, change: Callable[[np.ndarray], np.ndarray]) -> Weights:
    """Return weights with one layer of the heads of all shapes changed."""
    names = [f"ports.{shape}.head.{layer}.{array}" for shape in SHAPES for array in ("weight", "bias")]
    return {**weights, **{name: change(weights[name]) for name in names}}
