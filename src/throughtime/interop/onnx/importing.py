"""Recurrent networks from ONNX files.

The nodes of a graph are read in their order. What comes from the file's sequences is a :class:`Flow`: the layers so
far, and the meaning of each axis. Other tensors are known arrays, or unknown: sizes, masks, states that a call gives.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import onnx
from onnx import helper, numpy_helper

from throughtime._errors import InputError
from throughtime.cells import Cell
from throughtime.interop.onnx.cells import cells_of
from throughtime.interop.onnx.reading import read
from throughtime.layers import Bidirectional, Layer, LearnedInitialState, ManyToMany, ManyToOne, Reversed, Stack


class Flow(NamedTuple):
    """A tensor that comes from the sequences.

    Attributes:
        layers: that made it, from the inputs up.
        axes: the meaning of its axes: B, T, the features H, the directions P, and N for batch and time in one.
        weight: of a readout, (O, H), if one was applied.
        bias: of the readout.
        last: if it holds the output after the whole sequence instead of those of all steps.
    """

    layers: tuple[Cell | Layer, ...] = ()
    axes: tuple[str, ...] = ("B", "T", "H")
    weight: np.ndarray | None = None
    bias: np.ndarray | None = None
    last: bool = False


class Node(NamedTuple):
    """A node of a graph: its operator, its attributes, its operands; one that is neither known nor a flow is None."""

    operator: str
    attributes: Mapping[str, Any]
    operands: Sequence[Any]

    def flow(self) -> Flow:
        """Return the operand that comes from the sequences."""
        return next(operand for operand in self.operands if isinstance(operand, Flow))

    def array(self) -> np.ndarray:
        """Return the first known operand.

        Raises:
            InputError: without one.
        """
        for operand in self.operands:
            if isinstance(operand, np.ndarray):
                return operand
        raise self.refused("an operand that is not known")

    def axes(self, place: int = 1) -> list[int]:
        """Return the axes of a node, an attribute or an operand as the version of ONNX has it."""
        if "axes" in self.attributes:
            return list(self.attributes["axes"])
        return np.atleast_1d(self.operands[place]).tolist()

    def refused(self, reason: str) -> InputError:
        """Return the error for a node that belongs to no network here."""
        return InputError(
            f"the operator {self.operator} has {reason}: expected layers of RNN, GRU and LSTM, one after the other, "
            "and a linear readout of their outputs",
            code="unsupported-operator",
            found=self.operator,
            expected=["RNN", "GRU", "LSTM", *sorted(ON_FLOWS)],
        )


def read_network(path: str | Path) -> Any:
    """Return the network of a file: see :func:`throughtime.from_onnx`.

    Raises:
        InputError: for a file that cannot be used, and for one that holds anything else.
    """
    graph = read(path).graph
    defaults = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    inputs = [value.name for value in graph.input if value.name not in defaults]
    known: dict[str, Any] = dict.fromkeys(inputs[:1], Flow()) | defaults  # further inputs are states and lengths
    for proto in graph.node:
        attributes = {attribute.name: _plain(helper.get_attribute_value(attribute)) for attribute in proto.attribute}
        node = Node(proto.op_type, attributes, [known.get(name) for name in proto.input])
        known |= dict(zip(proto.output, _results(node, len(proto.output)), strict=False))  # some are left out
    first = known.get(graph.output[0].name)  # further outputs are states
    if isinstance(first, InputError):
        raise first
    if not isinstance(first, Flow) or not first.layers:
        raise InputError(
            f"the output {graph.output[0].name} of {path} comes from no recurrent layer: expected operators RNN, GRU "
            "or LSTM",
            code="no-recurrent-layer",
            file=path,
            found=graph.output[0].name,
        )
    return _network(first)


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return numpy_helper.to_array(value) if isinstance(value, onnx.TensorProto) else value


def _results(node: Node, count: int) -> list[Any]:
    """Return what the outputs of a node are; an error, if no network here has it and the output needs it."""
    errors = [operand for operand in node.operands if isinstance(operand, InputError)]
    try:
        return errors[:1] * count or _understood(node, count)
    except InputError as error:
        return [error] * count


def _understood(node: Node, count: int) -> list[Any]:
    if node.operator in ("RNN", "GRU", "LSTM"):
        return _recurrent(node)
    if node.operator == "Shape":
        return [None]
    if any(isinstance(operand, Flow) for operand in node.operands):
        if node.operator not in ON_FLOWS:
            raise node.refused("no place in a network here")
        return [ON_FLOWS[node.operator](node)] * count
    if node.operator in ON_ARRAYS and not any(operand is None for operand in node.operands[:1]):
        return [ON_ARRAYS[node.operator](node)]
    return [None] * count


def _recurrent(node: Node) -> list[Any]:
    """Return the outputs of a recurrent operator as flows through one more layer."""
    x, w, r, b, lengths, first, first_c, peepholes = [*node.operands, *[None] * 8][:8]
    if not isinstance(x, Flow) or set(x.axes) != {"B", "T", "H"}:
        raise node.refused("inputs that are not sequences")
    if not isinstance(w, np.ndarray) or not isinstance(r, np.ndarray):
        raise node.refused("weights that are not in the file")
    if isinstance(lengths, np.ndarray):
        raise node.refused("fixed sequence_lens; leave them to the caller, as an input")
    batch_first = node.attributes.get("layout", 0) == 1
    expected = ("B", "T", "H") if batch_first else ("T", "B", "H")
    axes = x.axes if x.layers else expected  # the file's own sequences are as the first operator wants them
    if axes != expected:
        raise node.refused(f"inputs of axes {axes}")
    arrays = [w, r, *([b] if isinstance(b, np.ndarray) else [])]
    cells = cells_of(node.operator, node.attributes, arrays, peepholes)
    states = [state for state in (first, first_c) if isinstance(state, np.ndarray)]
    started = [_started(node, cell, states, number, batch_first) for number, cell in enumerate(cells)]
    layer: Cell | Layer = started[0] if len(cells) == 1 else Bidirectional(*started)
    if node.attributes.get("direction") == "reverse":
        layer = Reversed(layer)
    flow = x._replace(layers=(*x.layers, layer))
    whole = flow._replace(axes=("B", "T", "P", "H") if batch_first else ("T", "P", "B", "H"))
    last = flow._replace(axes=("B", "P", "H") if batch_first else ("P", "B", "H"), last=True)
    return [whole, last, None]


def _started(node: Node, cell: Any, states: Sequence[np.ndarray], number: int, batch_first: bool) -> Any:
    """Return a cell that starts from the file's own state, if it has one that is not zero."""
    if not any(state.any() for state in states):
        return cell
    rows = [np.moveaxis(state, 1, 0)[number] if batch_first else state[number] for state in states]
    if any((row != row[:1]).any() for row in rows):
        raise node.refused("initial states that differ from sequence to sequence")
    outline = LearnedInitialState(cell)
    return eqx.tree_at(lambda learned: list(learned.state), outline, [jnp.asarray(row[0], jnp.float32) for row in rows])


