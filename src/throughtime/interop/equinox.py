"""Equinox's ``nn.GRUCell`` and ``nn.LSTMCell``, and an ``nn.Linear`` on top.

=============  ========  ===========================
``weight_ih``  (G*H, D)  w_x
``weight_hh``  (G*H, H)  w_h
``bias``       (G*H,)    b
``bias_n``     (H,)      b_h, of a GRU
=============  ========  ===========================

Gates are blocks of H rows: ``r z n`` of a GRU and ``i f g o`` of an LSTM, in our order. Equinox has no simple recurrent
cell and no layer that reads in both directions.
"""

import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from throughtime._errors import InputError
from throughtime.cells import GRU, LSTM, GatedCell
from throughtime.interop import layout
from throughtime.interop.files import read_bytes
from throughtime.interop.parts import FORWARD, READOUT, Model, Part, Parts, linear, own_parts

GATE_ORDERS: layout.GateOrders = {GRU: ("r", "z", "n"), LSTM: ("i", "f", "g", "o")}
CLASSES: Mapping[type[GatedCell], type[eqx.Module]] = {GRU: eqx.nn.GRUCell, LSTM: eqx.nn.LSTMCell}
KINDS: Mapping[int, type[GatedCell]] = {3: GRU, 4: LSTM}
KNOWN = (eqx.nn.GRUCell, eqx.nn.LSTMCell, eqx.nn.Linear)


def from_equinox(source: Any) -> Any:
    """Return the network that computes the same as one of Equinox.

    The conversion is differentiable with respect to the arrays.

    Args:
        source: a module or any tree with cells of Equinox, and a linear layer if there is one, in the order of their
            fields from the inputs up; or a file of it that ``eqx.tree_serialise_leaves`` wrote, which is read without
            running code from it.

    Returns:
        A cell for one cell, a :class:`throughtime.Stack` for more; with a linear layer a
        :class:`throughtime.RecurrentNetwork` of a cell or a :class:`throughtime.ManyToMany` of layers.

    Raises:
        InputError: for other arrays than those of cells and one linear layer, for sizes that do not fit, and for a file
            that cannot be read.
    """
    return read_equinox(source).network()


def read_equinox(source: Any) -> Parts:
    """Return the parts of :func:`from_equinox`'s network, with Equinox's arrays."""
    modules = _of_file(Path(source)) if isinstance(source, str | Path) else _of_tree(source)
    kinds = [kind for kind, _ in modules]
    if eqx.nn.Linear in kinds[:-1] or kinds[:1] in ([], [eqx.nn.Linear]):
        found = [kind.__name__ for kind in kinds]
        raise _unsupported(found, f"the modules are {', '.join(found) or 'none'}")
    return Parts(tuple(_part(number, kind, arrays) for number, (kind, arrays) in enumerate(modules)))


def to_equinox(model: Model) -> Any:
    """Return the modules of Equinox that compute the same: one, or a tuple of them from the inputs up.

    Raises:
        InputError: if Equinox has no such cell or layer.
    """
    modules = tuple(_module(part) for part in parts_for_equinox(model).parts)
    return modules[0] if len(modules) == 1 else modules


def parts_for_equinox(model: Model) -> Parts:
    """Return the parts of :func:`to_equinox`."""
    parts = own_parts(model)
    if parts.bidirectional or parts.pool is not None:
        found = "a Bidirectional layer" if parts.bidirectional else f"pool={parts.pool!r}"
        raise InputError(
            f"Equinox has nothing like {found}: expected layers that read forward, and a readout of each step",
            code="unsupported-stack",
            found=found,
        )
    for part in parts.cells:
        layout.gate_order("Equinox", GATE_ORDERS, type(part.module))
    return parts.renamed(lambda part: _named(f"[{part.layer}]" if len(parts.parts) > 1 else "", _fields(part.module)))


def write(path: Path, model: Model) -> None:
    """Write the modules of :func:`to_equinox` as ``eqx.tree_serialise_leaves`` does."""
    eqx.tree_serialise_leaves(path, to_equinox(model))


def _fields(module: Any) -> dict[str, Any]:
    """Return the fields of the module of Equinox that computes the same as a cell or a readout."""
    if isinstance(module, eqx.nn.Linear):
        return {"weight": module.weight, "bias": module.bias}
    arrays = {"weight_ih": module.w_x, "weight_hh": module.w_h, "bias": module.b}
    order = GATE_ORDERS[type(module)]
    arrays = {name: layout.reorder(array, module.GATES, order) for name, array in arrays.items()}
    return arrays | ({"bias_n": module.b_h} if isinstance(module, GRU) else {})


def _named(place: str, fields: Mapping[str, ArrayLike]) -> dict[str, np.ndarray]:
    return {f"{place}.{name}".removeprefix("."): np.asarray(array) for name, array in fields.items()}


