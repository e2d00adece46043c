"""Several recurrent layers, one above the other."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp

from throughtime._errors import InputError
from throughtime._types import Array, Hidden, Inputs, Key, Mask, Outputs
from throughtime.cells import Cell
from throughtime.layers.wrapper import per_step
from throughtime.recurrence import unroll


class Block(eqx.Module):
    """A cell with layer normalization of its inputs before it and a residual connection around it.

    Equations::

        y = x + cell(norm(x))

    The normalization is over the units of each step (Ba et al. 2016, arXiv 1607.06450). The residual path from the
    first layer to the last is never squashed (He et al. 2016, arXiv 1603.05027).

    Attributes:
        cell: H inputs and H units.
    """

    norm: eqx.nn.LayerNorm
    cell: Cell

    def __init__(self, cell: Cell):
        """A block around ``cell``.

        Raises:
            InputError: where the cell's inputs are not as many as its units: nothing could be added to them.
        """
        if cell.inputs != cell.hidden:
            raise InputError(
                f"a block adds a cell's outputs to its inputs: expected as many inputs as units, got {cell.inputs} "
                f"inputs and {cell.hidden} units"
            )
        self.norm = eqx.nn.LayerNorm(cell.hidden)
        self.cell = cell

    @property
    def inputs(self) -> int:
        """H."""
        return self.cell.inputs

    @property
    def hidden(self) -> int:
        """H."""
        return self.cell.hidden

    def __call__(self, xs: Inputs, state: Any = None, *, mask: Mask | None = None) -> tuple[Any, Outputs]:
        """The cell's state after the last step and the outputs (T, H) or (B, T, H); zeros where masked out."""
        xs = _observed(xs, mask)
        state, ys = unroll(self.cell, per_step(self.norm, xs), state, mask=mask)
        return state, xs + ys


class FeedForward(eqx.Module):
    """What a step computes by itself, between blocks: a network of one hidden layer, normalized and residual.

    Equations::

        y = x + narrow(gelu(widen(norm(x))))

    Attributes:
        widen: 2H outputs from H.
        narrow: H outputs from 2H.
    """

    norm: eqx.nn.LayerNorm
    widen: eqx.nn.Linear
    narrow: eqx.nn.Linear

    def __init__(self, hidden: int, *, key: Key):
        """Random weights for H units."""
        key_widen, key_narrow = jax.random.split(key)
        self.norm = eqx.nn.LayerNorm(hidden)
        self.widen = eqx.nn.Linear(hidden, 2 * hidden, key=key_widen)
        self.narrow = eqx.nn.Linear(2 * hidden, hidden, key=key_narrow)

    @property
    def inputs(self) -> int:
        """H."""
        return self.narrow.weight.shape[0]

    @property
    def hidden(self) -> int:
        """H."""
        return self.narrow.weight.shape[0]

    def __call__(self, xs: Inputs, state: Any = None, *, mask: Mask | None = None) -> tuple[Any, Outputs]:
        """No state, and the outputs (T, H) or (B, T, H); zeros where masked out."""
        xs = _observed(xs, mask)
        return (), _observed(xs + per_step(self._within_step, xs), mask)

    def _within_step(self, x: Hidden) -> Hidden:
        return self.narrow(jax.nn.gelu(self.widen(self.norm(x))))


class Stack(eqx.Module):
    """Layers one above the other: each reads the outputs of the one below.

    Attributes:
        layers: cells, blocks, feed-forward layers or stacks, from the inputs up.
    """

    layers: tuple["Layer", ...]

    def __init__(self, layers: Sequence["Layer"]):
        """The layers as they are: a :class:`Block` normalizes and adds, a cell by itself does not.

        Raises:
            InputError: for no layers, and where a layer does not read what the one below puts out.
        """
        if not layers:
            raise InputError("a stack needs at least one layer, got none")
        for number, (below, above) in enumerate(pairwise(layers), start=2):
            if above.inputs != below.hidden:
                raise InputError(
                    f"layer {number} reads {above.inputs} inputs, but layer {number - 1} puts out {below.hidden}: "
                    "expected the same number"
                )
        self.layers = tuple(layers)

    @property
    def inputs(self) -> int:
        """D, of the first layer."""
        return self.layers[0].inputs

    @property
    def hidden(self) -> int:
        """H, of the last layer."""
        return self.layers[-1].hidden

    def __call__(self, xs: Inputs, state: Any = None, *, mask: Mask | None = None) -> tuple[Any, Outputs]:
        """The state after the last step, a tuple with one entry a layer, and the last layer's outputs.

        Raises:
            InputError: where a shape does not fit, or ``state`` has not one entry for each layer.
        """
        states = (None,) * len(self.layers) if state is None else state
        if len(states) != len(self.layers):
            raise InputError(f"state has {len(states)} entries: expected {len(self.layers)}, one for each layer")
        ends = []
        for layer, start in zip(self.layers, states, strict=True):
            end, xs = unroll(layer, xs, start, mask=mask) if isinstance(layer, Cell) else layer(xs, start, mask=mask)
            ends.append(end)
        return tuple(ends), xs


Layer = Cell | Block | FeedForward | Stack


class StackedNetwork(eqx.Module):
    """Inputs mapped to H numbers, a stack of layers, normalization, and a linear readout of each step.

    Attributes:
        embedding: H numbers from D inputs.
        stack: layers of H units.
        readout: O outputs from H units.
    """

    embedding: eqx.nn.Linear
    stack: Stack
    norm: eqx.nn.LayerNorm
    readout: eqx.nn.Linear

    def __init__(self, inputs: int, layers: Sequence[Layer], outputs: int, *, key: Key):
        """Random weights for D ``inputs`` and O ``outputs`` around ``layers``, which should be residual.

        Raises:
            InputError: for no layers, and where one does not read what the one below puts out.
        """
        key_embedding, key_readout = jax.random.split(key)
        self.stack = Stack(layers)
        self.embedding = eqx.nn.Linear(inputs, self.stack.inputs, key=key_embedding)
        self.norm = eqx.nn.LayerNorm(self.stack.hidden)
        self.readout = eqx.nn.Linear(self.stack.hidden, outputs, key=key_readout)

    def __call__(self, xs: Inputs, state: Any = None, *, mask: Mask | None = None) -> tuple[Any, Array]:
        """The stack's state after the last step and the outputs (T, O), or (B, T, O) of a batch (B, T, D)."""
        state, ys = self.stack(per_step(self.embedding, _observed(xs, mask)), state, mask=mask)
        return state, per_step(self.readout, per_step(self.norm, ys))


def _observed(xs: Array, mask: Mask | None) -> Array:
    """Zeros where masked out: what stands there, NaN too, must reach neither values nor gradients."""
    return xs if mask is None else jnp.where(mask[..., None], xs, 0)
