"""ONNX's operators RNN, GRU and LSTM: their gates, their arrays, and a primitive of JAX that stands for one of them.

==========  =====================  ==============================================================================
operator    gates                  cell
==========  =====================  ==============================================================================
``RNN``     the one                ``Elman`` with one of the activations below
``GRU``     ``z r h``              ``GRU`` with ``linear_before_reset=1``, ``ResetFirstGRU`` without: h is our n
``LSTM``    ``i o f c``            ``LSTM``: c is our g
==========  =====================  ==============================================================================

``W`` (directions, G*H, D) and ``R`` (directions, G*H, H) are our w_x and w_h, ``B`` (directions, 2*G*H) has the biases
of the input's product, then those of the recurrent one.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import ShapedArray
from jax.extend.core import Primitive

from throughtime._types import Array
from throughtime.cells import ACTIVATIONS, GRU, LSTM, Activation, Cell, Elman, GatedCell, ResetFirstGRU
from throughtime.interop import layout
from throughtime.interop.onnx.graph import Equation, Graph, Real

GATE_ORDERS: layout.GateOrders = {
    Elman: ("a",),
    GRU: ("z", "r", "n"),
    ResetFirstGRU: ("z", "r", "n"),
    LSTM: ("i", "o", "f", "g"),
}
OPERATORS: dict[type[Cell], str] = {Elman: "RNN", GRU: "GRU", ResetFirstGRU: "GRU", LSTM: "LSTM"}


class NodeActivation(NamedTuple):
    """An activation of ONNX: its name, and its parameters as far as it has some."""

    name: str
    alpha: float | None = None
    beta: float | None = None


NODE_ACTIVATIONS: dict[Activation, NodeActivation] = {
    ACTIVATIONS["sigmoid"]: NodeActivation("Sigmoid"),
    ACTIVATIONS["tanh"]: NodeActivation("Tanh"),
    ACTIVATIONS["relu"]: NodeActivation("Relu"),
    ACTIVATIONS["leaky_relu"]: NodeActivation("LeakyRelu", 0.01),
    ACTIVATIONS["elu"]: NodeActivation("Elu", 1.0),
    ACTIVATIONS["identity"]: NodeActivation("Affine", 1.0, 0.0),
}


class NodeArrays(NamedTuple):
    """The arrays of an operator: W (directions, G*H, D), R (directions, G*H, H) and B (directions, 2*G*H)."""

    w: np.ndarray
    r: np.ndarray
    b: np.ndarray


def has_operator(cell: Cell) -> bool:
    """Tell if an operator of ONNX computes this cell."""
    return type(cell) in OPERATORS and (not isinstance(cell, Elman) or cell.activation in NODE_ACTIVATIONS)


def node_arrays(cells: Sequence[GatedCell]) -> NodeArrays:
    """Return the arrays of the operator that runs one cell forward, or one forward and one backward."""

    def of_one(cell: GatedCell) -> list[np.ndarray]:
        order = GATE_ORDERS[type(cell)]
        arrays = [layout.reorder(array, cell.GATES, order) for array in _our_arrays(cell)]
        w, r, b_w, b_r = (np.asarray(array, np.float32) for array in arrays)
        return [w, r, np.concatenate([b_w, b_r])]

    return NodeArrays(*map(np.stack, zip(*map(of_one, cells), strict=True)))


def _our_arrays(cell: Any) -> tuple[Array, ...]:
    return cell.w_x, cell.w_h, *layout.split_biases(cell)


def node_attributes(cells: Sequence[GatedCell]) -> dict[str, Any]:
    """Return the operator's attributes beside its direction."""
    attributes: dict[str, Any] = {"hidden_size": cells[0].hidden}
    if isinstance(cells[0], GRU):
        attributes["linear_before_reset"] = 1  # after the product that is linear in h
    if isinstance(cells[0], Elman):
        chosen = [NODE_ACTIVATIONS[cell.activation] for cell in cells if isinstance(cell, Elman)]
        attributes["activations"] = tuple(activation.name for activation in chosen)
        for name in ("alpha", "beta"):
            numbers = tuple(number for activation in chosen if (number := getattr(activation, name)) is not None)
            attributes |= {f"activation_{name}": numbers} if numbers else {}
    return attributes


node_p = Primitive("onnx_node")
"""One operator. Inputs: xs (T, B, D), W, R, B, the initial states (directions, B, H), and lengths (B,) if any.

Outputs: ys (T, directions, B, H), and the last states (directions, B, H).
"""
node_p.multiple_results = True


def _shapes(xs: Any, w: Any, r: Any, b: Any, *states: Any, states_count: int, **_: Any) -> list[ShapedArray]:
    (steps, batch, _), (directions, _, hidden) = xs.shape, r.shape
    last = [ShapedArray((directions, batch, hidden), xs.dtype)] * states_count
    return [ShapedArray((steps, directions, batch, hidden), xs.dtype), *last]


node_p.def_abstract_eval(_shapes)


def bind_node(
    cells: Sequence[GatedCell], direction: str, xs: Array, states: Sequence[Array], lengths: Array | None
) -> list[Array]:
    """Return the results of the operator of one cell or two, in a program that is traced for a graph."""
    with jax.ensure_compile_time_eval():  # weights are known, though a program is traced
        arrays = [jnp.asarray(array) for array in node_arrays(cells)]
    some = () if lengths is None else (lengths,)
    return node_p.bind(
        xs,
        *arrays,
        *states,
        *some,
        operator=OPERATORS[type(cells[0])],
        attributes=tuple({"direction": direction, **node_attributes(cells)}.items()),  # hashable, as JAX wants it
        states_count=len(states),
    )


def run_node(graph: Graph, eqn: Equation, values: Sequence[Real]) -> list[str]:
    """Add the operator to a graph, and return the names of its results."""
    count = eqn.params["states_count"]
    (xs, w, r, b), states, lengths = values[:4], values[4 : 4 + count], values[4 + count :]
    inputs = [xs, w, r, b, lengths[0] if lengths else None, *states]
    return graph.nodes_outputs(eqn.params["operator"], inputs, 1 + count, **dict(eqn.params["attributes"]))
