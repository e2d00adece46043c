"""The arrays of a tree by their names, such as ``model.cell.w_x``."""

from typing import Any

import jax
import jax.numpy as jnp


def named_leaves(tree: Any, prefix: str) -> dict[str, Any]:
    """Return each array by its name; for a random key, the numbers that it consists of."""
    leaves = jax.tree_util.tree_leaves_with_path(tree)
    return {leaf_name(path, prefix): jax.random.key_data(leaf) if is_key(leaf) else leaf for path, leaf in leaves}


def leaf_name(path: Any, prefix: str) -> str:
    """Return the name of the array at a path of :mod:`jax.tree_util`."""
    return f"{prefix}.{jax.tree_util.keystr(path, simple=True, separator='.')}"


def is_key(leaf: Any) -> bool:
    """Return True for a random key."""
    return jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)
