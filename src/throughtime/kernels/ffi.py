"""The native calls, forward and backward, and what becomes of them under ``jax.vmap``.

Every array has a leading axis of M models: several networks at once, each with a batch of its own, and with weights of
its own or the same for all, of which there is one then.
"""

from collections.abc import Callable
from functools import cache, partial
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.custom_batching import custom_vmap

from throughtime._types import Array, Bool, Float
from throughtime.cells import ACTIVATIONS, GRU, LSTM, Activation, Cell, Elman, ElmanState, GRUState, LSTMState
from throughtime.kernels.library import BACKWARD, FORWARD

# In the order of native/kernels.h.
FUNCTIONS = ("identity", "sigmoid", "tanh", "relu", "leaky_relu", "elu")
NUMBERS: dict[Activation, int] = {ACTIVATIONS[name]: number for number, name in enumerate(FUNCTIONS)}


class Spec(NamedTuple):
    """A kernel.

    Attributes:
        cell: its number in ``native/kernels.h``.
        activation: the same, of an Elman cell.
        state: the class of the cell's state.
        weights: the names of the cell's arrays.
        saved: how many blocks of H a step saves for the way back.
    """

    cell: int
    activation: int
    state: Any
    weights: tuple[str, ...]
    saved: int

    @property
    def has_memory(self) -> bool:
        """Whether the state has a c."""
        return "c" in self.state._fields


def spec_of(cell: Cell) -> Spec | None:
    """The kernel of this cell, by its type and its activation; None where there is none."""
    if type(cell) is LSTM:
        return Spec(2, 0, LSTMState, ("w_x", "w_h", "b"), 5)
    if type(cell) is GRU:
        return Spec(1, 0, GRUState, ("w_x", "w_h", "b", "b_h"), 4)
    if type(cell) is Elman and cell.activation in NUMBERS:
        return Spec(0, NUMBERS[cell.activation], ElmanState, ("w_x", "w_h", "b"), 0)
    return None


LANES = 16  # what is saved has room for whole vectors of so many floats; how it lies there is the kernel's affair


class Given(NamedTuple):
    """What runs through the cell; c and the mask are empty where there is none."""

    xs: Float[Array, "M B T D"]
    h: Float[Array, "M B H"]
    c: Float[Array, "M B Hc"]
    mask: Bool[Array, "M B Tm"]


class Results(NamedTuple):
    """The state's h after each step, the last state, and what the way back needs; empty where it is not to come."""

    hs: Float[Array, "M B T H"]
    h: Float[Array, "M B H"]
    c: Float[Array, "M B Hc"]
    saved: Float[Array, "M B T S"]


class Cotangents(NamedTuple):
    """The derivatives of a loss by the results."""

    hs: Float[Array, "M B T H"]
    h: Float[Array, "M B H"]
    c: Float[Array, "M B Hc"]


class Pulled(NamedTuple):
    """The derivatives of a loss by the cell and by what was given; xs is empty where nobody asks for it."""

    cell: Cell
    xs: Float[Array, "M B T Dx"]
    h: Float[Array, "M B H"]
    c: Float[Array, "M B Hc"]


