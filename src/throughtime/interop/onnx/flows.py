"""What comes from the sequences of an ONNX file, and the operators between its layers: they move axes, or read out."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from onnx import helper

from throughtime._errors import InputError
from throughtime.cells import Cell
from throughtime.interop.onnx.writing import MOST_BYTES
from throughtime.layers import Bidirectional, Layer

UNKNOWN: Any = object()
"""A tensor that is neither known nor from the sequences: sizes, masks, states that a call gives."""


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

    @property
    def of_cell(self) -> bool:
        """Tell if the last layer is a cell, which reads forward."""
        return bool(self.layers) and isinstance(self.layers[-1], Cell)


class Node(NamedTuple):
    """A node of a graph: its operator, its attributes, and its operands; one that is left out is None."""

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

    def optional(self, place: int) -> np.ndarray | None:
        """Return a known operand; None if it is left out.

        Raises:
            InputError: if it is there and not known.
        """
        operand = self.operands[place] if place < len(self.operands) else None
        if operand is None or isinstance(operand, np.ndarray):
            return operand
        raise self.refused("an operand that is not known")

    def axes(self) -> list[int]:
        """Return the axes of a node, an attribute or an operand as the version of ONNX has it.

        Raises:
            InputError: without axes, as it then depends on the sizes of a call which of them are meant.
        """
        axes = self.attributes.get("axes", self.optional(1))
        if axes is None:
            raise self.refused("no axes")
        return np.atleast_1d(axes).tolist()

    def refused(self, reason: str) -> InputError:
        """Return the error for a node that belongs to no network here."""
        return InputError(
            f"the operator {self.operator} has {reason}: expected layers of RNN, GRU and LSTM, one after the other, "
            "and a linear readout of their outputs",
            code="unsupported-operator",
            found=self.operator,
            expected=["RNN", "GRU", "LSTM", *sorted(ON_FLOWS)],
        )


def _transpose(node: Node) -> Flow:
    flow = node.flow()
    order = node.attributes.get("perm", range(len(flow.axes))[::-1])
    if len(order) != len(flow.axes):
        raise node.refused(f"the order {list(order)} of axes {flow.axes}")
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
    flow, weight, of = node.flow(), node.array(), node.attributes
    rows = weight if of.get("transB", 0) else weight.T
    readable = flow.weight is None and flow.axes[-1] == "H" and "P" not in flow.axes and flow is node.operands[0]
    if not readable or not flow.layers or of.get("transA", 0) or rows.shape[1:] != (flow.layers[-1].hidden,):
        raise node.refused("a product that is not a readout")
    bias = node.optional(2)  # of a Gemm
    return flow._replace(
        weight=of.get("alpha", 1.0) * rows, bias=None if bias is None else of.get("beta", 1.0) * bias.reshape(-1)
    )


def _sum(node: Node) -> Flow:
    flow, bias = node.flow(), node.array()
    if flow.weight is None or bias.size != len(flow.weight):
        raise node.refused("a sum that is not a readout's bias")
    return flow._replace(bias=bias.reshape(-1) + (0 if flow.bias is None else flow.bias))


def _last_step(node: Node) -> Flow:
    """Take the last step, by its place -1."""
    flow, place = node.flow(), node.array()
    axis = node.attributes.get("axis", 0) % len(flow.axes)
    if flow.axes[axis] == "P" and place.ndim == 0 and flow.of_cell:
        return flow._replace(axes=tuple(name for name in flow.axes if name != "P"))
    if flow.axes[axis] != "T" or place.ndim or place != -1 or not flow.of_cell:
        raise node.refused(f"the place {place.tolist()} of the axis {flow.axes[axis]}")
    return flow._replace(axes=tuple(name for name in flow.axes if name != "T"), last=True)


def _last_piece(node: Node) -> Flow:
    """Take the last step, as a piece of one step."""
    flow, (start, end, axes) = node.flow(), node.operands[1:4]
    known = all(isinstance(bound, np.ndarray) and bound.size == 1 for bound in (start, end, axes))
    last = known and start.item() == -1 and end.item() >= np.iinfo(np.int32).max and flow.axes[axes.item()] == "T"
    if not last or not flow.of_cell:
        raise node.refused("a piece that is not the last step")
    return flow._replace(last=True)


def _masked(node: Node) -> Flow:
    which, *cases = node.operands
    zeros = [case for case in cases if isinstance(case, np.ndarray) and not case.any()]
    if which is not UNKNOWN or len(zeros) != 1:
        raise node.refused("a choice other than that of a mask between outputs and zeros")
    return node.flow()


def _constant(node: Node) -> Any:
    """Return the value of a constant: a tensor or numbers. A text or a sparse tensor has no use here."""
    (value,) = node.attributes.values()
    array = np.asarray(value)
    return array if array.dtype.kind in "biuf" else UNKNOWN


def _joined(node: Node) -> Any:
    parts = [part for part in node.operands if isinstance(part, np.ndarray)]
    whole = len(parts) == len(node.operands) and sum(part.nbytes for part in parts) <= MOST_BYTES
    return np.concatenate(parts, axis=node.attributes["axis"]) if whole else UNKNOWN


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
    "Cast": lambda node: node.array().astype(helper.tensor_dtype_to_np_dtype(node.attributes["to"])),
    "Concat": _joined,
    "Constant": _constant,
    "Expand": Node.array,  # of states, one of which stands for all sequences
    "Identity": Node.array,
    "Transpose": lambda node: np.transpose(node.array(), node.attributes.get("perm")),
    "Unsqueeze": lambda node: np.expand_dims(node.array(), tuple(node.axes())),
}
