"""Networks and their layers as ONNX files."""

from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.export import symbolic_shape
from onnx import numpy_helper

from throughtime._errors import InputError
from throughtime._types import Array
from throughtime.cells import Cell
from throughtime.forecasting import Fitted, Forecaster
from throughtime.interop.onnx.forecasters import write_forecaster
from throughtime.interop.onnx.graph import Graph, declared
from throughtime.interop.onnx.jaxpr import convert, trace
from throughtime.interop.onnx.layers import TracedPair, TracedReversed, traced
from throughtime.interop.onnx.writing import write
from throughtime.layers import Bidirectional, EncoderDecoder, Layer, Network, Reversed
from throughtime.recurrence import unroll

SEQUENCES, LENGTHS, STATE, OUTPUTS, LAST = "xs", "lengths", "state", "ys", "last_state"


def write_model(model: Any, path: str | Path, lengths: bool) -> None:
    """Write a model to a file: see :func:`throughtime.to_onnx`.

    Raises:
        InputError: for a model that is none, or that ONNX cannot hold.
    """
    if isinstance(model, Forecaster):
        write_forecaster(_fitted(model), path)
        return
    _require_exportable(model)
    with jax.enable_x64(False):
        _write_network(jax.tree.map(_single, model), path, lengths)


def _fitted(model: Forecaster) -> Fitted:
    if "fitted_" in vars(model):
        return model.fitted_
    raise InputError("this Forecaster is not fitted yet: call fit with a frame first", code="not-fitted")


def _require_exportable(model: Any) -> None:
    if isinstance(model, Cell | Layer | Network) and not isinstance(model, EncoderDecoder):
        return
    raise InputError(
        f"to_onnx got a {type(model).__name__}: expected a cell, a layer, a network of layers with a readout, or a "
        "Forecaster",
        code="unsupported-model",
        found=type(model).__name__,
        expected=["Cell", "Layer", "Network", "Forecaster"],
    )


def _single(leaf: Any) -> Any:
    """Return an array of floating-point numbers as float32."""
    return jnp.asarray(leaf, jnp.float32) if eqx.is_inexact_array(leaf) and not jnp.iscomplexobj(leaf) else leaf


def _write_network(model: Any, path: str | Path, with_lengths: bool) -> None:
    in_graph = traced(model)
    if with_lengths:
        _require_padding_last(in_graph)
    (batch, steps), tokens = symbolic_shape("B, T"), not isinstance(model, Cell) and model.reads_tokens
    width, dtype = ((), "int32") if tokens else ((model.inputs,), "float32")
    first, _ = _call(model, jnp.zeros((1, 0, *width), dtype))  # the state before the first step
    leaves, structure = jax.tree.flatten(first)

    def run(xs: Array, lengths: Array | None, *leaves: Array) -> Any:
        places = jax.lax.broadcasted_iota(jnp.int32, (batch, steps), 1)
        mask = None if lengths is None else places < lengths[:, None]
        last, ys = in_graph(xs, jax.tree.unflatten(structure, leaves), mask=mask)
        return ys, last

    xs = jax.ShapeDtypeStruct((batch, steps, *width), dtype)
    lengths = jax.ShapeDtypeStruct((batch,), "int32") if with_lengths else None
    program = trace(run, xs, lengths, *(jax.ShapeDtypeStruct((batch, *leaf.shape[1:]), leaf.dtype) for leaf in leaves))
    inputs = {SEQUENCES: xs} | ({} if lengths is None else {LENGTHS: lengths})
    names = ["".join(map(_step_name, place)) for place, _ in jax.tree_util.tree_leaves_with_path(first)]
    defaults = {STATE + name: leaf for name, leaf in zip(names, leaves, strict=True)}
    graph = Graph()
    for axis, letter in enumerate("BT"):
        graph.free_axis(letter, SEQUENCES, axis)
    states = [  # a default of one sequence serves all
        graph.node("Expand", name, graph.vector([batch, *leaf.shape[1:]])) for name, leaf in defaults.items()
    ]
    results = convert(graph, program, [*inputs, *states])
    outputs = dict(zip([OUTPUTS, *(LAST + name for name in names)], program.out_avals, strict=True))
    for name, result in zip(outputs, results, strict=True):
        graph.node("Identity", result, name=name)
    inputs |= {name: jax.ShapeDtypeStruct(("B or 1", *leaf.shape[1:]), leaf.dtype) for name, leaf in defaults.items()}
    write(
        path,
        graph,
        [declared(name, array) for name, array in inputs.items()],
        [declared(name, array) for name, array in outputs.items()],
        defaults=[numpy_helper.from_array(np.asarray(leaf), name) for name, leaf in defaults.items()],
        notes={"model": type(model).__name__},
    )


def _call(model: Any, xs: Array) -> tuple[Any, Array]:
    return unroll(model, xs) if isinstance(model, Cell) else model(xs)


def _require_padding_last(model: Any) -> None:
    """Refuse a layer that flips sequences, whose padding would then come first.

    Raises:
        InputError: for such a layer.
    """

    def flips(node: Any) -> bool:
        return isinstance(node, Bidirectional | Reversed) and not isinstance(node, TracedPair | TracedReversed)

    found = [type(node).__name__ for node in jax.tree.leaves(model, is_leaf=flips) if flips(node)]
    if found:
        raise InputError(
            f"lengths of a {found[0]} around other layers than cells: expected layers of two directions in a Stack "
            "instead of a stack that is turned around",
            code="unsupported-lengths",
            found=found[0],
        )


def _step_name(key: Any) -> str:
    """Return one step of a path in a state: ``.0``, ``.forward``, ``.h``."""
    return f".{key.idx}" if isinstance(key, jax.tree_util.SequenceKey) else f".{key.name}"
