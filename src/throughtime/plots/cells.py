"""Displays of cells in a notebook and a terminal: sizes, gates, weights as images.

A cell may hold other things than weights: None, shapes, tracers, or the weights of many cells along a leading axis. Its
display then has no pictures and no numbers that cannot be known.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import fields
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import numpy as np

from throughtime.cells import Cell
from throughtime.layers import Moments
from throughtime.plots.matrices import MatrixGrid, largest_size
from throughtime.plots.notebook import Block, Picture, Table
from throughtime.plots.small import finish, log_if_wide, small_axes
from throughtime.plots.theme import LINES

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LARGEST = 2**22  # numbers in an array; of a larger one, nothing is computed
DECOMPOSED = 256  # rows of a matrix whose singular values are shown: more take tenths of a second
IMAGES = 8  # of one array


class _Weights(NamedTuple):
    """One array of a cell.

    Attributes:
        name: the field's name and the path within the field.
        shape: its axes, with the leading ones of many cells at once.
        values: its numbers, if they are known.
        trained: True for a parameter, False for running statistics.
    """

    name: str
    shape: tuple[int, ...]
    values: np.ndarray | None
    trained: bool

    @property
    def size(self) -> int:
        return math.prod(self.shape)


def cell_block(cell: Cell) -> Block:
    """Return the display of a cell, wrapped or not."""
    modules = list(_inwards(cell))
    arrays = [array for module in modules for array in _weights(module)]
    gates = tuple(modules[-1].GATES)
    shape = next((array.shape for array in _weights(modules[-1]) if array.name == "w_x"), ())
    by_gate, others = _split(arrays, shape)
    many = len(shape) > 2
    facts = [("gates", " ".join(gates))] if gates else []
    facts += [fact for module in modules for fact in _settings(module)]
    facts += [("cells", f"{math.prod(shape[:-2]):,} side by side")] if many else []
    tables = [_gate_table(gates, by_gate)] if by_gate else []
    tables += [_array_table(others)] if others else []
    count = sum(array.size for array in arrays if array.trained)
    return Block(
        title=_title(modules, shape, gates),
        sentences=[f"{count:,} parameters." if count else "The shapes of the parameters are not known."],
        facts=facts,
        pictures=[] if many else [*_images(gates, by_gate, others), *_singular_values(gates, by_gate)],
        tables=tables,
    )


def _split(arrays: list[_Weights], shape: tuple[int, ...]) -> tuple[list[_Weights], list[_Weights]]:
    """Return the arrays whose rows belong to the gates, as those of w_x of this shape do, and the others."""
    by_gate, others = list[_Weights](), list[_Weights]()
    for array in arrays:
        has_gates = len(shape) == 2 and array.trained and len(array.shape) in (1, 2) and array.shape[0] == shape[0]
        (by_gate if has_gates and shape[0] else others).append(array)
    return by_gate, others


def _inwards(cell: Cell) -> Iterator[Cell]:
    """Yield the cell, the cell inside it, and so on."""
    inside: Any = cell
    while isinstance(inside, Cell):
        yield inside
        held = (getattr(inside, field.name, None) for field in fields(inside))
        inside = next((value for value in held if isinstance(value, Cell)), None)


def _weights(module: Cell) -> Iterator[_Weights]:
    """Yield the arrays of a module's own fields."""
    for field in fields(module):
        value = getattr(module, field.name, None)
        if field.metadata.get("static") or isinstance(value, Cell):
            continue
        for path, leaf in jax.tree_util.tree_flatten_with_path(value)[0]:
            if not hasattr(leaf, "shape") or not np.issubdtype(getattr(leaf, "dtype", object), np.inexact):
                continue
            name = field.name + jax.tree_util.keystr(path)
            yield _Weights(name, tuple(leaf.shape), _numbers(leaf), not isinstance(value, Moments))


def _numbers(leaf: Any) -> np.ndarray | None:
    """Return the numbers of an array; None if they are not at hand, not real or too many."""
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
    """Yield the fields of a module that are not arrays: a step size, an activation."""
    for field in fields(module):
        value = getattr(module, field.name, None)
        if isinstance(value, bool | int | float | str):
            yield field.name.replace("_", " "), f"{value:g}" if isinstance(value, float) else str(value)
        elif callable(value) and not isinstance(value, Cell) and hasattr(value, "__name__"):
            yield field.name.replace("_", " "), value.__name__


