"""A traced program of JAX as ONNX nodes, its free axes as sizes that are known when the graph runs.

The program is traced with sizes such as B and T (``jax.export.symbolic_shape``). Equations whose operands are all known
are computed here and now. Tensors that are only broadcast stay small: ONNX broadcasts in arithmetic by itself.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import onnx
from jax.extend.core import ClosedJaxpr, Jaxpr, Literal
from onnx import helper

from throughtime.interop.onnx.arithmetic import COMPLEX, ELEMENTWISE
from throughtime.interop.onnx.graph import Equation, Graph, Pair, Real, declared, element_type, unsupported
from throughtime.interop.onnx.nodes import run_node
from throughtime.interop.onnx.rearranging import REARRANGING, squeezed


class Spread(NamedTuple):
    """A tensor that is still to be broadcast to a shape; it has as many axes, of the same sizes or of size 1."""

    tensor: Real
    shape: tuple[Any, ...]


Value = Real | Pair | Spread


def trace(function: Callable[..., Any], *arguments: Any) -> ClosedJaxpr:
    """Return the program of a function of arrays or shapes, with its result as a flat list."""
    return jax.make_jaxpr(lambda *values: jax.tree.leaves(function(*values)))(*arguments)


def convert(graph: Graph, program: ClosedJaxpr, arguments: Sequence[Real]) -> list[Real]:
    """Add the nodes of a program to a graph, and return its results.

    Raises:
        InputError: for a primitive that has no equal here.
    """
    results = _run(graph, program.jaxpr, program.consts, list(arguments))
    return [_full(graph, value) for value in results]


def _run(graph: Graph, jaxpr: Jaxpr, consts: Sequence[Any], arguments: Sequence[Value]) -> list[Value]:
    known: dict[Any, Value] = dict(zip(jaxpr.constvars, map(np.asarray, consts), strict=True))
    known |= dict(zip(jaxpr.invars, arguments, strict=True))

    def read(atom: Any) -> Value:
        if not isinstance(atom, Literal):
            return known[atom]
        aval: Any = atom.aval
        return np.asarray(atom.val, aval.dtype)

    for eqn in jaxpr.eqns:
        results = _translate(graph, eqn, [read(atom) for atom in eqn.invars])
        known |= dict(zip(eqn.outvars, results, strict=True))
    return [read(atom) for atom in jaxpr.outvars]


def _translate(graph: Graph, eqn: Equation, values: list[Value]) -> list[Value]:
    """Add the nodes of one equation, and return its results."""
    name = eqn.primitive.name
    inner = eqn.params.get("jaxpr", eqn.params.get("call_jaxpr"))
    if name == "scan":
        return list(_scan(graph, eqn, [_full(graph, value) for value in values]))
    if inner is not None and name in CALLS:
        closed = inner if isinstance(inner, ClosedJaxpr) else ClosedJaxpr(inner, ())
        return _run(graph, closed.jaxpr, closed.consts, values)
    if name == "broadcast_in_dim":
        return [_by_parts(lambda value: _broadcast(graph, eqn, value), values[0])]
    if _is_known(eqn, values):
        results = eqn.primitive.bind(*map(jnp.asarray, values), **eqn.params)
        return [np.asarray(result) for result in (results if eqn.primitive.multiple_results else [results])]
    if name == "iota":
        return [_iota(graph, eqn)]
    if name == "onnx_node":
        return list(run_node(graph, eqn, [_full(graph, value) for value in values]))
    if name in COMPLEX | {"complex": None} and _has_complex(eqn):
        return [_complex(graph, eqn, values)]
    if name in ELEMENTWISE and not _works_on_bits(eqn):
        return [_elementwise(graph, eqn, values)]
    if name in REARRANGING and (name != "sort" or len(values) == 1):
        results = REARRANGING[name](graph, eqn, *(_full(graph, value) for value in values))
        return list(results) if isinstance(results, list) else [results]
    raise unsupported(name)


CALLS = ("jit", "pjit", "closed_call", "custom_jvp_call", "custom_vjp_call", "remat", "checkpoint")


def _is_known(eqn: Equation, values: Sequence[Value]) -> bool:
    static = all(isinstance(dim, int) for out in eqn.outvars for dim in out.aval.shape)
    return static and all(isinstance(value, np.ndarray) for value in values) and eqn.primitive.name != "dim_as_value"


def _works_on_bits(eqn: Equation) -> bool:
    """Tell if an operation of flags is one of whole numbers here."""
    return eqn.primitive.name in ("and", "not", "or", "select_n", "xor") and eqn.invars[0].aval.dtype != bool


def _has_complex(eqn: Equation) -> bool:
    return any(np.issubdtype(atom.aval.dtype, np.complexfloating) for atom in (*eqn.invars, *eqn.outvars))


def _by_parts(function: Callable[[Any], Any], value: Value) -> Any:
    """Apply a function to a tensor, or to both parts of a complex one."""
    if isinstance(value, np.ndarray) and np.iscomplexobj(value):
        value = Pair(value.real, value.imag)
    return Pair(*map(function, value)) if isinstance(value, Pair) else function(value)


def _full(graph: Graph, value: Value) -> Any:
    """Return a tensor of its full shape."""
    if isinstance(value, Spread):
        return graph.node("Expand", value.tensor, graph.vector(value.shape))
    return value


def _elementwise(graph: Graph, eqn: Equation, values: Sequence[Value]) -> Value:
    shape = eqn.outvars[0].aval.shape
    parameters = {**eqn.params, "types": [atom.aval.dtype for atom in eqn.invars]}
    tensors = [value.tensor if isinstance(value, Spread) else value for value in values]
    result = ELEMENTWISE[eqn.primitive.name](graph, parameters, *tensors)
    whole = [isinstance(value, str) or (isinstance(value, np.ndarray) and value.shape == shape) for value in values]
    return result if any(whole) else Spread(result, shape)


def _complex(graph: Graph, eqn: Equation, values: Sequence[Value]) -> Value:
    tensors = [_by_parts(lambda value: _full(graph, value), value) for value in values]
    if eqn.primitive.name == "complex":
        return Pair(*tensors)
    pairs = [tensor if isinstance(tensor, Pair) else Pair(tensor, np.zeros((), np.float32)) for tensor in tensors]
    return COMPLEX[eqn.primitive.name](graph, eqn.params, *pairs)


def _broadcast(graph: Graph, eqn: Equation, value: Real | Spread) -> Value:
    shape, axes = eqn.params["shape"], eqn.params["broadcast_dimensions"]
    tensor = value.tensor if isinstance(value, Spread) else value
    new = [axis for axis in range(len(shape)) if axis not in axes]
    if not new and not isinstance(value, Spread) and tuple(eqn.invars[0].aval.shape) == tuple(shape):
        return value
    if isinstance(tensor, str):
        return Spread(graph.node("Unsqueeze", tensor, np.asarray(new, np.int64)) if new else tensor, shape)
    return Spread(np.expand_dims(tensor, tuple(new)), shape)


def _iota(graph: Graph, eqn: Equation) -> Spread:
    shape, axis, dtype = eqn.params["shape"], eqn.params["dimension"], eqn.params["dtype"]
    length = squeezed(graph, graph.size(shape[axis]), [0])
    numbers = graph.node("Range", np.zeros((), np.int64), length, np.ones((), np.int64))
    others = [other for other in range(len(shape)) if other != axis]
    numbers = graph.node("Cast", numbers, to=element_type(dtype))
    return Spread(graph.node("Unsqueeze", numbers, np.asarray(others, np.int64)) if others else numbers, shape)


def _scan(graph: Graph, eqn: Equation, values: Sequence[Real]) -> list[Real]:
    """Return the last carry and the stacked outputs of a loop over time."""
    of, program = eqn.params, eqn.params["jaxpr"]
    first, last = of["num_consts"], of["num_consts"] + of["num_carry"]
    shared, carry, sequences = values[:first], values[first:last], list(values[last:])
    body = Graph(graph)
    variables = program.jaxpr.invars[first:]
    names = [body.new_name("in") for _ in variables]
    results = convert(body, program, [*shared, *names])
    outputs = [body.node("Identity", result) for result in results]
    inputs = [declared(name, atom.aval) for name, atom in zip(names, variables, strict=True)]
    named = [declared(name, atom.aval) for name, atom in zip(outputs, program.jaxpr.outvars, strict=True)]
    if not sequences:  # ONNX wants one at least
        steps = squeezed(graph, graph.size(of["length"]), [0])
        sequences = [graph.node("Range", np.zeros((), np.int64), steps, np.ones((), np.int64))]
        inputs.append(helper.make_tensor_value_info(body.new_name("in"), onnx.TensorProto.INT64, []))
    backward = int(of["reverse"])
    return list(
        graph.nodes_outputs(
            "Scan",
            [*carry, *sequences],
            len(outputs),
            body=body.body("step", inputs, named),
            num_scan_inputs=len(sequences),
            scan_input_directions=[backward] * len(sequences),
            scan_output_directions=[backward] * (len(outputs) - len(carry)),
        )
    )