def _network(flow: Flow) -> Any:
    """Return the layers of a flow, with its readout."""
    layer = flow.layers[0] if len(flow.layers) == 1 else Stack(flow.layers)
    if flow.weight is None:
        return layer
    bias = np.zeros(len(flow.weight), np.float32) if flow.bias is None else flow.bias
    kind = ManyToOne if flow.last else ManyToMany
    outline = eqx.filter_eval_shape(lambda: kind(layer, len(bias), key=jax.random.key(0)))
    arrays = [jnp.asarray(flow.weight, jnp.float32), jnp.asarray(bias, jnp.float32)]
    network = eqx.tree_at(lambda network: [network.readout.weight, network.readout.bias], outline, arrays)
    return eqx.tree_at(lambda network: network.layer, network, layer)


def _transpose(node: Node) -> Flow:
    flow = node.flow()
    order = node.attributes.get("perm", range(len(flow.axes))[::-1])
    return flow._replace(axes=tuple(flow.axes[axis] for axis in order))


def _squeeze(node: Node) -> Flow:
    flow = node.flow()
    axes = [axis % len(flow.axes) for axis in node.axes()]
    gone = [flow.axes[axis] for axis in axes]
    if gone not in (["P"], ["T"]) or (gone == ["T"] and not flow.last):
        raise node.refused(f"the axes {gone} to leave out")
    return flow._replace(axes=tuple(axis for number, axis in enumerate(flow.axes) if number not in axes))


