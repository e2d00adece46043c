"""The devices of a training, of one process or of many: the way of arrays to them and from them, and agreement.

All processes run the same program on the same arrays, but for the batches of an iterator, of which each process makes
its own rows. A process must not decide alone, such as to stop: the others would wait for it.
"""

import math
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental.multihost_utils import process_allgather
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

from throughtime._arguments import whole_number
from throughtime._errors import InputError
from throughtime._mesh import AXIS, require_even
from throughtime._types import Whole
from throughtime.training.leaves import is_array
from throughtime.training.source import Block, Blocks

Tree = TypeVar("Tree")
LOST = (
    "another process of this training has ended, or cannot be reached: start all of them again, and they go on from "
    "the last checkpoint, if there is one"
)
MOST_STEPS = 2**31 - 1  # of a block: JAX has no larger whole numbers by default


class Devices(NamedTuple):
    """The devices over which a training splits its batches.

    Attributes:
        mesh: the devices, along one axis; None for the one that JAX takes by itself.
        processes: the number of processes that they belong to.
    """

    mesh: Mesh | None = None
    processes: int = 1

    @contextmanager
    def active(self) -> Iterator[None]:
        """Trace and run programs on these devices.

        Raises:
            ConnectionError: if another process of the training has ended.
        """
        if self.mesh is None:
            yield
            return
        try:
            with jax.set_mesh(self.mesh):
                yield
        except jax.errors.JaxRuntimeError as error:
            if self.processes == 1:
                raise
            raise ConnectionError(LOST) from error

    def put(self, tree: Tree) -> Tree:
        """Return a tree with its arrays whole on each device, but for those that :meth:`put_rows` has split."""
        mesh = self.mesh
        if mesh is None:
            return tree

        def copied(leaf: Any) -> Any:
            if not is_array(leaf) or (isinstance(leaf, jax.Array) and leaf.sharding.device_set == set(mesh.devices)):
                return leaf
            copies = [jax.device_put(leaf, device) for device in mesh.local_devices]
            return jax.make_array_from_single_device_arrays(leaf.shape, NamedSharding(mesh, PartitionSpec()), copies)

        return jax.tree.map(copied, tree)

    def put_rows(self, arrays: list[np.ndarray]) -> list[jax.Array]:
        """Return arrays (N, B, ...) of N batches split along B: of several processes, each has B rows of its own.

        The first array with a B decides what it is; those with another second axis are whole on each device.

        Raises:
            InputError: if the devices cannot have equally many rows.
        """
        mesh, rows = self.mesh, next((array.shape[1] for array in arrays if array.ndim > 1), 0)
        if mesh is None:
            return [jnp.asarray(array) for array in arrays]
        require_even(rows * self.processes, mesh.size)

        def split(array: np.ndarray) -> jax.Array:
            spec = PartitionSpec(None, AXIS) if array.shape[1:2] == (rows,) else PartitionSpec()
            return jax.make_array_from_process_local_data(NamedSharding(mesh, spec), array)

        return [split(array) for array in arrays]

    def put_own(self, tree: Tree) -> Tree:
        """Return a tree of this process's own arrays, each with a new first axis that the devices split: one row each.

        The processes' arrays may differ in length; shorter ones are lengthened by copies of their last row.
        """
        mesh, (leaves, structure) = self.mesh, jax.tree.flatten(tree)
        if mesh is None:
            return tree
        lengths = np.max(self.of_each([len(leaf) for leaf in leaves]), axis=0).tolist()
        spec, rows = NamedSharding(mesh, PartitionSpec(AXIS)), len(mesh.local_devices)

        def split(leaf: Any, length: int) -> jax.Array:
            longer = np.pad(leaf, [(0, length - len(leaf)), *[(0, 0)] * (np.ndim(leaf) - 1)], mode="edge")
            return jax.make_array_from_process_local_data(spec, np.broadcast_to(longer, (rows, *longer.shape)))

        return jax.tree.unflatten(structure, list(map(split, leaves, lengths)))

    def take(self, tree: Tree) -> Tree:
        """Return a tree whose arrays are whole on each device as arrays of this process's first device."""
        if self.mesh is None:
            return tree
        return jax.tree.map(lambda leaf: leaf.addressable_data(0) if isinstance(leaf, jax.Array) else leaf, tree)

    @property
    def is_first(self) -> bool:
        """True in the first process of the training, which writes its files."""
        return self.processes == 1 or jax.process_index() == 0

    def patience(self, seconds: float) -> float:
        """Return a time limit as it may be: several processes must not decide by their clocks."""
        return seconds if self.processes == 1 else math.inf

    def agreed(self, wish: bool) -> bool:
        """Return True in all processes if one of them wishes so."""
        return any(self._of_each(int(wish)))

    def blocks(self, blocks: Blocks) -> Iterator[Block]:
        """Yield the blocks, on the devices, each for as many steps as all processes have batches for."""
        while True:
            block = next(blocks, None)
            steps = min(self._of_each(0 if block is None else min(block.steps, MOST_STEPS)))
            if block is None or not steps:
                return
            yield Block(self.put(block.data), steps)

    def require_same(self, step: int) -> None:
        """Refuse to go on from different steps in different processes.

        Raises:
            InputError: with the steps.
        """
        steps = self._of_each(step)
        if len(set(steps)) > 1:
            raise InputError(
                f"the processes found checkpoints of the steps {steps}: expected a folder that all of them share",
                code="checkpoints-differ",
                found=steps,
            )

    def of_each(self, value: Any) -> list[Any]:
        """Return the value of each process, in their order: anything below 2 GiB that can be pickled."""
        if self.processes == 1:
            return [value]
        own = np.frombuffer(pickle.dumps(value), np.uint8)
        sizes = self._of_each(len(own))
        rows = _gathered(np.pad(own, (0, max(sizes) - len(own))))
        return [pickle.loads(row[:size].tobytes()) for row, size in zip(rows, sizes, strict=True)]

    def _of_each(self, number: int) -> list[int]:
        """Return the number of each process."""
        if self.processes == 1:
            return [number]
        numbers: list[int] = _gathered(np.int32(number)).tolist()
        return numbers


