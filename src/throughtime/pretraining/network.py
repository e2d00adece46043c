"""The network to pretrain: it mixes simple forecasts, corrects the mixture, and makes quantiles around it."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from scipy.special import ndtri

from throughtime._keys import random_key
from throughtime._types import Array, Float, Key, KeyLike, Scalar
from throughtime.cells import GRU
from throughtime.layers import Block, FeedForward, Stack, per_step
from throughtime.zero_shot import BASES, LEVELS, MIDDLE, SHAPES, WINDOW_NUMBERS, Inputs, Shape

SPREAD = 1.1  # of the first quantiles, in units of the window
FAVORED = (
    "level .3 and profile",
    "theta",
    "local damped trend and profile",
    "level .3 and two profiles",
    "multiplicative theta",
    "damped trend and profile",
)
TRUST = 1.0  # of the first mixture in the errors on held-out steps


class Embedding(eqx.Module):
    """A layer from a token to H units: a linear map and a correction of it."""

    first: eqx.nn.Linear
    second: eqx.nn.Linear

    def __init__(self, inputs: int, hidden: int, *, key: Key):
        key_first, key_second = jax.random.split(key)
        self.first = eqx.nn.Linear(inputs, hidden, key=key_first)
        self.second = eqx.nn.Linear(hidden, hidden, key=key_second)

    def __call__(self, token: Float[Array, "I"]) -> Float[Array, "H"]:
        """Return H units."""
        units = self.first(token)
        return units + self.second(jax.nn.gelu(units))


class Head(eqx.Module):
    """A head from the units of a patch to the weights of the mixture and the quantiles of its steps.

    Attributes:
        quantiles: H -> P (Q + 1): for each step the correction of the median, Q - 1 distances, and the logarithm of
            their size.
        mixture: H -> K, the logarithms of the weights.
        judged: G -> K, added to them: what the numbers of the window say about the simple forecasts.
    """

    quantiles: eqx.nn.Linear
    mixture: eqx.nn.Linear
    judged: eqx.nn.Linear

    def __init__(self, hidden: int, patch: int, *, key: Key):
        """Start from a mixture that trusts what did well on held-out steps, and from normal quantiles around it."""
        distances = np.zeros((patch, len(LEVELS) + 1))
        distances[:, 1:-1] = np.log(np.expm1(SPREAD * np.diff(ndtri(LEVELS))))
        self.quantiles = _linear(np.zeros((distances.size, hidden)), distances.ravel())
        self.mixture = _linear(np.zeros((len(BASES), hidden)), [1.0 * (name in FAVORED) for name in BASES])
        trust = np.zeros((len(BASES), WINDOW_NUMBERS))
        for held in range(2):
            begin = WINDOW_NUMBERS - (2 - held) * (len(BASES) + 2)
            trust[:, begin : begin + len(BASES)] = -TRUST * np.eye(len(BASES))
        self.judged = _linear(trust, np.zeros(len(BASES)))

    def logits(self, units: Float[Array, "B C H"], inputs: Inputs) -> Float[Array, "B C K"]:
        """Return the logarithms of the simple forecasts' weights in each patch, up to a constant."""
        return per_step(self.mixture, units) + jax.vmap(self.judged)(jnp.asarray(inputs.window))[:, None]


def _linear(weight: Any, bias: Any) -> eqx.nn.Linear:
    """Return a linear layer with these weights."""
    outputs, inputs = np.shape(weight)
    layer = eqx.nn.Linear(inputs, outputs, key=jax.random.key(0))
    arrays = jnp.asarray(weight, jnp.float32), jnp.asarray(bias, jnp.float32)
    return eqx.tree_at(lambda layer: (layer.weight, layer.bias), layer, arrays)


class Ports(eqx.Module):
    """The layers of one shape of windows: embeddings of the tokens before and after the cutoff, and the head."""

    context: Embedding
    future: Embedding
    head: Head

    def __init__(self, shape: Shape, hidden: int, *, key: Key):
        keys = jax.random.split(key, 3)
        self.context = Embedding(3 * shape.patch + 5 + WINDOW_NUMBERS, hidden, key=keys[0])
        self.future = Embedding(len(BASES) * shape.patch + 5 + WINDOW_NUMBERS, hidden, key=keys[1])
        self.head = Head(hidden, shape.patch, key=keys[2])


