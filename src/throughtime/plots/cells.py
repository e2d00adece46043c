"""What a notebook and a terminal show of a cell: its sizes, its gates, its weights as images.

A cell may hold anything in place of its weights: nothing, shapes alone, what a trace passes through, or many cells' at
once along a leading axis. Then there are no pictures, and no numbers that cannot be known.
"""

import math
from collections.abc import Iterator
from dataclasses import fields
from typing import Any, NamedTuple

import jax
import numpy as np

from throughtime.cells import Cell
from throughtime.plots.charts import Line, chart, wide
from throughtime.plots.images import matrix_images
from throughtime.plots.notebook import Block, Picture, Table
from throughtime.plots.theme import DASHES, LINES

LARGEST = 2**22  # numbers in an array; of a larger one, nothing is computed
DECOMPOSED = 256  # rows of a matrix whose singular values are shown: more take tenths of a second
IMAGES = 8  # of one array


class _Weights(NamedTuple):
    """One array of a cell.

    Attributes:
        name: the field's, and what leads to it from there.
        shape: its axes; the leading ones of many cells at once too.
        values: its numbers, where it holds some.
        trained: whether it is a parameter; what a NamedTuple holds, such as running statistics, is none.
    """

    name: str
    shape: tuple[int, ...]
    values: np.ndarray | None
    trained: bool

    @property
    def size(self) -> int:
        return math.prod(self.shape)


def cell_block(cell: Cell) -> Block:
    """The display of a cell, wrapped or not."""
    modules = list(_inwards(cell))
    weights = [each for module in modules for each in _weights(module)]
    gates = tuple(modules[-1].GATES)
    shape = next((each.shape for each in _weights(modules[-1]) if each.name == "w_x"), ())
    rows = shape[-2] if len(shape) > 1 else 0
    facts = [("gates", " ".join(gates))] if gates else []
    facts += [fact for module in modules for fact in _settings(module)]
    if len(shape) > 2:
        facts.append(("cells", f"{math.prod(shape[:-2]):,} side by side"))
    split = [each for each in weights if rows and each.trained and len(each.shape) < 3 and each.shape[0] == rows]
    split = split if len(shape) == 2 else []
    others = [each for each in weights if not any(each is one for one in split)]
    tables = [_gate_table(gates, split)] if split else []
    tables += [_array_table(others)] if others else []
    count = sum(each.size for each in weights if each.trained)
    return Block(
        title=_title(modules, shape, gates),
        sentences=[f"{count:,} parameters." if count else "Its parameters are not here."],
        facts=facts,
        pictures=[] if len(shape) > 2 else [*_images(gates, split, others), *_singular_values(gates, split)],
        tables=tables,
    )


def _inwards(cell: Cell) -> Iterator[Cell]:
    """The cell, the cell inside it, and so on."""
    inside: Any = cell
    while isinstance(inside, Cell):
        yield inside
        held = (getattr(inside, field.name, None) for field in fields(inside))
        inside = next((value for value in held if isinstance(value, Cell)), None)


def _weights(module: Cell) -> Iterator[_Weights]:
    """The arrays of a module's own fields."""
    for field in fields(module):
        value = getattr(module, field.name, None)
        if field.metadata.get("static") or isinstance(value, Cell):
            continue
        for path, leaf in jax.tree_util.tree_flatten_with_path(value)[0]:
            if not hasattr(leaf, "shape") or not np.issubdtype(getattr(leaf, "dtype", object), np.inexact):
                continue
            name = field.name + jax.tree_util.keystr(path)
            yield _Weights(name, tuple(leaf.shape), _numbers(leaf), not _is_record(value))


def _is_record(value: Any) -> bool:
    return isinstance(value, tuple) and hasattr(value, "_fields")


def _numbers(leaf: Any) -> np.ndarray | None:
    """The numbers of an array, where it has some at hand that are real and not too many."""
    if isinstance(leaf, jax.core.Tracer) or not isinstance(leaf, jax.Array | np.ndarray) or leaf.size > LARGEST:
        return None
    if isinstance(leaf, jax.Array) and (leaf.is_deleted() or not leaf.is_fully_addressable):
        return None
    values = np.asarray(leaf)
    return None if np.iscomplexobj(values) or not values.size else values.astype(np.float64)


def _title(modules: list[Cell], shape: tuple[int, ...], gates: tuple[str, ...]) -> str:
    kind = " of ".join(type(module).__name__ for module in modules)
    if len(shape) < 2:
        return kind
    inputs, hidden = shape[-1], shape[-2] // max(len(gates), 1)
    return f"{kind}, {_counted(inputs, 'input')}, {_counted(hidden, 'unit')}"