def _module(part: Part) -> Any:
    if part.role == READOUT:
        return part.module
    outline = eqx.filter_eval_shape(
        CLASSES[type(part.module)], part.module.inputs, part.module.hidden, key=jax.random.key(0)
    )
    fields = _fields(part.module)
    return eqx.tree_at(lambda cell: [getattr(cell, name) for name in fields], outline, list(fields.values()))


def _part(number: int, kind: type[eqx.Module], arrays: layout.Weights) -> Part:
    if kind is eqx.nn.Linear:
        names = list(arrays)
        shape = layout.matrix_shape(arrays, names[0], "(O, H), of a Linear")
        weight, *bias = layout.take(arrays, dict(zip(names, (shape, shape[:1]), strict=False)))
        return Part(number, READOUT, linear(weight, *bias), arrays)
    return Part(number, FORWARD, _cell(arrays), arrays)


def _cell(weights: layout.Weights) -> GatedCell:
    names = list(weights)
    _, inputs = layout.matrix_shape(weights, names[0], "(G*H, D)")
    rows, hidden = layout.matrix_shape(weights, names[1], "(G*H, H)")
    kind = layout.cell_kind(names[1], (rows, hidden), KINDS)
    shapes = dict(zip(names, ((rows, inputs), (rows, hidden), (rows,), (hidden,)), strict=False))
    w_x, w_h, *biases = layout.take(weights, shapes)
    b, b_h = biases + [jnp.zeros(rows), jnp.zeros(hidden)][len(biases) :]
    arrays = {"w_x": w_x, "w_h": w_h, "b": b}
    arrays = {name: layout.reorder(array, GATE_ORDERS[kind], kind.GATES) for name, array in arrays.items()}
    return layout.build_cell(kind, arrays | ({"b_h": b_h} if kind is GRU else {}), {})


def _of_tree(tree: Any) -> list[tuple[type[eqx.Module], dict[str, ArrayLike]]]:
    """Return the kinds and the arrays of the modules in a tree."""
    leaves, _ = jax.tree_util.tree_flatten_with_path(tree, is_leaf=lambda node: isinstance(node, KNOWN))
    found: list[tuple[type[eqx.Module], dict[str, ArrayLike]]] = []
    for path, module in leaves:
        place = jax.tree_util.keystr(path)
        if isinstance(module, KNOWN):
            inside, _ = jax.tree_util.tree_flatten_with_path(module)
            names = [f"{place}{jax.tree_util.keystr(field)}".removeprefix(".") for field, _ in inside]
            found.append((type(module), {name: array for name, (_, array) in zip(names, inside, strict=True)}))
        elif eqx.is_array(module):
            raise _unsupported(place, f"{place or 'the tree'} is an array outside of such modules")
    return found


def _of_file(path: Path) -> list[tuple[type[eqx.Module], dict[str, ArrayLike]]]:
    """Return the kinds and the arrays of the modules in a file, which has arrays alone: their shapes tell the kinds.

    Raises:
        InputError: if it is truncated or foreign.
    """
    content = read_bytes(path)
    try:
        arrays = list(_arrays_of(content))
    except (ValueError, EOFError, OSError, MemoryError) as error:  # the last for a size that no file has
        raise InputError(
            f"{path} is truncated or no file of eqx.tree_serialise_leaves ({error}): expected arrays of numbers",
            code="bad-file",
            file=path,
            expected="arrays",
        ) from error
    found: list[tuple[type[eqx.Module], dict[str, ArrayLike]]] = []
    while arrays:
        kind, names = _next_module([array.shape for array in arrays[:4]])
        found.append((kind, {f"[{len(found)}].{name}": array for name, array in zip(names, arrays, strict=False)}))
        arrays = arrays[len(names) :]
    return found


def _arrays_of(content: bytes) -> Iterator[np.ndarray]:
    """Yield the arrays of a file, which NumPy reads one after the other, never as a pickle or an archive."""
    stream = io.BytesIO(content)
    if not content:
        raise ValueError("it is empty")
    while stream.tell() < len(content):
        yield np.lib.format.read_array(stream, allow_pickle=False)


def _next_module(shapes: list[tuple[int, ...]]) -> tuple[type[eqx.Module], list[str]]:
    """Return the kind of the module whose arrays come first, and the names of those that are there."""
    rows = shapes[0][:1]
    for gates, kind in KINDS.items():
        if len(shapes[0]) == 2 and shapes[1:2] == [(*rows, rows[0] / gates)]:
            biases = {"bias": rows, "bias_n": (rows[0] // gates,)} if kind is GRU else {"bias": rows}
            there = shapes[2 : 2 + len(biases)] == list(biases.values())
            return CLASSES[kind], ["weight_ih", "weight_hh", *(biases if there else ())]
    return eqx.nn.Linear, ["weight", "bias"] if shapes[1:2] == [rows] else ["weight"]


def _unsupported(found: object, what: str) -> InputError:
    expected = "one or more GRUCell or LSTMCell, then at most one Linear"
    return InputError(f"{what}: expected {expected}", code="unsupported-stack", found=found, expected=expected)
