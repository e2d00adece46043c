"""JAX's primitives that rearrange, reduce or multiply whole tensors, by name, as ONNX nodes.

Each entry is a function of the graph, the equation, and its operands, which are real tensors of their full shapes.
"""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np

from throughtime.interop.onnx.graph import Equation, Graph, Real, element_type, unsupported

LEAST, END = np.iinfo(np.int64).min, int(np.iinfo(np.int64).max)
SCATTER = jax.lax.GatherScatterMode


def _shape(eqn: Equation, operand: int = 0) -> tuple[Any, ...]:
    return eqn.invars[operand].aval.shape


def _reshape(graph: Graph, eqn: Equation, x: Real) -> Real:
    same = tuple(eqn.params["new_sizes"]) == tuple(_shape(eqn))
    return x if same else reshaped(graph, x, eqn.params["new_sizes"])


def reshaped(graph: Graph, x: Real, dims: Sequence[Any]) -> Real:
    """Reshape a tensor; of one free axis the runtime finds the size."""
    free = [number for number, dim in enumerate(dims) if not isinstance(dim, int)]
    if len(free) == 1 and 0 not in dims:
        dims = [-1 if number == free[0] else dim for number, dim in enumerate(dims)]
    return graph.node("Reshape", x, graph.vector(dims))


def transposed(graph: Graph, x: Real, order: Sequence[int]) -> Real:
    """Transpose a tensor; what was transposed before is not transposed twice."""
    if not isinstance(x, str):
        return np.transpose(x, order)
    source, before = graph.root.transposes.get(x, (x, tuple(range(len(order)))))
    order = tuple(before[axis] for axis in order)
    if order == tuple(range(len(order))):
        return source
    name = graph.node("Transpose", source, perm=order)
    graph.root.transposes[name] = source, order
    return name


def squeezed(graph: Graph, x: Real, axes: Sequence[int]) -> Real:
    """Leave out axes of size 1."""
    return graph.node("Squeeze", x, np.asarray(axes, np.int64)) if axes else x


def _concatenate(graph: Graph, eqn: Equation, *parts: Real) -> Real:
    some = [part for number, part in enumerate(parts) if 0 not in _shape(eqn, number)]
    return some[0] if len(some) == 1 else graph.node("Concat", *some, axis=eqn.params["dimension"])


def _slice(graph: Graph, eqn: Equation, x: Real) -> Real:
    starts, ends = eqn.params["start_indices"], eqn.params["limit_indices"]
    strides = eqn.params["strides"] or (1,) * len(starts)
    whole = [(0, size, 1) for size in _shape(eqn)]
    cuts = zip(starts, ends, strides, strict=True)
    axes = [axis for axis, (cut, all_) in enumerate(zip(cuts, whole, strict=True)) if cut != all_]
    if not axes:
        return x
    bounds = [graph.vector([_bound(sizes[axis], whole[axis][1]) for axis in axes]) for sizes in (starts, ends)]
    steps = np.asarray([strides[axis] for axis in axes], np.int64)
    return graph.node("Slice", x, *bounds, np.asarray(axes, np.int64), steps)


def _bound(place: Any, size: Any) -> Any:
    """Return a place in an axis for a slice: counted from the end if the axis is free and that is a known number."""
    from_end = place - size
    if isinstance(place, int) or not isinstance(from_end, int):
        return place
    return from_end or END


def _reverse(graph: Graph, eqn: Equation, x: Real) -> Real:
    axes = np.asarray(eqn.params["dimensions"], np.int64)
    return graph.node("Slice", x, np.full_like(axes, -1), np.full_like(axes, LEAST), axes, np.full_like(axes, -1))


def _pad(graph: Graph, eqn: Equation, x: Real, filler: Real) -> Real:
    low, high, between = zip(*eqn.params["padding_config"], strict=True)
    if any(between):
        raise unsupported("pad", "no translation if it pads between elements")
    return graph.node("Pad", x, graph.vector([*low, *high]), filler)


def _split(graph: Graph, eqn: Equation, x: Real) -> list[Real]:
    sizes, axis = eqn.params["sizes"], eqn.params["axis"]
    return list(graph.nodes_outputs("Split", [x, graph.vector(sizes)], len(sizes), axis=axis))


def _reduce_with(name: str, axes_as_input: bool = False) -> Callable[..., Real]:
    def reduce(graph: Graph, eqn: Equation, x: Real) -> Real:
        axes = list(eqn.params["axes"])
        if axes_as_input:
            return graph.node(name, x, np.asarray(axes, np.int64), keepdims=0)
        return graph.node(name, x, axes=axes, keepdims=0)

    return reduce