class MixtureNetwork(eqx.Module):
    """A stack of residual GRU blocks over the tokens of a window, with ports for each of its shapes.

    Attributes:
        ports: by the name of the shape.
        stack: L blocks of H units, each with a feed-forward layer.
    """

    ports: dict[str, Ports]
    stack: Stack
    norm: eqx.nn.LayerNorm

    def __init__(self, *, hidden: int = 64, blocks: int = 4, key: KeyLike):
        """Draw random weights."""
        key_ports, *keys = jax.random.split(random_key(key), 1 + 2 * blocks)
        layers: list[Block | FeedForward] = []
        for key_cell, key_forward in zip(keys[::2], keys[1::2], strict=True):
            layers += [Block(GRU(hidden, hidden, key=key_cell)), FeedForward(hidden, key=key_forward)]
        keys_ports = jax.random.split(key_ports, len(SHAPES))
        self.ports = {
            name: Ports(shape, hidden, key=key) for (name, shape), key in zip(SHAPES.items(), keys_ports, strict=True)
        }
        self.stack = Stack(layers)
        self.norm = eqx.nn.LayerNorm(hidden)

    def __call__(self, name: str, inputs: Inputs) -> Float[Array, "B F Q"]:
        """Return the quantiles at ``LEVELS``, ascending, in units of the window.

        Args:
            name: of the shape of the windows.
            inputs: B windows.
        """
        return _quantiles(self.ports[name].head, self._read(name, inputs), inputs)

    def embedded(self, name: str, inputs: Inputs) -> Float[Array, "B C H"]:
        """Return the units of all tokens, before and after the cutoff, as the first block reads them."""
        ports = self.ports[name]
        tokens = [
            per_step(port, _with_window(jnp.asarray(tokens), jnp.asarray(inputs.window)))
            for port, tokens in ((ports.context, inputs.context), (ports.future, inputs.future))
        ]
        return jnp.concatenate(tokens, axis=1)

    def shares(self, name: str, inputs: Inputs) -> Float[Array, "B C K"]:
        """Return the weights of the K simple forecasts ``BASES`` in each of the C patches of the horizon."""
        return jax.nn.softmax(self.ports[name].head.logits(self._read(name, inputs), inputs))

    def _read(self, name: str, inputs: Inputs) -> Float[Array, "B C H"]:
        """Return the units of each patch of the horizon, after all blocks."""
        _, units = self.stack(self.embedded(name, inputs))
        return per_step(self.norm, units[:, -inputs.future.shape[1] :])


def _with_window(tokens: Array, window: Array) -> Array:
    """Return tokens (B, C, I + G), each with the numbers of its window."""
    shared = jnp.broadcast_to(window[:, None], (*tokens.shape[:2], window.shape[1]))
    return jnp.concatenate([tokens, shared], axis=2)


def _quantiles(head: Head, units: Float[Array, "B C H"], inputs: Inputs) -> Float[Array, "B F Q"]:
    """Return the quantiles from the units of each patch of the horizon."""
    count, kinds, horizon = inputs.bases.shape
    patches = units.shape[1]
    logits = head.logits(units, inputs)
    bases = inputs.bases.reshape(count, kinds, patches, horizon // patches)
    mixed = jnp.einsum("bck,bkcp->bcp", jax.nn.softmax(logits), bases).reshape(count, horizon)
    raw = per_step(head.quantiles, units).reshape(count, horizon, len(LEVELS) + 1)
    size = jnp.exp(jnp.clip(raw[..., -1:], -4, 5))
    median = mixed[..., None] + raw[..., :1] * size
    steps = jax.nn.softplus(raw[..., 1:-1]) * size
    above = median + jnp.cumsum(steps[..., MIDDLE:], axis=-1)
    below = median - jnp.cumsum(steps[..., :MIDDLE][..., ::-1], axis=-1)[..., ::-1]
    return jnp.concatenate([below, median, above], axis=-1)


def pinball_loss(network: MixtureNetwork, batch: dict[str, tuple[Inputs, Array | np.ndarray]]) -> Scalar:
    """Return the mean pinball loss over all windows, in their units; every window weighs the same.

    Args:
        network: the network.
        batch: by the name of the shape, the inputs of B windows and what came (B, F), in units of the window.
    """
    losses, counts = [], []
    for name, (inputs, future) in batch.items():
        error = future[..., None] - network(name, inputs)
        levels = jnp.broadcast_to(jnp.asarray(LEVELS, error.dtype), error.shape)
        losses.append(jnp.mean(jnp.maximum(levels * error, (levels - 1) * error)) * 2)
        counts.append(len(future))
    return jnp.asarray(sum(loss * count for loss, count in zip(losses, counts, strict=True)) / sum(counts))
