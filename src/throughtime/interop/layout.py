"""The parts that all conversions share: checked arrays, blocks of gates, pairs of biases, cells from arrays.

Each framework's file has a table of its gate orders and the names of its arrays. Conversions to a cell are
differentiable, so a gradient with respect to a framework's weights has the framework's layout.
"""

from collections.abc import Mapping
from typing import Any, TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from throughtime._errors import InputError
from throughtime._types import Array, GateBias
from throughtime.cells import ACTIVATIONS, GRU, Cell, Elman, GatedCell

SomeCell = TypeVar("SomeCell", bound=GatedCell)
Weights = Mapping[str, ArrayLike]
GateOrders = Mapping[type[Cell], tuple[str, ...]]
"""The order of a framework's blocks of gates for each of our cells, under our names of the gates."""


def gate_order(framework: str, orders: GateOrders, kind: type[Cell]) -> tuple[str, ...]:
    """Return the framework's order of a cell's gates, under our names of the gates.

    Raises:
        InputError: if the framework has no layer that computes this cell.
    """
    if kind in orders:
        return orders[kind]
    known = [cell.__name__ for cell in orders]
    raise InputError(
        f"{framework} has no layer that computes {kind.__name__}: expected one of {', '.join(known)}",
        code="unsupported-cell",
        found=kind.__name__,
        expected=known,
    )


def matrix_shape(weights: Weights, name: str, expected: str) -> tuple[int, int]:
    """Return the shape of a matrix, which determines the sizes of other arrays; ``expected`` is for the message.

    Raises:
        InputError: if it is missing or is not a matrix.
    """
    shape = _shape(weights, name, expected)
    if len(shape) != 2:
        raise _wrong_shape(name, shape, expected)
    return shape[0], shape[1]


def take(weights: Weights, shapes: Mapping[str, tuple[int, ...]]) -> list[Array]:
    """Return the arrays that ``shapes`` names, in its order, in JAX's default floating-point type.

    Raises:
        InputError: for an array that is missing, has another shape, is not of real numbers, or is not in ``shapes``.
    """
    for name, expected in shapes.items():
        shape = _shape(weights, name, expected)
        if shape != expected:
            raise _wrong_shape(name, shape, expected)
    for name in weights:
        if name not in shapes:
            raise InputError(
                f"{name}, of shape {np.shape(weights[name])}, has no place here: expected only "
                f"{', '.join(shapes) or 'cells and one readout'}",
                code="unexpected-array",
                found=name,
                expected=list(shapes),
            )
    return [_real(name, weights[name]) for name in shapes]


def _real(name: str, array: ArrayLike) -> Array:
    dtype = array.dtype if isinstance(array, jax.Array) else np.asarray(array).dtype
    if not jax.dtypes.issubdtype(dtype, np.floating) and not jax.dtypes.issubdtype(dtype, np.integer):
        raise InputError(
            f"{name} holds {dtype}: expected real numbers",
            code="not-numbers",
            found=str(dtype),
            expected="real numbers",
        )
    return jnp.asarray(array, float)


def _shape(weights: Weights, name: str, expected: object) -> tuple[int, ...]:
    if name not in weights:
        raise InputError(
            f"{name} is missing: expected an array of shape {expected}; got {', '.join(weights) or 'none'}",
            code="missing-array",
            found=list(weights),
            expected=name,
        )
    return np.shape(weights[name])


def _wrong_shape(name: str, shape: tuple[int, ...], expected: object) -> InputError:
    return InputError(
        f"{name} has shape {shape}: expected {expected}", code="wrong-shape", found=shape, expected=expected
    )


def reorder(blocks: Array, order: tuple[str, ...], wanted: tuple[str, ...]) -> Array:
    """Permute rows (G*H, ...) of one block of H per gate from ``order`` to ``wanted``."""
    by_gate = dict(zip(order, jnp.split(blocks, len(order)), strict=True))
    return jnp.concatenate([by_gate[gate] for gate in wanted])


def merge_biases(kind: type[Cell], input_bias: GateBias, recurrent_bias: GateBias) -> dict[str, Array]:
    """Return our biases from a pair (G*H,): their sum, but for a GRU's n the recurrent one apart, as ``b_h`` (H,)."""
    if kind is not GRU:
        return {"b": input_bias + recurrent_bias}
    hidden = len(recurrent_bias) // len(GRU.GATES)
    of_r_and_z, b_h = jnp.split(recurrent_bias, [2 * hidden])
    return {"b": input_bias + jnp.pad(of_r_and_z, (0, hidden)), "b_h": b_h}


def split_biases(cell: GatedCell) -> tuple[GateBias, GateBias]:
    """Return a pair (G*H,) that :func:`merge_biases` turns into ours; the recurrent one holds a GRU's ``b_h`` alone."""
    b_h = cell.b_h if isinstance(cell, GRU) else jnp.zeros(0, cell.b.dtype)
    return cell.b, jnp.pad(b_h, (len(cell.b) - len(b_h), 0))


def build_cell(kind: type[SomeCell], arrays: Mapping[str, Array], settings: Mapping[str, Any]) -> SomeCell:
    """Return a cell with these weights, without drawing random ones first."""
    hidden, inputs = arrays["w_h"].shape[1], arrays["w_x"].shape[1]
    outline = eqx.filter_eval_shape(kind, inputs, hidden, key=jax.random.key(0), **settings)
    return eqx.tree_at(lambda cell: [getattr(cell, name) for name in arrays], outline, list(arrays.values()))


def activation_name(framework: str, cell: Elman, known: Mapping[str, str]) -> str:
    """Return a framework's name of an Elman cell's activation; ``known`` has its names by ours.

    Raises:
        InputError: if the framework has no such activation.
    """
    for ours, name in known.items():
        if cell.activation is ACTIVATIONS[ours]:
            return name
    shown = getattr(cell.activation, "__name__", str(cell.activation))
    raise InputError(
        f"{framework} does not have the activation {shown}: expected one of {', '.join(known)}",
        code="unsupported-activation",
        found=shown,
        expected=list(known),
    )


def activation_setting(setting: str, choice: str | None, known: Mapping[str, str]) -> str:
    """Return our name of a framework's activation; ``known`` has ours by the framework's.

    Raises:
        InputError: for None, as the weights do not say it and a wrong guess would go unnoticed; for an unknown name.
    """
    if choice is not None and choice in known:
        return known[choice]
    if choice is None:
        raise InputError(
            f"the weights are of a simple recurrent layer, and do not say its activation: pass {setting}=, one of "
            f"{', '.join(known)}",
            code="missing-activation",
            expected=list(known),
        )
    raise InputError(
        f"{setting} {choice!r} has no equal here: expected one of {', '.join(known)}",
        code="unsupported-activation",
        found=choice,
        expected=list(known),
    )


def cell_kind(name: str, shape: tuple[int, int], kinds: Mapping[int, type[SomeCell]]) -> type[SomeCell]:
    """Return the cell whose recurrent weights have this shape (G*H, H); ``kinds`` are cells by their G.

    Raises:
        InputError: if there is none.
    """
    rows, hidden = shape
    for gates, kind in kinds.items():
        if rows == gates * hidden:
            return kind
    counts = " or ".join(str(gates) for gates in kinds)
    raise _wrong_shape(name, shape, f"(G*H, H) with G = {counts}")
