"""TensorFlow 1's cells under ``dynamic_rnn``: ``BasicRNNCell``, ``BasicLSTMCell``, ``LSTMCell`` and ``GRUCell``.

====================  ============  ====================================================================
``kernel``            (D + H, G*H)  w_x and w_h transposed, the input's D rows first
``bias``              (G*H,)        b; an LSTM adds ``forget_bias`` to that of f at run time
``gates/kernel``      (D + H, 2H)   of a GRU, r and u; u is our z
``candidate/kernel``  (D + H, H)    of a GRU: its last H rows read r * h
====================  ============  ====================================================================

Gates are blocks of H columns, ``i j f o`` of an LSTM (ours: ``i f g o``, j is g). A ``GRUCell`` resets before the
product: it is a :class:`throughtime.ResetFirstGRU`. The kernel and bias of an ``OutputProjectionWrapper``, or of a
dense layer, are a readout. ``leaky_relu`` has slope 0.2 in TensorFlow and 0.01 here.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np

from throughtime._errors import InputError
from throughtime._types import Array
from throughtime.cells import LSTM, Cell, Elman, GatedCell, ResetFirstGRU
from throughtime.interop import layout, tensorflow1_files
from throughtime.interop.parts import BACKWARD, FORWARD, READOUT, Model, Part, Parts, dense, own_parts

GATE_ORDERS: layout.GateOrders = {Elman: ("a",), LSTM: ("i", "g", "f", "o"), ResetFirstGRU: ("r", "z", "n")}
KINDS: Mapping[str, type[GatedCell]] = {
    "basic_rnn_cell": Elman,
    "basic_lstm_cell": LSTM,
    "lstm_cell": LSTM,
    "gru_cell": ResetFirstGRU,
}
ACTIVATIONS = {"tanh": "tanh", "relu": "relu", "sigmoid": "sigmoid", "elu": "elu", "identity": "identity"}
NAMES: Mapping[type[Cell], str] = {Elman: "basic_rnn_cell", LSTM: "basic_lstm_cell", ResetFirstGRU: "gru_cell"}
BLOCKS: Mapping[type[Cell], Mapping[str, int]] = {ResetFirstGRU: {"gates/": 2, "candidate/": 1}}
"""The pairs of kernel and bias of a cell that has more than one, and the gates of each."""
CELL = re.compile(rf"(?P<where>(?:.*/)?)(?P<cell>{'|'.join(KINDS)})/(?P<array>.+)")
UNSUPPORTED = re.compile(r"w_[fio]_diag|projection/kernel")


def from_tensorflow1(source: Any, *, activation: str | None = None, forget_bias: float = 1.0) -> Any:
    """Return the network that computes the same as one of TensorFlow 1.

    The conversion is differentiable with respect to a dictionary's arrays. The variables of optimizers are left out.

    Args:
        source: a checkpoint of ``tf.train.Saver``, as TensorFlow names it, without ``.index``; or its variables by
            name, without ``:0``. TensorFlow need not be installed.
        activation: of a ``BasicRNNCell``, which the variables do not say.
        forget_bias: what an LSTM adds to the bias of f at run time, 1 unless its constructor says otherwise; here it
            becomes part of the weights.

    Returns:
        A cell for one layer in one direction, :class:`throughtime.Bidirectional` for both, a :class:`throughtime.Stack`
        for a ``MultiRNNCell``; with a projection a :class:`throughtime.RecurrentNetwork` of a cell or a
        :class:`throughtime.ManyToMany` of layers.

    Raises:
        InputError: for a missing activation; for a variable that is missing, has another shape, or belongs to another
            kind of layer; for peepholes and projections; for a file that cannot be read.
    """
    return read_tensorflow1(source, activation, forget_bias).network()


def read_tensorflow1(source: Any, activation: str | None = None, forget_bias: float = 1.0) -> Parts:
    """Return the parts of :func:`from_tensorflow1`'s network, with TensorFlow's arrays."""
    variables = tensorflow1_files.read(Path(source)) if isinstance(source, str | Path) else source
    cells = _cells(variables)
    parts = []
    for number, role, prefix in sorted(cells):
        arrays = {name: variables[name] for name in cells[number, role, prefix]}
        parts.append(Part(number, role, _cell(prefix, arrays, activation, forget_bias), arrays))
    used = [name for names in cells.values() for name in names]
    rest = {name: array for name, array in variables.items() if np.ndim(array) and not _belongs(name, used)}
    rest = {name: rest[name] for name in rest if not any(name.startswith(f"{other}/") for other in rest)}
    if rest:
        parts.append(Part(parts[-1].layer + 1, READOUT, dense(rest), rest))
    return Parts(tuple(sorted(parts, key=lambda part: (part.layer, part.role == BACKWARD))))


def to_tensorflow1(model: Model, *, forget_bias: float = 1.0) -> dict[str, np.ndarray]:
    """Return the variables, by name, of the TensorFlow 1 network that computes the same.

    They are those of ``dynamic_rnn``, or of ``bidirectional_dynamic_rnn``, with a ``MultiRNNCell`` for more layers, and
    a ``tf.layers.dense`` for a readout. They do not hold the activation: set it in the cell.

    Raises:
        InputError: if TensorFlow 1 has no such cell or layer.
    """
    return parts_for_tensorflow1(model, forget_bias).arrays()


def parts_for_tensorflow1(model: Model, forget_bias: float = 1.0) -> Parts:
    """Return the parts of :func:`to_tensorflow1`."""
    parts = own_parts(model)
    layers = len({part.layer for part in parts.cells})
    for part in parts.cells:
        layout.gate_order("TensorFlow 1", GATE_ORDERS, type(part.module))
    if parts.pool is not None or (parts.bidirectional and layers > 1):
        found = f"pool={parts.pool!r}" if parts.pool else "layers in both directions on top of each other"
        raise InputError(
            f"dynamic_rnn has nothing like {found}: expected a readout of each step, and one layer if it reads in both "
            "directions",
            code="unsupported-stack",
            found=found,
        )
    names = {FORWARD: "bidirectional_rnn/fw/", BACKWARD: "bidirectional_rnn/bw/"} if parts.bidirectional else {}
    return parts.renamed(lambda part: _arrays(part, names.get(part.role, "rnn/"), layers, forget_bias))


def _arrays(part: Part, where: str, layers: int, forget_bias: float) -> dict[str, np.ndarray]:
    module = part.module
    if part.role == READOUT:
        return {"dense/kernel": np.asarray(module.weight.T), "dense/bias": np.asarray(module.bias)}
    order = GATE_ORDERS[type(module)]
    kernel = layout.reorder(jnp.concatenate([module.w_x, module.w_h], axis=1), module.GATES, order).T
    bias = layout.reorder(module.b - _added(type(module), module.hidden, forget_bias), module.GATES, order)
    inside = f"multi_rnn_cell/cell_{part.layer}/" if layers > 1 else ""
    prefix, arrays, column = f"{where}{inside}{NAMES[type(module)]}/", {}, 0
    for block, gates in BLOCKS.get(type(module), {"": len(order)}).items():
        columns = slice(column, column := column + gates * module.hidden)
        arrays[f"{prefix}{block}kernel"] = np.asarray(kernel[:, columns])
        arrays[f"{prefix}{block}bias"] = np.asarray(bias[columns])
    return arrays


def _cells(variables: layout.Weights) -> dict[tuple[int, str, str], list[str]]:
    """Return the names of each cell's variables, by its layer, its role and the prefix of the names."""
    found: dict[tuple[int, str, str], list[str]] = {}
    for name in variables:
        match = CELL.fullmatch(name)
        if match is None or np.ndim(variables[name]) == 0:
            continue
        if UNSUPPORTED.match(match["array"]):
            raise _unsupported(f"{name}, of peepholes or a projection inside of an LSTM,", name)
        if re.fullmatch(r"(gates/|candidate/)?(kernel|bias)", match["array"]):
            if re.search(r"/(fw|bw)/multi_rnn_cell/", name):
                raise _unsupported("a MultiRNNCell in both directions, whose directions never meet,", name)
            number = int((re.findall(r"cell_(\d+)/", match["where"]) or [0])[-1])
            role = BACKWARD if re.search(r"(^|/)bw/", match["where"]) else FORWARD
            found.setdefault((number, role, name.removesuffix(match["array"])), []).append(name)
    places = [place[:2] for place in found]
    if not found or len(set(places)) < len(places):
        prefixes = [prefix for *_, prefix in found]
        raise InputError(
            f"the variables have cells at {', '.join(prefixes) or 'no place'}: expected one network of "
            f"{', '.join(KINDS)}; pass its variables alone",
            code="not-one-network",
            found=prefixes or list(variables),
            expected=list(KINDS),
        )
    return found


