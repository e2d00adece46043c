"""What all conversions share: checked arrays in, blocks of gates, the biases of a pair, cells from arrays.

Foreign gate orders and names are not here: each framework's file has its own. The conversions from a framework are
differentiable, so a gradient with respect to foreign weights comes out in the foreign layout.
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


def gate_order(framework: str, orders: GateOrders, kind: type[MatrixCell]) -> tuple[str, ...]:
    """The framework's order of this cell's gates, under our names for them.

    Raises:
        InputError: where the framework has no layer that computes this cell.
    """
    if kind in orders:
        return orders[kind]
    known = ", ".join(cell.__name__ for cell in orders)
    raise InputError(f"{framework} has no layer that computes {kind.__name__}: expected one of {known}")


def matrix_shape(weights: Weights, name: str, expected: str) -> tuple[int, int]:
    """The shape of the matrix from which the sizes of all other arrays follow; ``expected`` is for the message.

    Raises:
        InputError: where it is missing or is no matrix.
    """
    shape = _shape(weights, name, expected)
    if len(shape) != 2:
        raise InputError(f"{name} has shape {shape}: expected {expected}")
    return shape[0], shape[1]


def take(weights: Weights, shapes: Mapping[str, tuple[int, ...]]) -> list[Array]:
    """The arrays that ``shapes`` names, in its order, in JAX's default floating-point type.

    Raises:
        InputError: for an array that is missing, has another shape, or is of no use here: what is left over belongs
            to a network that this cell is not.
    """
    for name, expected in shapes.items():
        shape = _shape(weights, name, expected)
        if shape != expected:
            raise InputError(f"{name} has shape {shape}: expected {expected}")
    for name in weights:
        if name not in shapes:
            raise InputError(
                f"{name}, of shape {np.shape(weights[name])}, has no place in one cell: expected only "
                f"{', '.join(shapes)}. Pass one layer and one direction, without other parts of the network."
            )
    return [jnp.asarray(weights[name], float) for name in shapes]


def _shape(weights: Weights, name: str, expected: object) -> tuple[int, ...]:
    if name not in weights:
        raise InputError(
            f"{name} is missing: expected an array of shape {expected}; got {', '.join(weights) or 'none'}"
        )
    return np.shape(weights[name])


def reorder(blocks: Array, order: tuple[str, ...], wanted: tuple[str, ...]) -> Array:
    """Rows (G*H, ...), one block a gate in ``order``, with their blocks as ``wanted``."""
    by_gate = dict(zip(order, jnp.split(blocks, len(order)), strict=True))
    return jnp.concatenate([by_gate[gate] for gate in wanted])


def merge_biases(kind: type[MatrixCell], input_bias: GateBias, recurrent_bias: GateBias) -> dict[str, Array]:
    """Our biases of a pair (G*H,), the input's and the recurrent: their sum, but for a GRU's n, inside the reset."""
    if kind is not GRU:
        return {"b": input_bias + recurrent_bias}
    hidden = len(recurrent_bias) // len(GRU.GATES)
    outside, inside = jnp.split(recurrent_bias, [2 * hidden])
    return {"b": input_bias + jnp.pad(outside, (0, hidden)), "b_h": inside}


def split_biases(cell: MatrixCell) -> tuple[GateBias, GateBias]:
    """A pair (G*H,) that ``merge_biases`` makes ours: all in the input's, only a GRU's ``b_h`` in the recurrent."""
    inside = cell.b_h if isinstance(cell, GRU) else jnp.zeros(0, cell.b.dtype)
    return cell.b, jnp.pad(inside, (len(cell.b) - len(inside), 0))


def cell_of(kind: type[SomeCell], arrays: Mapping[str, Array], settings: Mapping[str, Any]) -> SomeCell:
    """A cell with these weights; nothing random is drawn."""
    hidden, inputs = arrays["w_h"].shape[1], arrays["w_x"].shape[1]
    outline = eqx.filter_eval_shape(kind, inputs, hidden, key=jax.random.key(0), **settings)
    return eqx.tree_at(lambda cell: [getattr(cell, name) for name in arrays], outline, list(arrays.values()))