def _settings(module: Cell) -> Iterator[tuple[str, str]]:
    """What a module holds that is no array: a step size, an activation."""
    for field in fields(module):
        value = getattr(module, field.name, None)
        if isinstance(value, bool | int | float | str):
            yield field.name.replace("_", " "), f"{value:g}" if isinstance(value, float) else str(value)
        elif callable(value) and not isinstance(value, Cell) and hasattr(value, "__name__"):
            yield field.name.replace("_", " "), value.__name__


def _gate_table(gates: tuple[str, ...], split: list[_Weights]) -> Table:
    """A row a gate: its parameters, the typical size of its weights, the range of its biases and gains."""
    known = [each for each in split if each.values is not None]
    header = ["gate", "parameters"]
    header += [f"{each.name}, typical size" if len(each.shape) == 2 else each.name for each in known]
    rows = []
    for place, gate in enumerate(gates):
        parts = [_block(each, place, len(gates)) for each in known]
        size = sum(each.size for each in split) // len(gates)
        rows.append([gate, f"{size:,}", *(_rms(part) if part.ndim == 2 else _range(part) for part in parts)])
    return Table(header, rows)


def _array_table(arrays: list[_Weights]) -> Table:
    rows = []
    for each in arrays:
        words = " x ".join(f"{length:,}" for length in each.shape) or "one number"
        rows.append([each.name, words, "" if each.values is None else _range(each.values)])
    return Table(["array", "shape", "numbers"], rows)


def _images(gates: tuple[str, ...], split: list[_Weights], others: list[_Weights]) -> Iterator[Picture]:
    for each in split:
        if each.values is not None and len(each.shape) == 2:
            parts = [(gate, _block(each, place, len(gates))) for place, gate in enumerate(gates[:IMAGES])]
            rows, columns = parts[0][1].shape
            yield Picture(_caption(each, f"{rows} x {columns} each" if len(gates) > 1 else ""), matrix_images(parts))
    for each in others:
        if each.values is not None and len(each.shape) == 2 and each.trained:
            sizes = f"{each.shape[0]} x {each.shape[1]}"
            yield Picture(_caption(each, sizes), matrix_images([(each.name, each.values)]))


def _caption(weights: _Weights, sizes: str) -> str:
    assert weights.values is not None
    finite = weights.values[np.isfinite(weights.values)]
    largest = f"{np.max(np.abs(finite), initial=0):.2g}"
    return ", ".join(part for part in (weights.name, sizes, f"red -{largest}, blue {largest}") if part)


def _singular_values(gates: tuple[str, ...], split: list[_Weights]) -> Iterator[Picture]:
    """Of the recurrent weights, gate by gate."""
    for each in split:
        if each.name != "w_h" or each.values is None or each.shape[-1] > DECOMPOSED:
            continue
        blocks = [_block(each, place, len(gates)) for place in range(min(len(gates), len(LINES)))]
        if not all(np.isfinite(block).all() for block in blocks):
            continue
        values = [np.linalg.svd(block, compute_uv=False) for block in blocks]
        lines = [
            Line(np.arange(1, len(one) + 1), one, gate if len(gates) > 1 else "", LINES[place], DASHES[place], 1.8)
            for place, (gate, one) in enumerate(zip(gates, values, strict=False))
        ]
        every = np.concatenate(values)
        log = wide(every) and bool(every.min() > 1e-12 * every.max())
        low, high = float(every.min()), float(every.max())
        y_range = None if log else (0.0, 1.15 * high or 1.0)
        name = f"singular values of w_h, from {low:.2g} to {high:.2g}"
        body = chart(lines, x_label="number, from the largest", name=name, log=log, y_range=y_range)
        yield Picture("singular values of w_h, by gate" if len(gates) > 1 else "singular values of w_h", body)


def _block(weights: _Weights, place: int, gates: int) -> np.ndarray:
    """The rows of one gate."""
    assert weights.values is not None
    hidden = weights.shape[0] // gates
    return weights.values[place * hidden : (place + 1) * hidden]


def _rms(values: np.ndarray) -> str:
    return f"{np.sqrt(np.mean(np.square(values))):.3g}"


def _range(values: np.ndarray) -> str:
    low, high = float(np.min(values)), float(np.max(values))
    return f"{low:.3g}" if low == high else f"{low:.3g} to {high:.3g}"


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
