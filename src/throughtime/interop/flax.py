"""Flax's ``SimpleCell``, ``GRUCell``, ``LSTMCell`` and ``OptimizedLSTMCell``, of linen and nnx, below a dense layer.

===================  =========  ==========================================================================
``ir iz in``         (D, H)     linen's kernels of the input, one for each gate: w_x transposed
``hr hz hn``         (H, H)     likewise of the state: w_h transposed
``dense_i dense_h``  (.., G*H)  nnx's kernels of all gates at once
biases               (G*H,)     of one product or of both; their sum is b, but for n of a GRU, of which that of
                                ``hn`` is our b_h
===================  =========  ==========================================================================

A name is the side, i or h, and the gate; ``SimpleCell`` of linen has ``i`` and ``h`` alone. Gates are ``r z n`` of a
GRU and ``i f g o`` of an LSTM, in our order. nnx writes ``if_`` for ``if``.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np

from throughtime._errors import InputError
from throughtime._types import Array, GateBias
from throughtime.cells import GRU, LSTM, Cell, Elman, GatedCell
from throughtime.interop import layout
from throughtime.interop.files import read_safetensors
from throughtime.interop.parts import BACKWARD, FORWARD, READOUT, Model, Part, Parts, dense, own_parts, require_pool

Params = Mapping[str, Any]
"""Flax's parameters: nested dictionaries of arrays."""
GATES: layout.GateOrders = {Elman: ("",), GRU: ("r", "z", "n"), LSTM: ("i", "f", "g", "o")}
KINDS: Mapping[int, type[GatedCell]] = {1: Elman, 3: GRU, 4: LSTM}
CLASSES: Mapping[type[Cell], str] = {Elman: "SimpleCell", GRU: "GRUCell", LSTM: "LSTMCell"}
ACTIVATIONS = {name: name for name in ("tanh", "relu", "sigmoid", "elu", "leaky_relu", "identity")}
FUSED = ("dense_i", "dense_h")
OF_CELL = re.compile(r"(?P<prefix>(?:.*/)?)(?P<product>dense_[ih]|[ih][rznifgo]?)_?/(?:kernel|bias)")


def from_flax(source: Params | str | Path, *, activation: str | None = None, bidirectional: bool = False) -> Any:
    """Return the network that computes the same as one of Flax.

    The conversion is differentiable with respect to the arrays. A cell is taken to have Flax's default activations, and
    no residual connection.

    Args:
        source: the parameters, from the inputs up or numbered: those of linen, ``module.init(...)``, or of nnx,
            ``nnx.to_pure_dict(nnx.state(module, nnx.Param))``; or a ``.safetensors`` file of them, with names joined by
            "/", as ``flax.traverse_util.flatten_dict(params, sep="/")`` joins them. Flax need not be installed.
        activation: of a ``SimpleCell``, which its parameters do not say.
        bidirectional: if each two cells are one layer that reads in both directions. The parameters of linen do not
            say it, those of ``nnx.Bidirectional`` do.

    Returns:
        A cell for one layer in one direction, :class:`throughtime.Bidirectional` for both, a :class:`throughtime.Stack`
        for more layers; with a dense layer a :class:`throughtime.RecurrentNetwork` of a cell or a
        :class:`throughtime.ManyToMany` of layers.

    Raises:
        InputError: for a missing activation; for an array that is missing, has another shape, or belongs to another
            kind of layer.
    """
    return read_flax(source, activation, bidirectional).network()


def read_flax(source: Params | str | Path, activation: str | None = None, bidirectional: bool = False) -> Parts:
    """Return the parts of :func:`from_flax`'s network, with Flax's arrays by their joined names."""
    of_file = isinstance(source, str | Path)
    weights = read_safetensors(Path(source)) if isinstance(source, str | Path) else _flat(source)
    prefixes = _in_order([match["prefix"] for name in weights if (match := OF_CELL.fullmatch(name))], of_file)
    if not prefixes:
        raise InputError(
            f"found no cell of Flax in {', '.join(weights) or 'nothing'}: expected {', '.join(CLASSES.values())}",
            code="not-one-network",
            found=list(weights),
            expected=list(CLASSES.values()),
        )
    parts: list[Part] = []
    rest = dict(weights)
    for place, prefix in enumerate(prefixes):
        arrays = {n: rest.pop(n) for n in weights if (match := OF_CELL.fullmatch(n)) and match["prefix"] == prefix}
        paired = bidirectional and place % 2 == 1
        backward = paired or "backward" in prefix
        number = parts[-1].layer + (not backward) if parts else 0
        parts.append(Part(number, BACKWARD if backward else FORWARD, _cell(prefix, arrays, activation), arrays))
    if rest:
        parts.append(Part(parts[-1].layer + 1, READOUT, dense(rest), rest))
    return Parts(tuple(parts))


def to_flax(model: Model) -> dict[str, Any]:
    """Return the parameters of the linen module that computes the same, as ``apply`` takes them.

    Those of one cell are the cell's own. Cells of a network are ``GRUCell_0``, ``GRUCell_1``, its readout is
    ``Dense_0``, as linen names them in the order of their calls. They do not hold the activation.

    Raises:
        InputError: if Flax has no such cell.
    """
    tree: dict[str, Any] = {}
    for name, array in parts_for_flax(model).arrays().items():
        *folders, leaf = name.split("/")
        node = tree
        for folder in folders:
            node = node.setdefault(folder, {})
        node[leaf] = array
    return tree


