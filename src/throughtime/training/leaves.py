"""The arrays of a tree by their names, such as ``model.cell.w_x``."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from throughtime._errors import InputError

NUMBERS = (bool, int, float, complex)


def named_leaves(tree: Any, prefix: str) -> dict[str, Any]:
    """Return each array and number by its name; for a random key, the numbers that it consists of.

    Leaves of another kind, such as functions and text, have no numbers and are left out.

    Raises:
        InputError: if two of them have the same name.
    """
    leaves: dict[str, Any] = {}
    for path, leaf in jax.tree_util.tree_leaves_with_path(tree):
        if is_array(leaf) or isinstance(leaf, NUMBERS):
            put(leaves, leaf_name(path, prefix), _plain(leaf))
    return leaves


def _plain(leaf: Any) -> Any:
    """Return a leaf as an array of plain numbers, or the shape and type of one."""
    if not is_array(leaf):
        return np.asarray(leaf)
    if not is_key(leaf):
        return leaf
    if isinstance(leaf, jax.ShapeDtypeStruct):
        return jax.eval_shape(jax.random.key_data, leaf)
    return jax.random.key_data(leaf)


def put(leaves: dict[str, Any], name: str, leaf: Any) -> None:
    """Add a leaf under a name that no other leaf has.

    Raises:
        InputError: if another one has it.
    """
    if name in leaves:
        raise InputError(
            f"two arrays have the name {name}: expected one; rename a key or a tree", code="same-name", found=name
        )
    leaves[name] = leaf


def leaf_name(path: Any, prefix: str) -> str:
    r"""Return the name of the array at a path of :mod:`jax.tree_util`: its parts, joined by points.

    A point inside a part, as keys of a dict may have, is written ``\.``, so that it joins nothing.
    """
    parts = (jax.tree_util.keystr((part,), simple=True) for part in path)
    return f"{prefix}." + ".".join(part.replace("\\", "\\\\").replace(".", "\\.") for part in parts)


def former_name(name: str) -> str:
    r"""Return the name of an array as former versions wrote it, with points inside of parts like those between."""
    return name.replace("\\.", ".").replace("\\\\", "\\")


def is_array(leaf: Any) -> bool:
    """Return True for an array of JAX or NumPy, also for its shape and type alone."""
    return isinstance(leaf, (jax.Array, np.ndarray, np.generic, jax.ShapeDtypeStruct))


def is_key(leaf: Any) -> bool:
    """Return True for a random key."""
    return is_array(leaf) and jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)


def is_inexact(leaf: Any) -> bool:
    """Return True for an array of real or complex floats, which training changes."""
    return is_array(leaf) and jnp.issubdtype(leaf.dtype, jnp.inexact)


def key_kind(leaf: Any) -> str:
    """Return the name of a random key's generator, such as threefry2x32 or rbg."""
    names: list[str] = []
    jax.eval_shape(lambda key: names.append(str(jax.random.key_impl(key))), leaf)
    return names[0]
