"""Checkpoints: trees of arrays, and configuration, in a folder that is complete at every moment."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from throughtime._folder import ARRAYS_FILE, HEADER, Checkpoint, read_folder, write_folder
from throughtime.training.leaves import is_array, is_key, key_kind, leaf_name, named_leaves, put
from throughtime.training.matching import match_arrays

__all__ = ["ARRAYS_FILE", "HEADER", "Checkpoint", "load", "restore", "save", "with_saved_types"]

load = read_folder


def save(path: str | Path, kind: str, config: Mapping[str, Any], trees: Mapping[str, Any]) -> None:
    """Write ``config`` and the arrays of named ``trees`` to the folder ``path``, in one step for any reader.

    Args:
        path: a folder; it is made if it does not exist.
        kind: the kind of thing that is saved.
        config: plain JSON values.
        trees: trees by name, such as ``{"training": state}``. Arrays of any type and Python's numbers are saved; leaves
            without numbers, such as functions, are not.

    Raises:
        InputError: if ``path`` is a file, two arrays have the same name, or an array holds no numbers.
    """
    leaves: dict[str, np.ndarray] = {}
    for prefix, tree in trees.items():
        for name, leaf in named_leaves(tree, prefix).items():
            put(leaves, name, np.asarray(leaf))
    write_folder(path, kind, config, leaves)


def restore(arrays: Mapping[str, np.ndarray], build: Callable[[], Any], prefix: str) -> Any:
    """Return the tree that ``build`` makes, with the saved arrays in the place of its own.

    Args:
        arrays: as :func:`load` returns them.
        build: makes a tree of the right structure, and its leaves without numbers, such as functions; it is traced
            only, nothing is computed.
        prefix: the tree's place among the saved ones: "training", or "training.model" for the model alone.

    Raises:
        InputError: if names, shapes or types differ; names all that do.
    """
    template = eqx.filter_eval_shape(build)
    expected = named_leaves(template, prefix)
    matched = match_arrays(arrays, expected, prefix)

    def saved(path: Any, leaf: Any) -> Any:
        name = leaf_name(path, prefix)
        if name not in expected:
            return leaf  # a function, or another leaf without numbers
        if not is_array(leaf):
            return type(leaf)(matched[name].item())
        array = jnp.asarray(matched[name])
        return jax.random.wrap_key_data(array, impl=key_kind(leaf)) if is_key(leaf) else array

    return jax.tree_util.tree_map_with_path(saved, template)


def with_saved_types(tree: Any, arrays: Mapping[str, np.ndarray], prefix: str) -> Any:
    """Return a tree whose floats have the types of the saved ones, such as bfloat16, to :func:`restore` them."""

    def typed(path: Any, leaf: Any) -> Any:
        saved = arrays.get(leaf_name(path, prefix))
        floats = saved is not None and is_array(leaf) and all(_is_float(array) for array in (saved, leaf))
        return leaf.astype(jax.dtypes.canonicalize_dtype(saved.dtype)) if saved is not None and floats else leaf

    return jax.tree_util.tree_map_with_path(typed, tree)


def _is_float(array: Any) -> bool:
    return jnp.issubdtype(array.dtype, jnp.floating)
