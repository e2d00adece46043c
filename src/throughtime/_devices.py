"""Arrays on several devices: side by side they must vary over the same devices and be split alike.

Two ways of JAX to use several devices show in the types of arrays. Inside ``jax.shard_map`` a function runs on each
device, and a type names the manual axes over which the values vary. On a mesh with explicit axes, a type names the mesh
axis that splits each axis of the array.
"""

from typing import Any, TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.sharding import NamedSharding, PartitionSpec

Tree = TypeVar("Tree")


def vary_alike(tree: Tree, *others: Any) -> Tree:
    """Return a tree whose arrays all vary over the manual axes of any array in ``tree`` and ``others``.

    The gradient by an array that did not vary is then the sum over the devices, as it should be.
    """
    axes = frozenset[str]().union(*(_manual_axes(leaf) for leaf in _arrays((tree, others))))
    if not axes:
        return tree

    def vary(leaf: Any) -> Any:
        missing = tuple(sorted(axes - _manual_axes(leaf))) if eqx.is_array(leaf) else ()
        return jax.lax.pcast(leaf, missing, to="varying") if missing else leaf

    return jax.tree.map(vary, tree)


def split_alike(tree: Tree) -> Tree:
    """Return a tree of batches, arrays with a leading B, all split over the mesh axes that split one of them."""
    split = [sharding for leaf in _arrays(tree) if (sharding := jax.typeof(leaf).sharding).spec[0] is not None]
    if not split:
        return tree
    mesh, rows = split[0].mesh, split[0].spec[0]

    def place(leaf: Any) -> Any:
        _, *rest = jax.typeof(leaf).sharding.spec
        return jax.sharding.reshard(leaf, NamedSharding(mesh, PartitionSpec(rows, *rest)))

    return jax.tree.map(place, tree)


def take_rows(table: jax.Array, places: jax.Array) -> jax.Array:
    """Return the rows of a table (N, H) at places (...), (..., H), split over the mesh axes that split the places.

    A place outside of 0 .. N - 1 gives NaN.
    """
    sharding = jax.typeof(places).sharding
    if all(axis is None for axis in sharding.spec):
        return table.at[places].get(mode="fill", fill_value=jnp.nan, wrap_negative_indices=False)
    whole = jax.sharding.reshard(table, NamedSharding(sharding.mesh, PartitionSpec(None, None)))
    split = NamedSharding(sharding.mesh, PartitionSpec(*sharding.spec, None))
    return whole.at[places].get(mode="fill", fill_value=jnp.nan, wrap_negative_indices=False, out_sharding=split)


def is_split(tree: Any) -> bool:
    """Tell if a mesh axis splits an array of the tree."""
    return any(axis is not None for leaf in _arrays(tree) for axis in jax.typeof(leaf).sharding.spec)


def _manual_axes(leaf: Any) -> frozenset[str]:
    return frozenset(jax.typeof(leaf).manual_axis_type.varying)


def _arrays(tree: Any) -> list[Any]:
    return [leaf for leaf in jax.tree.leaves(tree) if eqx.is_array(leaf)]