def _reduce_flags(name: str) -> Callable[..., Real]:
    def reduce(graph: Graph, eqn: Equation, x: Real) -> Real:
        numbers = graph.node("Cast", x, to=element_type(np.int32))
        reduced = graph.node(name, numbers, axes=list(eqn.params["axes"]), keepdims=0)
        return graph.node("Cast", reduced, to=element_type(bool))

    return reduce


def _place_of(name: str) -> Callable[..., Real]:
    def place(graph: Graph, eqn: Equation, x: Real) -> Real:
        (axis,) = eqn.params["axes"]
        if eqn.invars[0].aval.dtype == bool:
            x = graph.node("Cast", x, to=element_type(np.int32))
        return graph.node(
            "Cast", graph.node(name, x, axis=axis, keepdims=0), to=element_type(eqn.params["index_dtype"])
        )

    return place


def _cumulative_sum(graph: Graph, eqn: Equation, x: Real) -> Real:
    return graph.node("CumSum", x, np.asarray(eqn.params["axis"], np.int64), reverse=int(eqn.params["reverse"]))


def _sort(graph: Graph, eqn: Equation, x: Real) -> Real:
    axis = eqn.params["dimension"]
    size = graph.vector([_shape(eqn)[axis]])
    return graph.nodes_outputs("TopK", [x, size], 2, axis=axis, largest=0, sorted=1)[0]


def _dot_general(graph: Graph, eqn: Equation, left: Real, right: Real) -> Real:
    (of_left, of_right), (batch_left, batch_right) = eqn.params["dimension_numbers"]
    ranks = len(_shape(eqn, 0)), len(_shape(eqn, 1))
    if len(of_left) == 1 and not batch_left and ranks[1] <= 2:
        rest = [axis for axis in range(ranks[0]) if axis != of_left[0]]
        inner = [of_right[0], *(axis for axis in range(ranks[1]) if axis != of_right[0])]
        if ranks == (2, 2) and not isinstance(left, str):  # weights last, as others write it
            rows = graph.node(
                "MatMul", transposed(graph, right, inner[::-1]), transposed(graph, left, [*of_left, *rest])
            )
            return transposed(graph, rows, (1, 0))
        return graph.node("MatMul", transposed(graph, left, [*rest, of_left[0]]), transposed(graph, right, inner))
    letters = iter("abcdefghijklmnopqrstuvwxyz")
    names = [[next(letters) for _ in range(rank)] for rank in ranks]
    for one, other in zip((*batch_left, *of_left), (*batch_right, *of_right), strict=True):
        names[1][other] = names[0][one]
    shared = {names[0][axis] for axis in (*batch_left, *of_left)}
    result = [names[0][axis] for axis in batch_left] + [name for name in names[0] + names[1] if name not in shared]
    equation = f"{''.join(names[0])},{''.join(names[1])}->{''.join(result)}"
    return graph.node("Einsum", left, right, equation=equation)


def _cut(graph: Graph, x: Real, starts: Real, cuts: Sequence[tuple[int, Any, Any]], clamp: bool) -> Real:
    """Cut a piece out of a tensor: from starts (K,) of K axes, given as the axis, its size and that of the piece."""
    axes, sizes, pieces = zip(*cuts, strict=True)
    starts = (
        graph.node("Cast", starts, to=element_type(np.int64))
        if isinstance(starts, str)
        else np.asarray(starts, np.int64)
    )
    if clamp:
        room = graph.vector([size - piece for size, piece in zip(sizes, pieces, strict=True)])
        starts = graph.node("Min", graph.node("Max", starts, np.zeros(1, np.int64)), room)
    ends = graph.node("Add", starts, graph.vector(pieces))
    return graph.node("Slice", x, starts, ends, np.asarray(axes, np.int64))


def _dynamic_slice(graph: Graph, eqn: Equation, x: Real, *starts: Real) -> Real:
    whole = list(zip(_shape(eqn), eqn.params["slice_sizes"], strict=True))
    cuts = [(axis, size, piece) for axis, (size, piece) in enumerate(whole) if size != piece]
    if not cuts:
        return x
    places = [reshaped(graph, starts[axis], [1]) for axis, _, _ in cuts]
    return _cut(graph, x, places[0] if len(places) == 1 else graph.node("Concat", *places, axis=0), cuts, clamp=True)


