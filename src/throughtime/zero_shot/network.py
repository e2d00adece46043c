"""The pretrained network in NumPy: the arithmetic of ``pretraining.MixtureNetwork``, without compilation."""

import numpy as np
from jaxtyping import Float

from throughtime.zero_shot.inputs import Inputs
from throughtime.zero_shot.levels import LEVELS, MIDDLE
from throughtime.zero_shot.weights import Weights

EPSILON = 1e-5  # of the normalization


def forecast(weights: Weights, name: str, inputs: Inputs) -> Float[np.ndarray, "B F Q"]:
    """Return the quantiles at ``LEVELS``, ascending, in units of the window.

    Args:
        weights: the network's.
        name: of the shape of the windows.
        inputs: B windows.
    """
    patches = inputs.future.shape[1]
    tokens = [
        _embedded(weights, f"ports.{name}.{port}", _with_window(array, inputs.window))
        for port, array in (("context", inputs.context), ("future", inputs.future))
    ]
    units = np.concatenate(tokens, axis=1)
    layers = {key.split(".")[2] for key in weights if key.startswith("stack.layers.")}
    for number in range(len(layers)):
        units = _layer(weights, f"stack.layers.{number}", units)
    return _quantiles(weights, f"ports.{name}.head", _normalized(weights, "norm", units[:, -patches:]), inputs)


def _with_window(tokens: np.ndarray, window: np.ndarray) -> np.ndarray:
    """Return tokens (B, C, I + G), each with the numbers of its window."""
    shared = np.broadcast_to(window[:, None], (*tokens.shape[:2], window.shape[1]))
    return np.concatenate([tokens, shared], axis=2)


def _linear(weights: Weights, name: str, values: np.ndarray) -> np.ndarray:
    product = values @ weights[f"{name}.weight"].T
    product += weights[f"{name}.bias"]
    return product


def _embedded(weights: Weights, name: str, tokens: np.ndarray) -> np.ndarray:
    units = _linear(weights, f"{name}.first", tokens)
    return units + _linear(weights, f"{name}.second", _gelu(units))


def _layer(weights: Weights, name: str, units: np.ndarray) -> np.ndarray:
    """Return the outputs (B, C, H) of a block, or of a feed-forward layer."""
    normalized = _normalized(weights, f"{name}.norm", units)
    if f"{name}.cell.w_x" in weights:
        return units + _gru(weights, f"{name}.cell", normalized)
    return units + _linear(weights, f"{name}.narrow", _gelu(_linear(weights, f"{name}.widen", normalized)))


def _gru(weights: Weights, name: str, values: np.ndarray) -> np.ndarray:
    """Return the outputs (B, C, H) of a GRU: gates r z n, the reset after the product, as :class:`throughtime.GRU`."""
    w_x, w_h, b, b_h = (weights[f"{name}.{array}"] for array in ("w_x", "w_h", "b", "b_h"))
    hidden = w_h.shape[1]
    projected, recurrent = values @ w_x.T, np.ascontiguousarray(w_h.T)
    projected += b
    state, outputs = np.zeros((len(values), hidden), values.dtype), np.empty_like(values)
    for step in range(values.shape[1]):
        product = state @ recurrent
        gates = _sigmoid(projected[:, step, : 2 * hidden] + product[:, : 2 * hidden])
        reset, keep = gates[:, :hidden], gates[:, hidden:]
        new = np.tanh(projected[:, step, 2 * hidden :] + reset * (product[:, 2 * hidden :] + b_h))
        state = new + keep * (state - new)
        outputs[:, step] = state
    return outputs


def _quantiles(weights: Weights, name: str, units: np.ndarray, inputs: Inputs) -> np.ndarray:
    """Return the quantiles (B, F, Q) from the units of each patch of the horizon."""
    count, kinds, horizon = inputs.bases.shape
    patches = units.shape[1]
    logits = _linear(weights, f"{name}.mixture", units) + _linear(weights, f"{name}.judged", inputs.window)[:, None]
    bases = inputs.bases.reshape(count, kinds, patches, horizon // patches)
    mixed = np.einsum("bck,bkcp->bcp", _softmax(logits), bases).reshape(count, horizon, 1)
    raw = _linear(weights, f"{name}.quantiles", units).reshape(count, horizon, len(LEVELS) + 1)
    size = np.exp(np.clip(raw[..., -1:], -4, 5))
    median = mixed + raw[..., :1] * size
    steps = np.logaddexp(0, raw[..., 1:-1]) * size
    above = median + np.cumsum(steps[..., MIDDLE:], axis=-1)
    below = median - np.cumsum(steps[..., :MIDDLE][..., ::-1], axis=-1)[..., ::-1]
    return np.concatenate([below, median, above], axis=-1)


def _normalized(weights: Weights, name: str, units: np.ndarray) -> np.ndarray:
    """Return units with mean 0 and variance 1 over each step, scaled and moved."""
    centered = units - units.mean(axis=-1, keepdims=True)
    deviation = np.sqrt((centered**2).mean(axis=-1, keepdims=True) + EPSILON)
    centered /= deviation
    centered *= weights[f"{name}.weight"]
    centered += weights[f"{name}.bias"]
    return centered


def _gelu(values: np.ndarray) -> np.ndarray:
    """Return the approximation with tanh that JAX uses (Hendrycks & Gimpel 2016, arXiv 1606.08415)."""
    share = values * values * values  # NumPy's power is 30 times slower
    share *= np.float32(0.044715)
    share += values
    share *= np.float32(np.sqrt(2 / np.pi))
    np.tanh(share, out=share)
    share += 1
    share *= values
    share *= 0.5
    return share


def _sigmoid(values: np.ndarray) -> np.ndarray:
    return 0.5 * (1 + np.tanh(0.5 * values))


def _softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)
