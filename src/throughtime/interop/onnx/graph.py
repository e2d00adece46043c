"""A growing graph of ONNX nodes: names, constants, sizes of free axes."""

import ast
import itertools
import operator
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import onnx
from onnx import helper, numpy_helper

from throughtime._errors import InputError

OPSET = 17
"""The version of ONNX's operators: the first with all that is used here, so that older runtimes read the files too."""
IR_VERSION = 8  # of the same release


class Pair(NamedTuple):
    """A complex tensor as its parts: ONNX has no complex arithmetic."""

    re: "str | np.ndarray"
    im: "str | np.ndarray"


Equation = Any
"""An equation of a traced program, ``jax.extend.core.JaxprEqn``: JAX gives its shapes no types."""
Real = str | np.ndarray
Value = Real | Pair
"""A tensor: its name in the graph, its values if they are known, or the two parts of a complex one."""


def element_type(dtype: Any) -> int:
    """Return ONNX's number of an element type."""
    return helper.np_dtype_to_tensor_dtype(np.dtype(dtype))


def unsupported(primitive: str, reason: str = "no translation to ONNX here") -> InputError:
    """Return the error for a primitive of JAX that a graph cannot hold."""
    return InputError(
        f"JAX's primitive {primitive} has {reason}, and the model uses it: see throughtime.interop.onnx for those that "
        "have one",
        code="unsupported-primitive",
        found=primitive,
    )


def declared(name: str, array: Any) -> onnx.ValueInfoProto:
    """Return the declaration of an input or an output with the type and the shape of an array; free axes by name."""
    sizes = [dim if isinstance(dim, int) else str(dim) for dim in array.shape]
    return helper.make_tensor_value_info(name, element_type(array.dtype), sizes)


class Graph:
    """A graph of nodes, or the body of a loop inside one, which sees the names around it.

    Attributes:
        nodes: in the order in which they run.
        root: the outermost graph. It holds the constants and the sizes of axes, which all bodies see.
        transposes: in the root, the tensor and the order of axes that a transposed one was made of.
        sizes: in the root, the name of a tensor (1,) with the size of each free axis, by the axis' letter.
    """

    def __init__(self, parent: "Graph | None" = None):
        """Begin an empty graph, or a body inside of ``parent``."""
        self.nodes: list[onnx.NodeProto] = []
        self.root: Graph = self if parent is None else parent.root
        self.sizes: dict[str, str] = {}
        self.transposes: dict[str, tuple[str, tuple[int, ...]]] = {}
        self._initializers: dict[tuple[Any, ...], onnx.TensorProto] = {}
        self._numbers = itertools.count()

    @property
    def initializers(self) -> list[onnx.TensorProto]:
        """Return the constants."""
        return list(self._initializers.values())

    def new_name(self, stem: str) -> str:
        """Return a name that no other tensor has."""
        return f"{stem}_{next(self.root._numbers)}"

    def constant(self, array: Any) -> str:
        """Return the name of a constant; equal ones share it."""
        values = np.asarray(array)
        key = values.dtype.str, values.shape, values.tobytes()
        known = self.root._initializers
        if key not in known:
            known[key] = numpy_helper.from_array(np.ascontiguousarray(values).reshape(values.shape), self.new_name("c"))
        return known[key].name

    def name(self, value: Real) -> str:
        """Return the name of a tensor, with its values as a constant if they are known."""
        return value if isinstance(value, str) else self.constant(value)

    def node(self, operator_type: str, *inputs: Real | None, name: str | None = None, **attributes: Any) -> str:
        """Add a node, and return the name of its one output; an input that is None is left out."""
        (output,) = self.nodes_outputs(operator_type, inputs, 1, name, **attributes)
        return output

    def nodes_outputs(
        self, operator_type: str, inputs: Sequence[Real | None], count: int, name: str | None = None, **attributes: Any
    ) -> list[str]:
        """Add a node, and return the names of its outputs."""
        names = ["" if value is None else self.name(value) for value in inputs]
        outputs = [name] if name is not None else [self.new_name(operator_type.lower()) for _ in range(count)]
        self.nodes.append(helper.make_node(operator_type, names, outputs, **attributes))
        return outputs

    def body(self, label: str, inputs: list[onnx.ValueInfoProto], outputs: list[onnx.ValueInfoProto]) -> Any:
        """Return this graph as the body of a loop."""
        return helper.make_graph(self.nodes, label, inputs, outputs)

    def vector(self, dims: Sequence[Any]) -> Real:
        """Return sizes as a tensor of whole numbers, (len(dims),): known, or computed from the sizes of free axes."""
        if all(isinstance(dim, int) for dim in dims):
            return np.asarray(dims, np.int64)
        parts = [self.size(dim) for dim in dims]
        return parts[0] if len(parts) == 1 else self.node("Concat", *parts, axis=0)

    def size(self, dim: Any) -> Real:
        """Return one size, (1,): of a free axis, or an expression of several such as ``B*T`` or ``T - 1``."""
        if isinstance(dim, int):
            return np.asarray([dim], np.int64)
        text = str(dim)
        if text not in self.root.sizes:  # computed in the root, where all bodies see it
            self.root.sizes[text] = self.root.name(_arithmetic(self.root, ast.parse(text.replace("^", "**")).body[0]))
        return self.root.sizes[text]

    def free_axis(self, letter: str, tensor: str, axis: int) -> None:
        """Take the size of a free axis from an axis of an input."""
        self.sizes[letter] = self.node("Shape", tensor, start=axis, end=axis + 1)


_FOLDED: dict[type[ast.operator] | str, tuple[str, Callable[[Any, Any], Any]]] = {
    ast.Add: ("Add", operator.add),
    ast.Sub: ("Sub", operator.sub),
    ast.Mult: ("Mul", operator.mul),
    ast.Pow: ("Pow", operator.pow),
    "floordiv": ("Div", operator.floordiv),  # of sizes, which are not negative
    "mod": ("Mod", operator.mod),
    "max": ("Max", np.maximum),
    "min": ("Min", np.minimum),
}


def _arithmetic(graph: Graph, node: ast.AST) -> Real:
    """Compute an expression of sizes, written as JAX writes it, in the graph."""
    match node:
        case ast.Expr():
            return _arithmetic(graph, node.value)
        case ast.Name():
            return graph.sizes[node.id]
        case ast.Constant():
            return np.asarray([node.value], np.int64)
        case ast.UnaryOp(op=ast.USub()):
            return _joined(graph, ast.Sub, np.zeros(1, np.int64), _arithmetic(graph, node.operand))
        case ast.BinOp():
            return _joined(graph, type(node.op), _arithmetic(graph, node.left), _arithmetic(graph, node.right))
        case ast.Call(func=ast.Name(id=name)):
            return _joined(graph, name, *(_arithmetic(graph, argument) for argument in node.args))
    raise AssertionError(f"no size: {ast.dump(node)}")


def _joined(graph: Graph, kind: Any, left: Real, right: Real) -> Real:
    name, function = _FOLDED[kind]
    if not isinstance(left, str) and not isinstance(right, str):
        return np.asarray(function(left, right))
    return graph.node(name, left, right)
