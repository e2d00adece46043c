"""The devices over which a training splits its batches, as a program sees them while it is traced.

A training on several devices traces its program under a mesh (``jax.set_mesh``) with the one axis :data:`AXIS`. It pins
the first axis of each batch to that axis, and the weights to all devices; XLA's partitioner splits all between. So the
program computes what one device computes, whatever the loss is: a mean with a mask, statistics of a batch, a sum.

A native kernel is a call that the partitioner cannot split: each device would gather and compute the whole batch. So it
runs inside ``jax.shard_map``, on each device's own rows.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import equinox as eqx
import jax
from jax.sharding import AxisType, PartitionSpec

from throughtime._errors import InputError

AXIS = "batch"
Tree = TypeVar("Tree")


def device_count() -> int:
    """Return over how many devices the program that is traced splits batches: 1 but for a training on several."""
    mesh = jax.sharding.get_abstract_mesh()
    types = dict(zip(mesh.axis_names, mesh.axis_types, strict=True))
    return mesh.shape[AXIS] if types.get(AXIS) == AxisType.Auto else 1


def split_batch(batch: Tree) -> Tree:
    """Return a batch, a tree of arrays (B, ...), split over the devices; the first array decides what B is.

    Arrays with another first axis are whole on each device.

    Raises:
        InputError: if the devices cannot have equally many rows.
    """
    devices, arrays = device_count(), [leaf for leaf in jax.tree.leaves(batch) if eqx.is_array(leaf) and leaf.ndim]
    if devices == 1 or not arrays:
        return batch
    rows = len(arrays[0])
    require_even(rows, devices)

    def pin(leaf: Any) -> Any:
        split = eqx.is_array(leaf) and leaf.shape[:1] == (rows,)
        return jax.lax.with_sharding_constraint(leaf, PartitionSpec(AXIS)) if split else leaf

    return jax.tree.map(pin, batch)


def require_even(rows: int, devices: int) -> None:
    """Refuse a batch that cannot be split evenly.

    Raises:
        InputError: with both numbers.
    """
    if rows % devices:
        raise InputError(
            f"the batch has {rows} examples (the first axis of its first array), which {devices} devices cannot split "
            f"evenly: expected a multiple of {devices}, or another number of devices",
            code="uneven-batch",
            found=rows,
            expected=f"a multiple of {devices}",
        )


def on_every_device(tree: Tree) -> Tree:
    """Return a tree whose arrays are whole on each device."""
    if device_count() == 1:
        return tree
    return jax.tree.map(lambda leaf: jax.lax.with_sharding_constraint(leaf, PartitionSpec()), tree)


def by_rows(function: Callable[[Any, Any], Tree], shared: Any, rows: Any) -> Tree:
    """Return ``function(shared, rows)``, each device with its own rows.

    Args:
        function: of these; its results have a leading B too.
        shared: a tree that every device needs whole, such as a cell.
        rows: a tree of arrays with a leading B, which the devices split evenly.
    """
    if device_count() == 1:
        return function(shared, rows)
    arrays, constants = eqx.partition(shared, eqx.is_array)
    own = jax.shard_map(
        lambda arrays, rows: function(eqx.combine(arrays, constants), rows),
        in_specs=(PartitionSpec(), PartitionSpec(AXIS)),
        out_specs=PartitionSpec(AXIS),
    )
    result: Tree = own(arrays, rows)
    return result
