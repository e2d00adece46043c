"""The decoder of a network from sequence to sequence: a layer with attention over a source, and a readout."""

from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from throughtime._devices import split_alike
from throughtime._keys import random_key
from throughtime._registry import resolve
from throughtime._types import Array, Key, KeyLike
from throughtime.layers.arguments import ArrayOrLists, as_inputs, as_tokens, zero_masked
from throughtime.layers.attention import ATTENTIONS, Attention
from throughtime.layers.bidirectional import require_forward
from throughtime.layers.layer import AnyLayer, reads_tokens, require_layer, run_layer
from throughtime.layers.wrapper import per_step


class Decoded(NamedTuple):
    """The result of a decoder; with a leading B for a batch.

    Attributes:
        outputs: (T, O), for each step the logits of all tokens, or the predicted values.
        predictions: (T,) the most likely tokens, or the predicted values (T, O).
        weights: (T, S), the attention of each step over the S steps of the source.
    """

    outputs: Array
    predictions: Array
    weights: Array


class Source(NamedTuple):
    """The part of a source that a decoder sees, with a leading B for a batch.

    Attributes:
        memory: (S, M), the outputs of the encoder.
        keys: of the memory, for attention.
        mask: (S,), True for steps of the source; None for all.
    """

    memory: Array
    keys: Array
    mask: Array | None

    @property
    def batch(self) -> tuple[int, ...]:
        """Return (B,), or () for a single sequence."""
        return self.memory.shape[:-2]

    def split_alike(self, values: Array) -> Array:
        """Return values for each sequence, (B, ...), split over devices as the memory is."""
        return split_alike((values, self.memory))[0] if self.batch else values


class Decoder(eqx.Module):
    """A layer that reads targets, attention over a source for each of its outputs, and a readout of both.

    Its equations are those of :class:`EncoderDecoder`.

    Attributes:
        layer: a cell or a layer of H outputs that reads forward only.
        attention: scores of the layer's outputs and the source.
        bridge: M -> the h of all cells of the layer.
        combine: M + H -> H.
        readout: H -> O, the number of the layer's tokens or inputs.
    """

    layer: AnyLayer
    attention: Attention
    bridge: eqx.nn.Linear
    combine: eqx.nn.Linear
    readout: eqx.nn.Linear

    def __init__(self, layer: AnyLayer, memory: int, attention: str | Callable[..., Attention], *, key: KeyLike):
        """Draw random weights around a layer, for a memory of M numbers.

        Raises:
            InputError: for anything but a cell or a layer, for one that reads ahead, and an unknown attention.
        """
        require_layer("EncoderDecoder", layer)
        require_forward("the decoder of an EncoderDecoder", layer)
        self.layer = layer
        attend, bridge, combine, readout = jax.random.split(random_key(key), 4)
        self.attention = resolve("attention", ATTENTIONS, attention)(layer.hidden, memory, key=attend)
        self.combine = eqx.nn.Linear(memory + layer.hidden, layer.hidden, key=combine)
        self.readout = eqx.nn.Linear(layer.hidden, layer.inputs, key=readout)
        state = jax.eval_shape(lambda: run_layer(layer, self.zeros((), 0))[0])
        self.bridge = eqx.nn.Linear(memory, sum(leaf.size for leaf in _hidden_states(state)), key=bridge)

    @property
    def reads_tokens(self) -> bool:
        """Tell if targets are tokens."""
        return reads_tokens(self.layer)

    @property
    def time(self) -> int:
        """Return the axis of time in targets and predictions: -1 for tokens, -2 for values."""
        return -1 if self.reads_tokens else -2

    def zeros(self, batch: tuple[int, ...], steps: int) -> Array:
        """Return what the layer reads before the first target, for a number of steps."""
        if self.reads_tokens:
            return jnp.zeros((*batch, steps), jnp.int32)
        return jnp.zeros((*batch, steps, self.layer.inputs), self.readout.weight.dtype)

    def first_input(self, source: Source) -> Array:
        """Return what the layer reads before the first target: (), (B,), (O,) or (B, O)."""
        return source.split_alike(jnp.take(self.zeros(source.batch, 1), 0, self.time))

    def as_targets(self, targets: ArrayOrLists, mask: ArrayOrLists | None) -> tuple[Array, Array | None]:
        """Return targets and their mask as arrays; masked targets become zeros.

        Raises:
            InputError: if a shape or a type does not fit, or a token is out of range.
        """
        if self.reads_tokens:
            tokens, flags = as_tokens(self.layer.inputs, targets, mask)
            return tokens.astype(jnp.int32), flags
        values, flags = as_inputs(self.layer.inputs, targets, mask)
        return zero_masked(values, flags), flags

    def first_state(self, summary: Array, key: Key | None) -> Any:
        """Return the layer's initial state with the h of each cell from a summary (M,) or (B, M) of the source."""
        state, _ = run_layer(self.layer, self.zeros(summary.shape[:-1], 0), key=key)  # over no steps
        hidden = jnp.tanh(per_step(self.bridge, summary))
        parts = iter(jnp.split(hidden, np.cumsum([leaf.shape[-1] for leaf in _hidden_states(state)]), axis=-1))
        return jax.tree_util.tree_map_with_path(lambda path, leaf: next(parts) if _is_h(path) else leaf, state)

    def run(
        self, source: Source, inputs: Array, state: Any, mask: Array | None, key: Key | None
    ) -> tuple[Any, Decoded]:
        """Return the state after the inputs, (T,) or (T, O), and the results of all their steps at once."""
        state, ys = run_layer(self.layer, inputs, state, mask=mask, key=key)
        context, weights = self.attention.attend(ys, *source)
        hidden = jnp.tanh(per_step(self.combine, jnp.concatenate([context, ys], axis=-1)))
        outputs = zero_masked(per_step(self.readout, hidden), mask)
        predictions = outputs.argmax(axis=-1).astype(jnp.int32) if self.reads_tokens else outputs
        return state, Decoded(outputs, predictions, zero_masked(weights, mask))

    def run_one(self, source: Source, x: Array, state: Any, mask: Array | None, key: Key | None) -> tuple[Any, Decoded]:
        """Return the state after one input, () or (O,), and the results of this step, without T."""
        flags = None if mask is None else mask[..., None]
        state, decoded = self.run(source, jnp.expand_dims(x, self.time), state, flags, key)
        axes = (-2, self.time, -2)
        return state, Decoded(*(jnp.take(array, 0, axis) for array, axis in zip(decoded, axes, strict=True)))

    def joined(self, steps: Decoded) -> Decoded:
        """Return the results of steps, one after the other along the first axis, with time at its place."""
        axes = (-2, self.time, -2)
        return Decoded(*(jnp.moveaxis(array, 0, axis) for array, axis in zip(steps, axes, strict=True)))


def _hidden_states(state: Any) -> list[Any]:
    """Return the arrays of a state that are named h."""
    return [leaf for path, leaf in jax.tree_util.tree_leaves_with_path(state) if _is_h(path)]


def _is_h(path: tuple[Any, ...]) -> bool:
    return path[-1] == jax.tree_util.GetAttrKey("h")
