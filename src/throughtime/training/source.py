"""The source of a run's batches: blocks of data on the device, and the compiled part that picks a batch."""

import sys
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
import numpy as np

from throughtime._errors import InputError
from throughtime._types import Array, Key
from throughtime.training.constants import Constants, join

ENDLESS = sys.maxsize  # steps
SHOWN = 4  # shapes in a message


class Block(NamedTuple):
    """The data of some steps.

    Attributes:
        data: the second argument of the loop's loss; :class:`Fed` if each step has data of its own.
        steps: the number of steps that it serves.
    """

    data: Any
    steps: int


Pick = Callable[[Any, Key], tuple[Any, Key]]
"""``pick(data, key)`` returns the batch of a step, inside of the compiled loop, and a key for the loss."""


Blocks = Generator[Block, None, None]


def endless(data: Any) -> Blocks:
    """Yield the one block of data that serve every step."""
    yield Block(data, ENDLESS)


def whole(data: Any, key: Key) -> tuple[Any, Key]:
    """Pick all data, and leave the key to the loss."""
    return data, key


def shown(shapes: Sequence[tuple[int, ...]]) -> str:
    """Return the shapes of arrays as text; of many, the first ones."""
    more = f" and {len(shapes) - SHOWN} more" if len(shapes) > SHOWN else ""
    return ", ".join(map(str, shapes[:SHOWN])) + more


class Source(NamedTuple):
    """A source of batches.

    Attributes:
        pick: the compiled part: equal ones make equal programs.
        blocks: ``blocks(key, step, most)`` yields blocks of at most ``most`` steps each, for the steps after ``step``.
        arrays: the data that do not change during the run.
    """

    pick: "Pick | Drawn"
    blocks: Callable[[Key, int, int], Blocks]
    arrays: Any = None


@dataclass(frozen=True)
class Drawn:
    """The compiled part of a function that draws batches.

    Attributes:
        constants: the function, or what it consists of apart from arrays.
    """

    constants: Constants | None

    def __call__(self, arrays: Any, key: Key) -> tuple[Any, Key]:
        """Return a batch, and another key."""
        key_draw, key_loss = jax.random.split(key)
        return join(arrays, self.constants)(key_draw), key_loss


@runtime_checkable
class ArrayLike(Protocol):
    """An array of any library: NumPy, JAX, PyTorch, pandas."""

    def __array__(self) -> Any:
        """Return an array of NumPy."""


def on_device(arrays: Any) -> Any:
    """Return a tree of arrays or numbers, of any library, on the device.

    Raises:
        InputError: if a leaf is something else.
    """

    def put(path: Any, leaf: Any) -> Array:
        return leaf if isinstance(leaf, jax.Array) else jnp.asarray(as_array(path, leaf))

    return jax.tree_util.tree_map_with_path(put, arrays)


def as_array(path: Any, leaf: Any) -> np.ndarray:
    """Return an array of numbers, of any library, as NumPy's, with the type that it has on the device.

    Raises:
        InputError: if it is something else; names its place in the tree.
    """
    if isinstance(leaf, ArrayLike | bool | int | float | complex):
        array = np.asarray(leaf)
        if jnp.issubdtype(array.dtype, jnp.number) or array.dtype == bool:
            return np.asarray(array, jax.dtypes.canonicalize_dtype(array.dtype))
    name = jax.tree_util.keystr(path) or "batches"
    raise InputError(
        f"{name} is a {type(leaf).__name__}: expected arrays of numbers, tt.Minibatches, a function draw(key), or an "
        "iterable of batches",
        code="not-batches",
        found=type(leaf).__name__,
    )
