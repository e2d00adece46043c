"""The layers of a model as they are traced for a graph: cells as operators of ONNX if there is one, else as loops."""

from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp

from throughtime._types import Array, KeyLike, Outputs
from throughtime.cells import Cell, GatedCell, State
from throughtime.interop.onnx.nodes import bind_node, has_operator
from throughtime.layers import Bidirectional, BidirectionalState, Layer, Reversed, VariationalDropout
from throughtime.recurrence import unroll


class TracedCell(Layer):
    """A cell as one operator of ONNX, or as a loop over its step.

    Attributes:
        cell: any cell.
        backward: if it reads from the last step to the first.
    """

    cell: Cell
    backward: bool = eqx.field(static=True, default=False)

    @property
    def inputs(self) -> int:
        """Return D."""
        return self.cell.inputs

    @property
    def hidden(self) -> int:
        """Return H."""
        return self.cell.hidden

    def __call__(
        self, xs: Any, state: Any = None, *, mask: Any = None, key: KeyLike | None = None
    ) -> tuple[State, Outputs]:
        """Return the last state and the outputs (B, T, H) of a batch (B, T, D), whose mask ends with its padding."""
        cell = _plain(self.cell)
        if not isinstance(cell, GatedCell) or not has_operator(cell):
            return unroll(cell, xs, state, mask=mask, reverse=self.backward, method="scan")
        direction = "reverse" if self.backward else "forward"
        (last,), ys = _run_operator([cell], direction, xs, [self._first(state, xs)], mask)
        return last, ys

    def _first(self, state: State | None, xs: Array) -> State:
        return batched(self.cell.initial_state(), xs.shape[0]) if state is None else state


class TracedReversed(Reversed):
    """A cell that reads backward, as an operator or a loop that does so."""

    def __call__(
        self, xs: Any, state: Any = None, *, mask: Any = None, key: KeyLike | None = None
    ) -> tuple[State, Outputs]:
        """Return the last state and the outputs (B, T, H) of a batch (B, T, D), whose mask ends with its padding."""
        assert isinstance(self.layer, TracedCell)
        return self.layer(xs, state, mask=mask)


class TracedPair(Bidirectional):
    """A cell that reads forward beside one that reads backward: one operator where ONNX has it, or two of them."""

    def __call__(
        self, xs: Any, state: Any = None, *, mask: Any = None, key: KeyLike | None = None
    ) -> tuple[BidirectionalState, Outputs]:
        """Return the last states and the outputs (B, T, 2H) of a batch (B, T, D), whose mask ends with its padding."""
        assert isinstance(self.forward, TracedCell)
        assert isinstance(self.backward, TracedCell)
        first = BidirectionalState(None, None) if state is None else state
        cells = [_plain(layer.cell) for layer in (self.forward, self.backward)]
        if not _one_operator(cells):
            forward, ahead = self.forward(xs, first.forward, mask=mask)
            backward, back = self.backward(xs, first.backward, mask=mask)
            return BidirectionalState(forward, backward), jnp.concatenate([ahead, back], axis=-1)
        states = [self.forward._first(first.forward, xs), self.backward._first(first.backward, xs)]
        last, ys = _run_operator(cells, "bidirectional", xs, states, mask)
        return BidirectionalState(*last), ys


def batched(state: State, batch: Any) -> State:
    """Return a state for B sequences, the same for each."""
    return jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, (batch, *leaf.shape)), state)


def traced(model: Any) -> Any:
    """Return a model with its cells as they are traced."""

    def replace(node: Any) -> Any:
        if isinstance(node, Cell):
            return TracedCell(node)
        if _is_reversed(node):
            return TracedReversed(TracedCell(node.layer, backward=True))
        if _is_pair(node):
            pair = TracedCell(node.forward), TracedCell(node.backward, backward=True)
            return TracedPair(*pair)
        return node

    return jax.tree.map(
        replace, model, is_leaf=lambda node: isinstance(node, Cell) or _is_pair(node) or _is_reversed(node)
    )


def _is_pair(node: Any) -> bool:
    return isinstance(node, Bidirectional) and isinstance(node.forward, Cell) and isinstance(node.backward, Cell)


def _is_reversed(node: Any) -> bool:
    return isinstance(node, Reversed) and isinstance(node.layer, Cell)


def _plain(cell: Cell) -> Cell:
    """Return the cell that computes the steps of a wrapper which only acts in training or before the first step."""
    cell = cell.stepper
    return _plain(cell.cell) if isinstance(cell, VariationalDropout) else cell


def _one_operator(cells: Sequence[Cell]) -> bool:
    one, other = cells
    return has_operator(one) and type(one) is type(other) and one.hidden == other.hidden


def _run_operator(
    cells: Sequence[Any], direction: str, xs: Array, states: Sequence[State], mask: Array | None
) -> tuple[list[State], Array]:
    """Return the last state of each cell, and the outputs (B, T, H) side by side."""
    lengths = None if mask is None else jnp.sum(mask, axis=1, dtype=jnp.int32)
    firsts = [jnp.stack(leaves) for leaves in zip(*states, strict=True)]
    ys, *lasts = bind_node(cells, direction, jnp.swapaxes(xs, 0, 1), firsts, lengths)
    last = [
        type(state)(*(jax.lax.index_in_dim(leaf, number, keepdims=False) for leaf in lasts))
        for number, state in enumerate(states)
    ]
    if len(cells) == 1:
        return last, jnp.swapaxes(jnp.squeeze(ys, 1), 0, 1)
    joined = jnp.transpose(ys, (2, 0, 1, 3))
    return last, joined.reshape(*joined.shape[:2], 2 * joined.shape[3])