def parts_for_flax(model: Model) -> Parts:
    """Return the parts of :func:`to_flax`, with arrays by their joined names."""
    parts = own_parts(model)
    require_pool("Flax", parts, None)
    for part in parts.cells:
        layout.gate_order("Flax", GATES, type(part.module))
    names = {}
    for number, part in enumerate(parts.cells):
        before = [each for each in parts.cells[:number] if type(each.module) is type(part.module)]
        names[part.place] = f"params/{CLASSES[type(part.module)]}_{len(before)}/"
    if len(parts.parts) == 1:
        names = dict.fromkeys(names, "params/")
    return parts.renamed(lambda part: _arrays(part, names.get(part.place, "params/Dense_0/")))


def _arrays(part: Part, prefix: str) -> dict[str, np.ndarray]:
    module = part.module
    if part.role == READOUT:
        return {f"{prefix}kernel": np.asarray(module.weight.T), f"{prefix}bias": np.asarray(module.bias)}
    kind = type(module)
    of_input, of_state = layout.split_biases(module)
    if kind is LSTM:  # its biases are those of the state's products
        of_input, of_state = of_state, of_input
    arrays, gates = {}, GATES[kind]
    for side, weights, bias in (("i", module.w_x, of_input), ("h", module.w_h, of_state)):
        blocks = (np.split(np.asarray(array), len(gates)) for array in (weights, bias))
        for gate, w, b in zip(gates, *blocks, strict=True):
            arrays[f"{prefix}{side}{gate}/kernel"] = w.T
            if (side == "h") == (kind is LSTM or (side, gate) == ("h", "n")):
                arrays[f"{prefix}{side}{gate}/bias"] = b
    return arrays


def _flat(tree: Params, prefix: str = "") -> dict[str, Any]:
    """Return the arrays of nested dictionaries by their joined names."""
    found: dict[str, Any] = {}
    for name, value in tree.items():
        found |= _flat(value, f"{prefix}{name}/") if isinstance(value, Mapping) else {f"{prefix}{name}": value}
    return found


def _in_order(prefixes: Sequence[str], of_file: bool) -> list[str]:
    """Return the prefixes of cells from the inputs up: in their own order, or by number if a number alone differs.

    JAX sorts the names of a dictionary, and ``GRUCell_10`` is before ``GRUCell_2`` then; so is backward before forward.
    """
    unique = list(dict.fromkeys(prefixes))
    layers = [prefix.replace("backward", "forward") for prefix in unique]
    numbered = len({re.sub(r"\d+", "0", layer) for layer in layers}) == 1
    if of_file and unique and not numbered:
        raise InputError(
            f"the file has cells under different names ({', '.join(unique)}), and no order: expected names that differ "
            "in a number alone; pass a dictionary, from the inputs up",
            code="unknown-order",
            found=unique,
        )

    def key(place: int) -> tuple[Any, bool]:
        layer = layers[place]
        numbers = [int(number) for number in re.findall(r"\d+", layer)]
        return numbers if numbered else layers.index(layer), layer != unique[place]

    return [unique[place] for place in sorted(range(len(unique)), key=key)]


def _cell(prefix: str, weights: layout.Weights, activation: str | None) -> Cell:
    products = {match["product"]: name for name in weights if (match := OF_CELL.fullmatch(name))}
    folders = {product: name.rpartition("/")[0] for product, name in products.items()}
    if set(folders) == set(FUSED):
        hidden, columns = layout.matrix_shape(weights, f"{folders['dense_h']}/kernel", "(H, G*H)")
        kind, gates = layout.cell_kind(folders["dense_h"], (columns, hidden), KINDS), 1
        sides: list[Sequence[str]] = [FUSED[:1], FUSED[1:]]
    else:
        kind = _unfused_kind(prefix, folders)
        gates = len(kind.GATES)
        sides = [[f"{side}{gate}" for gate in GATES[kind]] for side in "ih"]
    kernel = f"{folders[sides[0][0]]}/kernel"
    inputs, columns = layout.matrix_shape(weights, kernel, "(D, H), or (D, G*H) for all gates at once")
    rows = dict.fromkeys(sides[0], inputs) | dict.fromkeys(sides[1], gates * columns // len(kind.GATES))
    shapes: dict[str, tuple[int, ...]] = {f"{folders[p]}/kernel": (rows[p], columns) for p in rows}
    shapes |= {f"{folders[p]}/bias": (columns,) for p in rows if f"{folders[p]}/bias" in weights}
    found = dict(zip(shapes, layout.take(weights, shapes), strict=True))
    (w_x, b_i), (w_h, b_h) = (_joined([folders[p] for p in side], columns, found) for side in sides)
    settings = {}
    if kind is Elman:
        settings = {"activation": layout.activation_setting("activation", activation, ACTIVATIONS)}
    return layout.build_cell(kind, {"w_x": w_x, "w_h": w_h, **layout.merge_biases(kind, b_i, b_h)}, settings)


def _unfused_kind(prefix: str, folders: Mapping[str, str]) -> type[GatedCell]:
    for kind in KINDS.values():
        if set(folders) == {f"{side}{gate}" for side in "ih" for gate in GATES[kind]}:
            return kind
    raise InputError(
        f"{prefix or 'the cell'} has the products {', '.join(sorted(folders))}: expected those of "
        f"{', '.join(CLASSES.values())}",
        code="unsupported-cell",
        found=sorted(folders),
        expected=list(CLASSES.values()),
    )


def _joined(folders: Sequence[str], columns: int, found: Mapping[str, Array]) -> tuple[Array, GateBias]:
    """Return the weights (G*H, ..) and the bias (G*H,) of the products of one side; a missing bias is zeros."""
    kernels = [found[f"{folder}/kernel"].T for folder in folders]
    biases = [found.get(f"{folder}/bias", jnp.zeros(columns)) for folder in folders]
    return jnp.concatenate(kernels), jnp.concatenate(biases)