def _belongs(name: str, used: list[str]) -> bool:
    """Tell if a variable is one of those used, or an optimizer's for one of them, such as ``kernel/Adam``."""
    return any(name == other or name.startswith(f"{other}/") for other in used)


def _cell(prefix: str, weights: layout.Weights, activation: str | None, forget_bias: float) -> Cell:
    kind = KINDS[prefix.rstrip("/").rpartition("/")[2]]
    blocks = BLOCKS.get(kind, {"": len(kind.GATES)})
    last = f"{prefix}{[*blocks][-1]}kernel"
    rows, columns = layout.matrix_shape(weights, last, "(D + H, G*H)")
    hidden = columns // [*blocks.values()][-1]
    inputs = max(rows - hidden, 1)  # with too few rows, the check of the shape fails
    shapes: dict[str, tuple[int, ...]] = {}
    for block, gates in blocks.items():
        shapes[f"{prefix}{block}kernel"] = (inputs + hidden, gates * hidden)
        shapes[f"{prefix}{block}bias"] = (gates * hidden,)
    settings = {}
    if kind is Elman:
        settings = {"activation": layout.activation_setting("activation", activation, ACTIVATIONS)}
    arrays = layout.take(weights, shapes)
    kernel, b = jnp.concatenate(arrays[::2], axis=1).T, jnp.concatenate(arrays[1::2])
    kernel, b = (layout.reorder(array, GATE_ORDERS[kind], kind.GATES) for array in (kernel, b))
    b += _added(kind, hidden, forget_bias)
    return layout.build_cell(kind, {"w_x": kernel[:, :inputs], "w_h": kernel[:, inputs:], "b": b}, settings)


def _added(kind: type[Cell], hidden: int, forget_bias: float) -> Array:
    """Return what TensorFlow adds to each entry of a bias at run time."""
    return jnp.repeat(jnp.array([forget_bias if kind is LSTM and gate == "f" else 0.0 for gate in kind.GATES]), hidden)


def _unsupported(what: str, found: str) -> InputError:
    return InputError(
        f"{what} cannot be converted: expected {', '.join(KINDS)}, without peepholes and projections, in one "
        "direction, or one layer in both",
        code="unsupported-option",
        found=found,
        expected=list(KINDS),
    )
