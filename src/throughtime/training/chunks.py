"""Long sequences in chunks, for truncated backpropagation through time: the state goes on, the gradient stops."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from throughtime._arguments import whole_number
from throughtime._errors import InputError
from throughtime._mesh import split_batch
from throughtime._types import Array, Bool, Key, Scalar, Whole
from throughtime.layers import LearnedInitialState, require_forward
from throughtime.training.batch_loss import BatchLoss, of_batch, require_number
from throughtime.training.host_batches import MOST_BYTES, made_ahead, own
from throughtime.training.source import ArrayLike, Block, Source, as_array, shown
from throughtime.training.step import Fed


class Chunk(NamedTuple):
    """A piece of B sequences, or N of them one after the other.

    Attributes:
        batch: a tree of arrays (B, L, ...); (N, B, L, ...) for N chunks.
        starts: () True if the sequences start here; (N,) for N chunks.
    """

    batch: Any
    starts: Bool[Array, "*rows"]


class Chunks:
    """Long sequences, cut through time: each step of :func:`throughtime.train` gets the next ``steps`` time steps.

    This is truncated backpropagation through time (Williams & Peng 1990, "An efficient gradient-based algorithm for
    on-line training of recurrent network trajectories", Neural Computation 2). The loss takes and returns a state::

        def loss(network, batch, state):
            xs, targets = batch
            state, outputs = network(xs, state)
            return jnp.mean((outputs - targets) ** 2), state

    The state after a chunk is the first state of the next one, so nothing is forgotten at a border, but the gradient
    stops there. After the last chunk the sequences start again: the state is zero then, as it is in the first step.
    Memory grows with the chunk, not with the sequence. The last chunk of the sequences may be shorter.

    Sequences of different lengths are padded, and have a mask among the arrays.

    Attributes:
        arrays: any tree of arrays (B, T, ...): B sequences side by side. They stay on the host; a memory map of NumPy
            is read chunk by chunk.
        steps: L, the number of time steps of a chunk.
        length: T.
    """

    arrays: Any
    steps: int
    length: int

    def __init__(self, arrays: Any, steps: Whole):
        """Cut the arrays; nothing is copied.

        Raises:
            InputError: if the arrays differ in B or T, there are none, or T is 0.
        """
        self.steps = whole_number("steps", steps)
        leaves, structure = jax.tree.flatten(arrays)
        self.arrays = jax.tree.unflatten(structure, [np.asarray(x) if isinstance(x, ArrayLike) else x for x in leaves])
        shapes = [np.shape(leaf) for leaf in leaves]
        if len({shape[:2] for shape in shapes}) != 1 or len(shapes[0]) < 2 or not shapes[0][1]:
            raise InputError(
                f"the arrays have the shapes {shown(shapes)}: expected one or more arrays (B, T, ...) of B sequences "
                "and T time steps, the same for all; xs[None] is a single sequence",
                code="unequal-lengths",
                found=shapes,
                expected="(B, T, ...)",
            )
        self.length = shapes[0][1]

    def __repr__(self) -> str:
        """Return the sizes."""
        return f"Chunks(T={self.length}, steps={self.steps})"

    def __len__(self) -> int:
        """Return the number of chunks from the beginning of the sequences to their end."""
        return -(-self.length // self.steps)

    def first(self) -> Any:
        """Return the batch of the first chunk: a tree of arrays (B, L, ...)."""
        return jax.tree.map(lambda array: array[:, : self.steps], self.arrays)


def chunks(sequences: Chunks) -> Source:
    """Return the source of chunks."""
    return Source(
        own,
        lambda key, step, most: made_ahead(_blocks(sequences, step, most)),
        (sequences.arrays, sequences.steps),
    )


def _blocks(sequences: Chunks, step: int, most: int) -> Iterator[Block]:
    """Yield blocks of chunks; the shorter chunk at the end of the sequences, if there is one, has blocks of its own."""
    whole, shorter = divmod(sequences.length, sequences.steps)
    size = sum(array.nbytes for array in jax.tree.leaves(sequences.arrays)) * sequences.steps // sequences.length
    most = max(min(most, MOST_BYTES // max(size, 1), whole if shorter else most), 1)
    while True:
        place = step % len(sequences)
        room, steps = (most, sequences.steps) if place < whole else (1, shorter)
        count = min(room, whole - place) if shorter and place < whole else room
        places = np.arange(place, place + count) % len(sequences)
        rows = partial(_rows, places * sequences.steps, steps, room)
        parts = Chunk(
            jax.tree_util.tree_map_with_path(rows, sequences.arrays), jnp.asarray(np.resize(places == 0, room))
        )
        yield Block(Fed(None, parts, jnp.int32(step), jnp.int32(count)), count)
        step += count


def _rows(begins: np.ndarray, steps: int, room: int, path: Any, array: np.ndarray) -> Array:
    """Return the chunks of an array (B, T, ...) that begin at these steps, along a new first axis.

    It has room for as many as there are in any block, as each shape is compiled.
    """
    dtype = as_array(path, array[:, :0]).dtype
    rows = np.zeros((room, len(array), steps, *array.shape[2:]), dtype)
    for row, begin in zip(rows, begins.tolist(), strict=False):
        row[...] = array[:, begin : begin + steps]
    return jnp.asarray(rows)


@dataclass(frozen=True)
class CarryingLoss(BatchLoss):
    """A loss of the loop, ``loss(model, data, key, state)``, made of a loss of chunks and a state.

    Attributes:
        loss: ``loss(model, batch, state)`` or ``loss(model, batch, state, key)``.
    """

    def __call__(self, model: Any, data: Any, key: Key, state: Any = None) -> Any:
        """Return the loss of a step, and the state after it.

        Raises:
            InputError: if the loss does not return a number and a state.
        """
        (batch, starts), key = self.pick(data, key)
        state = jax.tree.map(lambda leaf: jnp.where(starts, jnp.zeros_like(leaf), leaf), state)
        return self._value_and_state(model, split_batch(batch), state, key)

    def alone(self, model: Any, batch: Any) -> Scalar:
        """Return the loss of whole sequences, without noise."""
        return self._value_and_state(model, batch, None, None)[0]

    def first_state(self, model: Any, batch: Any, key: Key) -> Any:
        """Return the state before the first step: zeros, like the state that the loss returns for a chunk.

        Raises:
            InputError: if the model cannot go on from chunk to chunk, or its state does not keep its shapes.
        """
        require_carried(model)

        def after(state: Any) -> Any:
            return eqx.filter_eval_shape(lambda: self._value_and_state(model, batch, state, key)[1])

        state = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), after(None))
        shapes, again = (_shapes(tree) for tree in (state, after(state)))
        if shapes != again or state is None:
            raise InputError(
                f"the loss returned a state of {shapes}, and from that one of {again}: expected the same structure, "
                "shapes and types, not None",
                code="state-changes",
                found=again,
                expected=shapes,
            )
        return state

    def _value_and_state(self, model: Any, batch: Any, state: Any, key: Key | None) -> tuple[Scalar, Any]:
        result = of_batch(self.loss, self.key_as, model, (batch, state), key)
        if not isinstance(result, tuple) or len(result) != 2:
            raise InputError(
                f"the loss returned a {type(result).__name__}: expected a pair of the loss and the state after the "
                "chunk, as the batches are tt.Chunks",
                code="no-state",
                found=type(result).__name__,
                expected="(loss, state)",
            )
        return require_number(result[0]), result[1]


def require_carried(model: Any) -> None:
    """Check that the state of a model can go on from chunk to chunk.

    Raises:
        InputError: if there is a layer that reads backward in it, or a learned initial state, which no chunk trains.
    """
    require_forward("train", model)
    nodes = jax.tree.leaves(model, is_leaf=lambda node: isinstance(node, LearnedInitialState))
    if any(isinstance(node, LearnedInitialState) for node in nodes):
        raise InputError(
            "train got a LearnedInitialState and tt.Chunks: expected a model that starts from zeros, as chunks do",
            code="learned-start",
            found="LearnedInitialState",
        )


def _shapes(state: Any) -> tuple[Any, list[tuple[tuple[int, ...], Any]]]:
    leaves, structure = jax.tree.flatten(state)
    return structure, [(leaf.shape, leaf.dtype) for leaf in leaves]
