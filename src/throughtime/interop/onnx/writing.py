"""A finished graph as a checked ONNX file."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import onnx
from onnx import helper

import throughtime
from throughtime._errors import InputError
from throughtime._files import output_folder, staged
from throughtime.interop.onnx.graph import IR_VERSION, OPSET, Graph

MOST_BYTES = 2**31 - 1  # of a message of protobuf


def write(
    path: str | Path,
    graph: Graph,
    inputs: Sequence[onnx.ValueInfoProto],
    outputs: Sequence[onnx.ValueInfoProto],
    *,
    defaults: Sequence[onnx.TensorProto] = (),
    notes: Mapping[str, str],
) -> None:
    """Write a graph to a file, without the nodes that no output needs, after ONNX's own check.

    Args:
        path: of the file.
        graph: its nodes and constants.
        inputs: of the graph.
        outputs: of the graph.
        defaults: the values of inputs that may be left out.
        notes: metadata.

    Raises:
        InputError: for a path that cannot be written, and for more than 2 GB.
    """
    nodes = _needed(graph.nodes, [output.name for output in outputs])
    read = {name for node in nodes for name in _read(node)}
    constants = [tensor for tensor in graph.initializers if tensor.name in read]
    model = helper.make_model(
        helper.make_graph(nodes, "throughtime", inputs, outputs, [*defaults, *constants]),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="throughtime",
        producer_version=throughtime.__version__,
    )
    helper.set_model_props(model, dict(notes))
    if model.ByteSize() > MOST_BYTES:
        raise InputError(
            f"the model takes {model.ByteSize()} bytes: expected at most {MOST_BYTES}, as one ONNX file can hold",
            code="too-large",
            found=model.ByteSize(),
            expected=MOST_BYTES,
        )
    onnx.checker.check_model(model, full_check=True)
    file = Path(path)
    with staged(output_folder(file.parent)) as stage:
        (stage / file.name).write_bytes(model.SerializeToString())


def _needed(nodes: Sequence[onnx.NodeProto], names: Sequence[str]) -> list[onnx.NodeProto]:
    """Return the nodes on which tensors depend."""
    wanted, kept = set(names), []
    for node in reversed(nodes):
        if wanted & set(node.output):
            kept.append(node)
            wanted |= set(_read(node))
    return kept[::-1]


def _read(node: onnx.NodeProto) -> Iterator[str]:
    """Yield the names that a node reads, the body of a loop included."""
    yield from node.input
    for attribute in node.attribute:
        for inner in attribute.g.node:
            yield from _read(inner)
        yield from (output.name for output in attribute.g.output)
