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
from throughtime.cells import GRU, MatrixCell

SomeCell = TypeVar("SomeCell", bound=MatrixCell)
Weights = Mapping[str, ArrayLike]
GateOrders = Mapping[type[MatrixCell], tuple[str, ...]]
"""The order of a framework's blocks of gates for each of our cells, under our names of the gates."""


def gate_order(framework: str, orders: GateOrders, kind: type[MatrixCell]) -> tuple[str, ...]:
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
        InputError: for an array that is missing, has another shape, or is not in ``shapes``: it belongs to a larger
            network than one cell.
    """
    for name, expected in shapes.items():
        shape = _shape(weights, name, expected)
        if shape != expected:
            raise _wrong_shape(name, shape, expected)
    for name in weights:
        if name not in shapes:
            raise InputError(
                f"{name}, of shape {np.shape(weights[name])}, has no place in one cell: expected only "
                f"{', '.join(shapes)}. Pass one layer and one direction, without other parts of the network.",
                code="unexpected-array",
                found=name,
                expected=list(shapes),
            )
    return [jnp.asarray(weights[name], float) for name in shapes]


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


def merge_biases(kind: type[MatrixCell], input_bias: GateBias, recurrent_bias: GateBias) -> dict[str, Array]:
    """Return our biases from a pair (G*H,): their sum, but for a GRU's n the recurrent one apart, as ``b_h`` (H,)."""
    if kind is not GRU:
        return {"b": input_bias + recurrent_bias}
    hidden = len(recurrent_bias) // len(GRU.GATES)
    of_r_and_z, b_h = jnp.split(recurrent_bias, [2 * hidden])
    return {"b": input_bias + jnp.pad(of_r_and_z, (0, hidden)), "b_h": b_h}


def split_biases(cell: MatrixCell) -> tuple[GateBias, GateBias]:
    """Return a pair (G*H,) that :func:`merge_biases` turns into ours; the recurrent one holds a GRU's ``b_h`` alone."""
    b_h = cell.b_h if isinstance(cell, GRU) else jnp.zeros(0, cell.b.dtype)
    return cell.b, jnp.pad(b_h, (len(cell.b) - len(b_h), 0))


def build_cell(kind: type[SomeCell], arrays: Mapping[str, Array], settings: Mapping[str, Any]) -> SomeCell:
    """Return a cell with these weights, without drawing random ones first."""
    hidden, inputs = arrays["w_h"].shape[1], arrays["w_x"].shape[1]
    outline = eqx.filter_eval_shape(kind, inputs, hidden, key=jax.random.key(0), **settings)
    return eqx.tree_at(lambda cell: [getattr(cell, name) for name in arrays], outline, list(arrays.values()))