def _reshape(node: Node) -> Flow:
    """Join the directions with the features, or batch and time in one axis, and the reverse."""
    flow = node.flow()
    axes = tuple(axis for axis in flow.axes if axis != "P")
    if flow.axes[-2:] == ("P", "H"):
        return flow._replace(axes=axes)
    if "P" in flow.axes and not isinstance(flow.layers[-1], Bidirectional):
        return flow._replace(axes=axes)
    if flow.axes in (("B", "T", "H"), ("T", "B", "H")):
        return flow._replace(axes=("".join(flow.axes[:2]), "H"))
    if flow.axes in (("BT", "H"), ("TB", "H")):
        return flow._replace(axes=(*flow.axes[0], "H"))
    raise node.refused(f"a tensor of axes {flow.axes}")


def _product(node: Node) -> Flow:
    flow, weight = node.flow(), node.array()
    if flow.weight is not None or flow.axes[-1] != "H" or weight.ndim != 2 or "P" in flow.axes:
        raise node.refused("a product that is not a readout")
    if node.operator == "MatMul":
        return flow._replace(weight=weight.T)
    rows = weight if node.attributes.get("transB", 0) else weight.T
    biases = [operand for operand in node.operands[2:3] if isinstance(operand, np.ndarray)]
    scale = node.attributes.get("alpha", 1.0)
    return flow._replace(weight=scale * rows, bias=biases[0].reshape(-1) if biases else None)


def _sum(node: Node) -> Flow:
    flow, bias = node.flow(), node.array()
    if flow.weight is None or bias.size != len(flow.weight):
        raise node.refused("a sum that is not a readout's bias")
    return flow._replace(bias=bias.reshape(-1) + (0 if flow.bias is None else flow.bias))


def _last_step(node: Node) -> Flow:
    """Take the last step, by its place -1."""
    flow, place = node.flow(), node.array()
    axis = node.attributes.get("axis", 0) % len(flow.axes)
    forward = isinstance(flow.layers[-1], Cell)
    if flow.axes[axis] == "P" and place.ndim == 0 and forward:
        return flow._replace(axes=tuple(name for name in flow.axes if name != "P"))
    if flow.axes[axis] != "T" or place.ndim or place != -1 or not forward:
        raise node.refused(f"the place {place.tolist()} of the axis {flow.axes[axis]}")
    return flow._replace(axes=tuple(name for name in flow.axes if name != "T"), last=True)


def _last_piece(node: Node) -> Flow:
    """Take the last step, as a piece of one step."""
    flow, (start, end, axes) = node.flow(), node.operands[1:4]
    known = all(isinstance(bound, np.ndarray) and bound.size == 1 for bound in (start, end, axes))
    last = known and start.item() == -1 and end.item() >= np.iinfo(np.int32).max and flow.axes[axes.item()] == "T"
    if not last or not isinstance(flow.layers[-1], Cell):
        raise node.refused("a piece that is not the last step")
    return flow._replace(last=True)


def _masked(node: Node) -> Flow:
    if any(isinstance(operand, np.ndarray) and operand.any() for operand in node.operands):
        raise node.refused("numbers in place of outputs")
    return node.flow()


ON_FLOWS: dict[str, Callable[[Node], Flow]] = {
    "Add": _sum,
    "Cast": Node.flow,
    "Dropout": Node.flow,
    "Gather": _last_step,
    "Gemm": _product,
    "Identity": Node.flow,
    "MatMul": _product,
    "Reshape": _reshape,
    "Slice": _last_piece,
    "Squeeze": _squeeze,
    "Transpose": _transpose,
    "Where": _masked,  # zeros at steps after the end: a mask does the same here
}

ON_ARRAYS: dict[str, Callable[[Node], Any]] = {
    "Concat": lambda node: (
        None
        if any(part is None for part in node.operands)
        else np.concatenate(node.operands, axis=node.attributes["axis"])
    ),
    "Expand": Node.array,  # of states, one of which stands for all sequences
    "Identity": Node.array,
    "Transpose": lambda node: np.transpose(node.array(), node.attributes.get("perm")),
    "Unsqueeze": lambda node: np.expand_dims(node.array(), tuple(node.axes())),
}
