"""The number of parameters of a model."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from throughtime.layers.batch_normalization import Moments


def count_parameters(model: Any) -> int:
    """Return the number of trained numbers of a cell, a layer, a network, or anything that holds some.

    Those are the entries of all floating-point arrays, complex ones counted once, apart from the running statistics of
    :class:`BatchNorm`. It also counts shapes, such as ``equinox.filter_eval_shape`` returns them.
    """
    leaves = jax.tree.leaves(model, is_leaf=lambda node: isinstance(node, Moments))
    return sum(leaf.size for leaf in leaves if _is_parameter(leaf))


def _is_parameter(leaf: Any) -> bool:
    return isinstance(leaf, jax.Array | np.ndarray | jax.ShapeDtypeStruct) and jnp.issubdtype(leaf.dtype, jnp.inexact)
