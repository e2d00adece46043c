"""The native calls under ``jax.vmap``: one larger call instead of N calls.

``vmap`` puts an axis of N calls in front of the M models and B sequences, and a rule folds it into one of these. For
example N = 3 calls of M = 1 model with B = 2 sequences::

    vmap gives     (N, M, B, ...)     [[a b]] [[c d]] [[e f]]
    more rows      (M, N * B, ...)    [[a b c d e f]]               1 model with 6 sequences
    more models    (N * M, B, ...)    [[a b] [c d] [e f]]           3 models with 2 sequences

More rows are faster, but need the same weights for all and no residuals: a backward pass gives each of the N calls its
own weight gradients, and so a model. Weights (N, M, ...) become (N * M, ...); weights (1, ...) that all share stay.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax.custom_batching import custom_vmap

from throughtime._types import Array
from throughtime.cells import Cell
from throughtime.kernels.ffi import Call, Gradients, KernelInputs, Outputs, Residuals


@custom_vmap
def forward(call: Call, cell: Cell, inputs: KernelInputs) -> Outputs:
    """Run the cell and save nothing."""
    return call.forward(cell, inputs)


@custom_vmap
def forward_with_residuals(call: Call, cell: Cell, inputs: KernelInputs) -> tuple[Outputs, Residuals]:
    """Run the cell and save what the backward pass needs."""
    return call.forward_with_residuals(cell, inputs)


@custom_vmap
def backward(
    call: Call, cell: Cell, inputs: KernelInputs, hs: Array, residuals: Residuals, cotangents: Outputs
) -> Gradients:
    """Return the gradients for the cotangents of the outputs."""
    return call.backward(cell, inputs, hs, residuals, cotangents)


def more_rows(size: int, batched: Any, call: Call, cell: Cell, inputs: KernelInputs) -> tuple[Outputs, Any]:
    """Run ``forward`` with N times as many sequences."""
    *_, inputs_batched = batched
    rows = inputs.xs.shape[2 if inputs_batched.xs else 1]

    def fold(leaf: Array, is_batched: bool) -> Array:  # (N, M, B, ...) -> (M, N * B, ...)
        if is_batched:
            leaf = jnp.moveaxis(leaf, 0, 1)
        else:
            leaf = jnp.broadcast_to(leaf[:, None], (leaf.shape[0], size, *leaf.shape[1:]))
        return leaf.reshape(leaf.shape[0], size * rows, *leaf.shape[3:])

    def unfold(leaf: Array) -> Array:  # (M, N * B, ...) -> (N, M, B, ...)
        return jnp.moveaxis(leaf.reshape(leaf.shape[0], size, rows, *leaf.shape[2:]), 1, 0)

    outputs = forward(call, cell, jax.tree.map(fold, inputs, inputs_batched))
    return _all_batched(jax.tree.map(unfold, outputs))


def more_models(
    function: Callable[..., Any], size: int, batched: Any, call: Call, cell: Cell, inputs: KernelInputs, *operands: Any
) -> tuple[Any, Any]:
    """Run ``function`` with N times as many models."""
    _, cell_batched, inputs_batched, *_ = batched
    models = inputs.xs.shape[1 if inputs_batched.xs else 0]

    def fold(leaf: Array, is_batched: bool) -> Array:  # (N, M, ...) -> (N * M, ...)
        shape = leaf.shape[2:] if is_batched else leaf.shape[1:]
        return jnp.broadcast_to(leaf, (size, models, *shape)).reshape(size * models, *shape)

    def unfold(leaf: Array) -> Array:  # (N * M, ...) -> (N, M, ...)
        return leaf.reshape(size, models, *leaf.shape[1:])

    weights = cell if _shares_weights(cell, cell_batched) else jax.tree.map(fold, cell, cell_batched)
    folded = jax.tree.map(fold, (inputs, *operands), tuple(batched[2:]))
    return _all_batched(jax.tree.map(unfold, function(call, weights, *folded)))


@forward.def_vmap
def _forward_rule(size: int, batched: Any, call: Call, cell: Cell, inputs: KernelInputs) -> tuple[Outputs, Any]:
    """Add rows, which are faster than models, if all of them have the same weights."""
    rule = more_rows if _shares_weights(cell, batched[1]) else partial(more_models, forward)
    return rule(size, batched, call, cell, inputs)


forward_with_residuals.def_vmap(partial(more_models, forward_with_residuals))
backward.def_vmap(partial(more_models, backward))


def _shares_weights(cell: Cell, batched: Any) -> bool:
    """Tell if there is one set of weights, for all N calls and all models."""
    return not any(jax.tree.leaves(batched)) and jax.tree.leaves(cell)[0].shape[0] == 1


def _all_batched(results: Any) -> tuple[Any, Any]:
    """Return results and, for ``vmap``, that each of them has the axis of N."""
    return results, jax.tree.map(lambda _: True, results)