def _gate_table(gates: tuple[str, ...], by_gate: list[_Weights]) -> Table:
    """Return a row per gate: its parameters, the RMS of its weights, the range of its biases and gains."""
    known = [array for array in by_gate if array.values is not None]
    header = ["gate", "parameters"]
    header += [f"{array.name}, typical size" if len(array.shape) == 2 else array.name for array in known]
    size = sum(array.size for array in by_gate) // len(gates)
    rows = []
    for place, gate in enumerate(gates):
        parts = [_block(array, place, len(gates)) for array in known]
        rows.append([gate, f"{size:,}", *(_rms(part) if part.ndim == 2 else _range(part) for part in parts)])
    return Table(header, rows)


def _array_table(arrays: list[_Weights]) -> Table:
    rows = []
    for array in arrays:
        shape = " x ".join(f"{length:,}" for length in array.shape) or "one number"
        rows.append([array.name, shape, "" if array.values is None else _range(array.values)])
    return Table(["array", "shape", "numbers"], rows)


def _images(gates: tuple[str, ...], by_gate: list[_Weights], others: list[_Weights]) -> Iterator[Picture]:
    """Yield each matrix as images, one a gate if its rows belong to gates."""
    for weights in by_gate:
        if weights.values is not None and len(weights.shape) == 2:
            parts = [_block(weights, place, len(gates)) for place in range(min(len(gates), IMAGES))]
            rows, columns = parts[0].shape
            sizes = f"{rows} x {columns} each" if len(gates) > 1 else ""
            yield _matrix_picture(weights, sizes, MatrixGrid(gates[:IMAGES], parts))
    for weights in others:
        if weights.values is not None and len(weights.shape) == 2 and weights.trained:
            sizes = f"{weights.shape[0]} x {weights.shape[1]}"
            yield _matrix_picture(weights, sizes, MatrixGrid([weights.name], [weights.values]))


def _matrix_picture(weights: _Weights, sizes: str, grid: MatrixGrid) -> Picture:
    assert weights.values is not None
    largest = f"{largest_size(weights.values):.2g}"
    caption = ", ".join(part for part in (weights.name, sizes, f"red -{largest}, blue {largest}") if part)
    return Picture(caption, f"weights of {', '.join(grid.names)}: {caption}", grid.draw, grid.size)


def _singular_values(gates: tuple[str, ...], by_gate: list[_Weights]) -> Iterator[Picture]:
    """Yield the singular values of the recurrent weights, gate by gate."""
    for weights in by_gate:
        if weights.name != "w_h" or weights.values is None or weights.shape[-1] > DECOMPOSED:
            continue
        blocks = [_block(weights, place, len(gates)) for place in range(min(len(gates), len(LINES)))]
        if not all(np.isfinite(block).all() for block in blocks):
            continue
        values = [np.linalg.svd(block, compute_uv=False) for block in blocks]
        low, high = float(np.min(values)), float(np.max(values))
        name = f"singular values of w_h, from {low:.2g} to {high:.2g}"
        caption = "singular values of w_h" + (", by gate" if len(gates) > 1 else "")
        yield Picture(caption, name, partial(_draw_singular, values, gates if len(gates) > 1 else [""]))


def _draw_singular(values: list[np.ndarray], names: Sequence[str], figure: "Figure") -> None:
    axes = small_axes(figure, "number, from the largest")
    for numbers, name in zip(values, names, strict=False):
        axes.plot(np.arange(1, len(numbers) + 1), numbers, label=name, linewidth=1.8)
    axes.set_ylim(0, 1.15 * np.max(values) or 1.0)
    if np.min(values) > 1e-12 * np.max(values):  # else a matrix without full rank: its zeros are rounding errors
        log_if_wide(axes, np.concatenate(values))
    finish(axes)


def _block(weights: _Weights, place: int, gates: int) -> np.ndarray:
    """Return the rows of one gate."""
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