def _gathered(array: np.ndarray | np.generic) -> np.ndarray:
    """Return an array of each process, all of one shape, along a new first axis.

    Raises:
        ConnectionError: if another process of the training has ended.
    """
    try:
        return np.asarray(process_allgather(array))
    except (jax.errors.JaxRuntimeError, ValueError) as error:  # the latter of a result that never came
        raise ConnectionError(LOST) from error


ONE = Devices()


def own_rows(leaf: Any) -> Any:
    """Return an array that several processes split as the rows of this process's first device; else the leaf itself."""
    split = isinstance(leaf, jax.Array) and not (leaf.is_fully_addressable or leaf.is_fully_replicated)
    return leaf.addressable_data(0) if split else leaf


def first_devices(count: Whole) -> Devices:
    """Return the first devices of this process; or those of all processes, if as many are asked for.

    Raises:
        InputError: if there are not as many.
    """
    count, own, every = whole_number("devices", count), jax.local_devices(), jax.devices()
    if count == 1:
        return ONE
    if count > len(own) and count != len(every):
        expected = f"at most {len(own)}" + (f", or all {len(every)} of all processes" if len(every) > len(own) else "")
        raise InputError(
            f"devices is {count}: JAX has {len(own)} ({own[0].platform}); expected {expected}. A CPU is one device: "
            "XLA_FLAGS=--xla_force_host_platform_device_count=2, set before JAX starts, makes two of it",
            code="too-many-devices",
            found=count,
            expected=expected,
        )
    chosen = own[:count] if count <= len(own) else every
    mesh = Mesh(np.array(chosen), (AXIS,), axis_types=(AxisType.Auto,))
    return Devices(mesh, len({device.process_index for device in chosen}))