@cache
def forward(spec: Spec, *, reverse: bool, save: bool) -> Callable[[Cell, Given], Results]:
    """The call that runs a cell; ``save`` what the way back needs, or nothing."""

    @custom_vmap
    def run(cell: Cell, given: Given) -> Results:
        width = spec.saved * -(-given.h.shape[-1] // LANES) * LANES if save else 0
        shapes = (*given.xs.shape[:3], given.h.shape[-1]), given.h.shape, given.c.shape, (*given.xs.shape[:3], width)
        return Results(*_call(FORWARD, shapes, spec, reverse)(*_weights(spec, cell), *given))

    @run.def_vmap
    def more(size: int, batched: Any, cell: Cell, given: Given) -> tuple[Results, Any]:
        of_cell, of_given = batched
        M, B = given.xs.shape[of_given.xs :][:2]
        if not save and _is_shared(cell, of_cell):
            return _spread(size, _as_rows, partial(_from_rows, size, B), partial(run, cell), (given,), (of_given,))
        models = _cell_of_models(size, cell, of_cell, M)
        return _spread(size, _as_models, partial(_from_models, size, M), partial(run, models), (given,), (of_given,))

    return run


@cache
def backward(spec: Spec, *, reverse: bool, asked: bool) -> Callable[[Cell, Given, Array, Array, Cotangents], Pulled]:
    """The call that goes the way back; whether anyone ``asked`` for the derivative by xs."""

    @custom_vmap
    def run(cell: Cell, given: Given, hs: Array, saved: Array, came: Cotangents) -> Pulled:
        weights = _weights(spec, cell)
        shapes = [(given.xs.shape[0], *leaf.shape[1:]) for leaf in weights]
        xs = given.xs.shape if asked else (*given.xs.shape[:3], 0)
        call = _call(BACKWARD, (*shapes, xs, given.h.shape, given.c.shape), spec, reverse)
        *by_weights, d_xs, d_h, d_c = call(*weights, *given, hs, saved, *came)
        found = by_weights[: len(spec.weights)]
        return Pulled(
            eqx.tree_at(lambda one: [getattr(one, name) for name in spec.weights], cell, found), d_xs, d_h, d_c
        )

    @run.def_vmap
    def more(size: int, batched: Any, cell: Cell, given: Given, *others: Any) -> tuple[Pulled, Any]:
        of_cell, of_given, *of_others = batched
        M = given.xs.shape[of_given.xs]
        models, batched = _cell_of_models(size, cell, of_cell, M), (of_given, *of_others)
        return _spread(
            size, _as_models, partial(_from_models, size, M), partial(run, models), (given, *others), batched
        )

    return run


def _weights(spec: Spec, cell: Any) -> tuple[Array, Array, Array, Array]:
    w_x, w_h, b, *inner = (getattr(cell, name) for name in spec.weights)
    return w_x, w_h, b, inner[0] if inner else jnp.zeros((w_x.shape[0], 0), jnp.float32)


def _call(target: str, shapes: Any, spec: Spec, reverse: bool) -> Callable[..., Any]:
    call = jax.ffi.ffi_call(target, [jax.ShapeDtypeStruct(shape, jnp.float32) for shape in shapes])
    numbers = {"cell": np.int32(spec.cell), "activation": np.int32(spec.activation), "reverse": np.bool_(reverse)}
    return partial(call, **numbers)


def _spread(size: int, fold: Any, unfold: Any, run: Any, operands: Any, batched: Any) -> tuple[Any, Any]:
    """``run`` with N more models, or N times the rows, and its results with a leading N."""
    folded = jax.tree.map(partial(fold, size), operands, batched)
    results = jax.tree.map(unfold, run(*folded))
    return results, jax.tree.map(lambda _: True, results)


def _is_shared(cell: Any, batched: Any) -> bool:
    """Whether all that the cell runs on has the same weights."""
    return not any(jax.tree.leaves(batched)) and jax.tree.leaves(cell)[0].shape[0] == 1


def _cell_of_models(size: int, cell: Cell, batched: Any, models: int) -> Cell:
    """The weights of N * M models, or of one where all share them."""
    if _is_shared(cell, batched):
        return cell

    def fold(leaf: Array, batched: bool) -> Array:
        whole = leaf if batched else leaf[None]
        return jnp.broadcast_to(whole, (size, models, *whole.shape[2:])).reshape(size * models, *whole.shape[2:])

    return jax.tree.map(fold, cell, batched)


def _as_models(size: int, leaf: Array, batched: bool) -> Array:
    """(N, M, ...) as (N * M, ...); what is not batched is the same for all N."""
    whole = leaf if batched else jnp.broadcast_to(leaf, (size, *leaf.shape))
    return whole.reshape(size * whole.shape[1], *whole.shape[2:])


def _from_models(size: int, models: int, leaf: Array) -> Array:
    return leaf.reshape(size, models, *leaf.shape[1:])


def _as_rows(size: int, leaf: Array, batched: bool) -> Array:
    """(N, M, B, ...) as (M, N * B, ...)."""
    whole = (
        jnp.moveaxis(leaf, 0, 1) if batched else jnp.broadcast_to(leaf[:, None], (leaf.shape[0], size, *leaf.shape[1:]))
    )
    return whole.reshape(whole.shape[0], size * whole.shape[2], *whole.shape[3:])


def _from_rows(size: int, rows: int, leaf: Array) -> Array:
    return jnp.moveaxis(leaf.reshape(leaf.shape[0], size, rows, *leaf.shape[2:]), 1, 0)
