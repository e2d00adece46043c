"""Recurrent networks from ONNX files.

The nodes of a graph are read in their order. What comes from the file's sequences is a :class:`Flow`: the layers so
far, and the meaning of each axis. Other tensors are known arrays, or UNKNOWN.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import onnx
from onnx import helper, numpy_helper

from throughtime._errors import InputError
from throughtime.cells import Cell
from throughtime.interop.onnx.cells import cells_of
from throughtime.interop.onnx.flows import ON_ARRAYS, ON_FLOWS, UNKNOWN, Flow, Node
from throughtime.interop.onnx.reading import read
from throughtime.layers import Bidirectional, Layer, LearnedInitialState, ManyToMany, ManyToOne, Reversed, Stack


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
        node = Node(proto.op_type, attributes, [known.get(name, UNKNOWN) if name else None for name in proto.input])
        results = zip(proto.output, _results(node, len(proto.output)), strict=False)  # some are left out
        known |= {name: result for name, result in results if name}
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
        return [UNKNOWN]
    if any(isinstance(operand, Flow) for operand in node.operands):
        if node.operator not in ON_FLOWS:
            raise node.refused("no place in a network here")
        return [ON_FLOWS[node.operator](node)] * count
    if node.operator in ON_ARRAYS and all(operand is not UNKNOWN for operand in node.operands[:1]):
        return [ON_ARRAYS[node.operator](node)]
    return [UNKNOWN] * count


def _recurrent(node: Node) -> list[Any]:
    """Return the outputs of a recurrent operator as flows through one more layer."""
    x, w, r, _, lengths, *states = [*node.operands, *[None] * 7][:7]
    if not isinstance(x, Flow) or set(x.axes) != {"B", "T", "H"} or x.weight is not None:
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
    biases = node.optional(3)
    arrays = [w, r, *([] if biases is None else [biases])]
    cells = cells_of(node.operator, node.attributes, arrays, node.optional(7))
    started = [_started(node, cell, states, number, batch_first) for number, cell in enumerate(cells)]
    layer: Cell | Layer = started[0] if len(cells) == 1 else Bidirectional(*started)
    if node.attributes.get("direction") == "reverse":
        layer = Reversed(layer)
    flow = x._replace(layers=(*x.layers, layer))
    whole = flow._replace(axes=("B", "T", "P", "H") if batch_first else ("T", "P", "B", "H"))
    last = flow._replace(axes=("B", "P", "H") if batch_first else ("P", "B", "H"), last=True)
    return [whole, last, UNKNOWN]


def _started(node: Node, cell: Any, states: Sequence[Any], number: int, batch_first: bool) -> Any:
    """Return a cell that starts from the file's own state, if it has one that is not zero; left out, one is zero."""
    if not any(isinstance(state, np.ndarray) and state.any() for state in states):
        return cell
    if any(state is UNKNOWN for state in states):
        raise node.refused("one initial state in the file, and one that a call gives")
    outline = LearnedInitialState(cell)
    zeros = np.zeros((1, cell.hidden))
    rows = [
        zeros if state is None else state[:, number] if batch_first else state[number]
        for state in states[: len(outline.state)]
    ]
    if any(row.shape[1:] != (cell.hidden,) or (row != row[:1]).any() for row in rows):
        raise node.refused("initial states of another size, or that differ from sequence to sequence")
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
