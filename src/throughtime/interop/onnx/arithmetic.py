"""JAX's elementwise primitives, by name, as ONNX nodes, for tensors that ONNX broadcasts by itself.

Each entry is a function of the graph, the parameters of the primitive, and the operands, which are real. Those of
complex numbers work on pairs of a real and an imaginary part.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from throughtime.interop.onnx.graph import Graph, Pair, Real, element_type

Parameters = Mapping[str, Any]
Elementwise = Callable[..., Real]


def _node(name: str) -> Elementwise:
    return lambda graph, of, *operands: graph.node(name, *operands)


def _not_equal(graph: Graph, of: Parameters, x: Real, y: Real) -> Real:
    return graph.node("Not", graph.node("Equal", x, y))


def _is_finite(graph: Graph, of: Parameters, x: Real) -> Real:
    return graph.node("Less", graph.node("Abs", x), np.asarray(np.inf, of["types"][0]))  # NaN is not less


def _power(graph: Graph, of: Parameters, x: Real) -> Real:
    return graph.node("Mul", x, x) if of["y"] == 2 else graph.node("Pow", x, np.asarray(of["y"], of["types"][0]))


def _log1p(graph: Graph, of: Parameters, x: Real) -> Real:
    return graph.node("Log", graph.node("Add", x, np.ones((), of["types"][0])))


def _expm1(graph: Graph, of: Parameters, x: Real) -> Real:
    return graph.node("Sub", graph.node("Exp", x), np.ones((), of["types"][0]))


def _exp2(graph: Graph, of: Parameters, x: Real) -> Real:
    return graph.node("Pow", np.full((), 2, of["types"][0]), x)


def _remainder(graph: Graph, of: Parameters, x: Real, y: Real) -> Real:
    return graph.node("Mod", x, y, fmod=1)  # the sign of x, as in JAX


def _clamp(graph: Graph, of: Parameters, least: Real, x: Real, most: Real) -> Real:
    return graph.node("Min", graph.node("Max", x, least), most)


def _select(graph: Graph, of: Parameters, which: Real, *cases: Real) -> Real:
    otherwise, chosen = cases  # by a flag
    if np.issubdtype(of["types"][1], np.bool_):
        no = graph.node("And", graph.node("Not", which), otherwise)
        return graph.node("Or", graph.node("And", which, chosen), no)
    return graph.node("Where", which, chosen, otherwise)


def _cast(graph: Graph, of: Parameters, x: Real) -> Real:
    return x if of["types"][0] == of["new_dtype"] else graph.node("Cast", x, to=element_type(of["new_dtype"]))


def _same(graph: Graph, of: Parameters, x: Real) -> Real:
    return x


ELEMENTWISE: dict[str, Elementwise] = {
    "abs": _node("Abs"),
    "add": _node("Add"),
    "add_any": _node("Add"),
    "and": _node("And"),
    "ceil": _node("Ceil"),
    "clamp": _clamp,
    "convert_element_type": _cast,
    "copy": _same,
    "cos": _node("Cos"),
    "div": _node("Div"),
    "eq": _node("Equal"),
    "erf": _node("Erf"),
    "exp": _node("Exp"),
    "exp2": _exp2,
    "expm1": _expm1,
    "floor": _node("Floor"),
    "ge": _node("GreaterOrEqual"),
    "gt": _node("Greater"),
    "integer_pow": _power,
    "is_finite": _is_finite,
    "le": _node("LessOrEqual"),
    "log": _node("Log"),
    "log1p": _log1p,
    "logistic": _node("Sigmoid"),
    "lt": _node("Less"),
    "max": _node("Max"),
    "min": _node("Min"),
    "mul": _node("Mul"),
    "ne": _not_equal,
    "neg": _node("Neg"),
    "not": _node("Not"),
    "or": _node("Or"),
    "pow": _node("Pow"),
    "rem": _remainder,
    "rsqrt": lambda graph, of, x: graph.node("Reciprocal", graph.node("Sqrt", x)),
    "select_n": _select,
    "sign": _node("Sign"),
    "sin": _node("Sin"),
    "sqrt": _node("Sqrt"),
    "square": lambda graph, of, x: graph.node("Mul", x, x),
    "stop_gradient": _same,
    "sub": _node("Sub"),
    "tanh": _node("Tanh"),
    "xor": _node("Xor"),
}


def _product(graph: Graph, of: Parameters, x: Pair, y: Pair) -> Pair:
    def times(a: Real, b: Real) -> Real:
        return graph.node("Mul", a, b)

    re = graph.node("Sub", times(x.re, y.re), times(x.im, y.im))
    return Pair(re, graph.node("Add", times(x.re, y.im), times(x.im, y.re)))


def _exponential(graph: Graph, of: Parameters, x: Pair) -> Pair:
    size = graph.node("Exp", x.re)
    return Pair(*(graph.node("Mul", size, graph.node(part, x.im)) for part in ("Cos", "Sin")))


def _by_parts(name: str) -> Callable[..., Pair]:
    return lambda graph, of, *pairs: Pair(*(graph.node(name, *parts) for parts in zip(*pairs, strict=True)))


COMPLEX: dict[str, Callable[..., Pair | Real]] = {
    "add": _by_parts("Add"),
    "exp": _exponential,
    "imag": lambda graph, of, x: x.im,
    "mul": _product,
    "neg": _by_parts("Neg"),
    "real": lambda graph, of, x: x.re,
    "select_n": lambda graph, of, which, no, yes: Pair(
        *(graph.node("Where", which.re, chosen, otherwise) for chosen, otherwise in zip(yes, no, strict=True))
    ),
    "sub": _by_parts("Sub"),
}