def _gather(graph: Graph, eqn: Equation, x: Real, places: Real) -> Real:
    """Take rows of a tensor at places (..., K), or one piece of it from K starts.

    Places outside of the tensor are the runtime's to refuse, where JAX would fill in NaN.
    """
    numbers, pieces, shape = eqn.params["dimension_numbers"], eqn.params["slice_sizes"], _shape(eqn)
    rank, axes = len(_shape(eqn, 1)) - 1, list(numbers.start_index_map)
    clamp = eqn.params["mode"] == SCATTER.CLIP
    if rank == 0:
        cuts = [(axis, shape[axis], pieces[axis]) for axis in axes]
        return squeezed(graph, _cut(graph, x, places, cuts, clamp), numbers.collapsed_slice_dims)
    paired, of_places = list(numbers.operand_batching_dims), list(numbers.start_indices_batching_dims)
    chosen = [number for number, axis in enumerate(axes) if pieces[axis] != shape[axis] or axis not in _offsets(eqn)]
    if len(chosen) < len(axes):  # the others begin at 0: their pieces are whole
        places, axes = graph.node("Gather", places, np.asarray(chosen, np.int64), axis=rank), [axes[k] for k in chosen]
    rest = [axis for axis in range(len(shape)) if axis not in paired + axes]
    if any(pieces[axis] != (shape[axis] if axis in rest else 1) for axis in range(len(shape))):
        raise unsupported("gather", "no translation for pieces of several rows")
    places = graph.node("Cast", places, to=element_type(np.int64))
    if clamp:
        last = graph.vector([shape[axis] - 1 for axis in axes])
        places = graph.node("Min", graph.node("Max", places, np.zeros(1, np.int64)), last)
    order = of_places + [axis for axis in range(rank) if axis not in of_places]
    places = transposed(graph, places, [*order, rank])
    rows = graph.node("GatherND", transposed(graph, x, paired + axes + rest), places, batch_dims=len(paired))
    return _arranged(graph, eqn, rows, order, rest)


def _offsets(eqn: Equation) -> list[int]:
    """Return the axes of the operand that a gather's results have too."""
    numbers = eqn.params["dimension_numbers"]
    gone = {*numbers.collapsed_slice_dims, *numbers.operand_batching_dims}
    return [axis for axis in range(len(_shape(eqn))) if axis not in gone]


def _arranged(graph: Graph, eqn: Equation, rows: Real, order: list[int], rest: list[int]) -> Real:
    """Return the rows that a gather took with their axes in its order, where axes of size 1 stand too.

    Args:
        graph: that grows.
        eqn: the gather.
        rows: the places' axes in this ``order``, then the axes ``rest`` of the operand.
        order: of the places' axes.
        rest: axes of the operand.
    """
    offsets = dict(zip(eqn.params["dimension_numbers"].offset_dims, _offsets(eqn), strict=True))
    places, back, single = iter(range(len(order))), [], []
    for axis in range(len(order) + len(offsets)):
        if axis not in offsets:
            back.append(order.index(next(places)))
        elif offsets[axis] in rest:
            back.append(len(order) + rest.index(offsets[axis]))
        else:
            single.append(axis)
    rows = transposed(graph, rows, back)
    return graph.node("Unsqueeze", rows, np.asarray(single, np.int64)) if single else rows


def _stack(graph: Graph, eqn: Equation, *parts: Real) -> Real:
    axis = eqn.params["axis"]
    rows = [graph.node("Unsqueeze", part, np.asarray([axis], np.int64)) for part in parts]
    return rows[0] if len(rows) == 1 else graph.node("Concat", *rows, axis=axis)


def _dimension(graph: Graph, eqn: Equation) -> Real:
    size = graph.node("Cast", graph.size(eqn.params["dim"]), to=element_type(eqn.outvars[0].aval.dtype))
    return squeezed(graph, size, [0])


REARRANGING: dict[str, Callable[..., Real | list[Real]]] = {
    "argmax": _place_of("ArgMax"),
    "argmin": _place_of("ArgMin"),
    "concatenate": _concatenate,
    "cumsum": _cumulative_sum,
    "dim_as_value": _dimension,
    "dot_general": _dot_general,
    "dynamic_slice": _dynamic_slice,
    "gather": _gather,
    "pad": _pad,
    "reduce_and": _reduce_flags("ReduceMin"),
    "reduce_max": _reduce_with("ReduceMax"),
    "reduce_min": _reduce_with("ReduceMin"),
    "reduce_or": _reduce_flags("ReduceMax"),
    "reduce_prod": _reduce_with("ReduceProd"),
    "reduce_sum": _reduce_with("ReduceSum", axes_as_input=True),
    "reshape": _reshape,
    "rev": _reverse,
    "slice": _slice,
    "sort": _sort,
    "split": _split,
    "stack": _stack,
    "squeeze": lambda graph, eqn, x: squeezed(graph, x, eqn.params["dimensions"]),
    "transpose": lambda graph, eqn, x: transposed(graph, x, eqn.params["permutation"]),
}
