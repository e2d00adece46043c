"""Stacks of recurrent layers: blocks, feed-forward layers, and networks made of them."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp

from throughtime._arguments import whole_number
from throughtime._errors import InputError
from throughtime._keys import random_key
from throughtime._types import Array, Hidden, KeyLike, Outputs, Whole
from throughtime.cells import Cell
from throughtime.layers.arguments import ArrayOrLists, as_inputs, zero_masked
from throughtime.layers.dropout import Dropout
from throughtime.layers.layer import (
    AnyLayer,
    Layer,
    Network,
    final_output,
    noise_keys,
    reads_tokens,
    require_layer,
    run_layer,
)
from throughtime.layers.wrapper import per_step
from throughtime.recurrence import require_no_mask


class Block(Layer):
    """A cell with layer normalization of its inputs before it and a residual connection around it.

    Equations::

        y = x + cell(norm(x))

    The normalization is over the units of each step (Ba et al. 2016, arXiv 1607.06450). No activation interrupts the
    residual connection from the first layer to the last (He et al. 2016, arXiv 1603.05027).

    Attributes:
        cell: H inputs and H units.
    """

    norm: eqx.nn.LayerNorm
    cell: Cell

    def __init__(self, cell: Cell):
        """Put ``cell`` into a block.

        Raises:
            InputError: if the cell's input size differs from its hidden size.
        """
        if cell.inputs != cell.hidden:
            raise InputError(
                f"a block adds a cell's outputs to its inputs: expected as many inputs as units, got {cell.inputs} "
                f"inputs and {cell.hidden} units",
                code="wrong-sizes",
                found=(cell.inputs, cell.hidden),
            )
        self.norm = eqx.nn.LayerNorm(cell.hidden)
        self.cell = cell

    @property
    def inputs(self) -> int:
        """Return H."""
        return self.cell.inputs

    @property
    def hidden(self) -> int:
        """Return H."""
        return self.cell.hidden

    def __call__(
        self, xs: ArrayOrLists, state: Any = None, *, mask: ArrayOrLists | None = None, key: KeyLike | None = None
    ) -> tuple[Any, Outputs]:
        """Return the cell's state after the last step and the outputs (T, H) or (B, T, H); masked steps give zeros.

        With a ``key``, in training, each sequence gets its own draw of every random cell inside ``cell``.

        Raises:
            InputError: if a shape does not fit, or the mask is not boolean.
        """
        xs, mask = as_inputs(self.inputs, xs, mask)
        xs = zero_masked(xs, mask)
        state, ys = run_layer(self.cell, per_step(self.norm, xs), state, mask=mask, key=key)
        return state, xs + ys


class FeedForward(Layer):
    """A position-wise layer between blocks: one hidden layer, with normalization and a residual connection.

    Equations::

        y = x + narrow(gelu(widen(norm(x))))

    Attributes:
        widen: H -> 2H.
        narrow: 2H -> H.
    """

    norm: eqx.nn.LayerNorm
    widen: eqx.nn.Linear
    narrow: eqx.nn.Linear

    def __init__(self, hidden: Whole, *, key: KeyLike):
        """Draw random weights for H units."""
        hidden = whole_number("hidden", hidden)
        key_widen, key_narrow = jax.random.split(random_key(key))
        self.norm = eqx.nn.LayerNorm(hidden)
        self.widen = eqx.nn.Linear(hidden, 2 * hidden, key=key_widen)
        self.narrow = eqx.nn.Linear(2 * hidden, hidden, key=key_narrow)

    @property
    def inputs(self) -> int:
        """Return H."""
        return self.narrow.weight.shape[0]

    @property
    def hidden(self) -> int:
        """Return H."""
        return self.narrow.weight.shape[0]

    def __call__(
        self, xs: ArrayOrLists, state: Any = None, *, mask: ArrayOrLists | None = None, key: KeyLike | None = None
    ) -> tuple[Any, Outputs]:
        """Return an empty state and the outputs (T, H) or (B, T, H); masked steps give zeros.

        A ``key`` changes nothing: there is no noise in this layer.

        Raises:
            InputError: if a shape does not fit, or the mask is not boolean.
        """
        require_no_mask(state)
        xs, mask = as_inputs(self.inputs, xs, mask)
        xs = zero_masked(xs, mask)
        return (), zero_masked(xs + per_step(self._within_step, xs), mask)

    def _within_step(self, x: Hidden) -> Hidden:
        return self.narrow(jax.nn.gelu(self.widen(self.norm(x))))


class Stack(Layer):
    """A sequence of layers, each of which reads the outputs of the layer below.

    Attributes:
        layers: cells and layers, from the inputs up.
    """

    layers: tuple[AnyLayer, ...]

    def __init__(self, layers: Sequence[AnyLayer]):
        """Stack layers; a cell gets no normalization and no residual connection, unlike a :class:`Block`.

        Raises:
            InputError: for no layers, for anything but cells and layers, and if the input size of a layer differs from
                the hidden size of the one below.
        """
        if not layers:
            raise InputError("a stack needs at least one layer, got none", code="no-layers")
        for layer in layers:
            require_layer("Stack", layer)
        for number, (below, above) in enumerate(pairwise(layers), start=2):
            if above.inputs != below.hidden:
                raise InputError(
                    f"layer {number} reads {above.inputs} inputs, but layer {number - 1} has {below.hidden} outputs: "
                    "expected the same number",
                    code="wrong-sizes",
                    found=above.inputs,
                    expected=below.hidden,
                )
        self.layers = tuple(layers)

    @property
    def inputs(self) -> int:
        """Return D of the first layer."""
        return self.layers[0].inputs

    @property
    def hidden(self) -> int:
        """Return H of the last layer."""
        return self.layers[-1].hidden

    @property
    def reads_tokens(self) -> bool:
        """Tell if the first layer reads tokens."""
        return reads_tokens(self.layers[0])

    def __call__(
        self, xs: ArrayOrLists, state: Any = None, *, mask: ArrayOrLists | None = None, key: KeyLike | None = None
    ) -> tuple[Any, Outputs]:
        """Return the state after the last step, a tuple with one entry per layer, and the last layer's outputs.

        With a ``key``, in training, each sequence gets its own draw of every random cell of every layer, as
        :func:`throughtime.layers.unroll_drawn` makes it. Without a key, at inference, there is no noise.

        Raises:
            InputError: if a shape does not fit, the mask is not boolean, or ``state`` does not have one entry per
                layer.
        """
        require_no_mask(state)
        states = (None,) * len(self.layers) if state is None else state
        if len(states) != len(self.layers):
            raise InputError(
                f"state has {len(states)} entries: expected {len(self.layers)}, one for each layer",
                code="wrong-state",
                found=len(states),
                expected=len(self.layers),
            )
        last = []
        for layer, first, drawn in zip(self.layers, states, noise_keys(key, len(states)), strict=True):
            state, xs = run_layer(layer, xs, first, mask=mask, key=drawn)
            last.append(state)
        return tuple(last), jnp.asarray(xs)

    def final_output(self, ys: ArrayOrLists, mask: ArrayOrLists | None = None) -> Array:
        """Return the output of the last layer that has seen the whole sequence, from its outputs ``ys``.

        A :class:`Dropout` at the end does not count: its outputs are at the places of those of the layer below.
        """
        layers = [layer for layer in self.layers if not isinstance(layer, Dropout)]
        return final_output(layers[-1] if layers else self.layers[-1], ys, mask)


def as_layer(layers: AnyLayer | Sequence[AnyLayer]) -> AnyLayer:
    """Return a cell or a layer as it is, and a list of them as a :class:`Stack`."""
    return Stack(layers) if isinstance(layers, Sequence) else layers


class StackedNetwork(Network):
    """A network of an embedding of the inputs, a stack of layers, normalization, and a linear readout of each step.

    Attributes:
        embedding: D -> H.
        stack: layers of hidden size H.
        readout: H -> O.
    """

    embedding: eqx.nn.Linear
    stack: Stack
    norm: eqx.nn.LayerNorm
    readout: eqx.nn.Linear

    def __init__(self, inputs: Whole, layers: Sequence[AnyLayer], outputs: Whole, *, key: KeyLike):
        """Draw random weights around ``layers``, which should have residual connections.

        Raises:
            InputError: if the layers do not make a :class:`Stack`.
        """
        inputs, outputs = whole_number("inputs", inputs), whole_number("outputs", outputs)
        key_embedding, key_readout = jax.random.split(random_key(key))
        self.stack = Stack(layers)
        self.embedding = eqx.nn.Linear(inputs, self.stack.inputs, key=key_embedding)
        self.norm = eqx.nn.LayerNorm(self.stack.hidden)
        self.readout = eqx.nn.Linear(self.stack.hidden, outputs, key=key_readout)

    @property
    def inputs(self) -> int:
        """Return D."""
        return self.embedding.weight.shape[1]

    @property
    def outputs(self) -> int:
        """Return O."""
        return self.readout.weight.shape[0]

    def __call__(
        self, xs: ArrayOrLists, state: Any = None, *, mask: ArrayOrLists | None = None, key: KeyLike | None = None
    ) -> tuple[Any, Array]:
        """Return the stack's state after the last step and the outputs (T, O), or (B, T, O) for a batch (B, T, D).

        Masked steps give zeros. A ``key``, in training, draws the noise of every layer: see :class:`Stack`.

        Raises:
            InputError: if a shape does not fit, or the mask is not boolean.
        """
        xs, mask = as_inputs(self.inputs, xs, mask)
        state, ys = self.stack(per_step(self.embedding, zero_masked(xs, mask)), state, mask=mask, key=key)
        return state, zero_masked(per_step(self.readout, per_step(self.norm, ys)), mask)
