"""PyTorch's ``nn.RNN``, ``nn.GRU`` and ``nn.LSTM``, their cells, and an ``nn.Linear`` on top.

=============  ========  ============================================================
``weight_ih``  (G*H, D)  w_x
``weight_hh``  (G*H, H)  w_h
``bias_ih``    (G*H,)    of the input's product; their sum is b, but for n of a GRU
``bias_hh``    (G*H,)    the reset gate multiplies ``bias_hh``: it is our b_h
=============  ========  ============================================================

The arrays of a layer end in its number, ``_l0``, and those of the backward direction in ``_reverse``; those of
``nn.RNNCell``, ``nn.GRUCell`` and ``nn.LSTMCell`` in nothing. Gates are blocks of H rows: ``r z n`` of a GRU and
``i f g o`` of an LSTM, in our order.
"""

import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from throughtime._errors import InputError
from throughtime.cells import GRU, LSTM, Cell, Elman, GatedCell
from throughtime.interop import layout, torch_files
from throughtime.interop.parts import (
    BACKWARD,
    FORWARD,
    READOUT,
    Model,
    Part,
    Parts,
    linear,
    own_parts,
    require_pool,
    same_layers,
)

if TYPE_CHECKING:
    import torch

GATE_ORDERS: layout.GateOrders = {Elman: ("a",), GRU: ("r", "z", "n"), LSTM: ("i", "f", "g", "o")}
KINDS: Mapping[int, type[GatedCell]] = {1: Elman, 3: GRU, 4: LSTM}
LAYERS = {Elman: "RNN", GRU: "GRU", LSTM: "LSTM"}
ACTIVATIONS = {"tanh": "tanh", "relu": "relu"}
SUFFIXES = {FORWARD: "", BACKWARD: "_reverse"}
RECURRENT = re.compile(r"(?P<prefix>(?:.*\.)?)(?:weight|bias)_(?:ih|hh|hr)(?P<layer>_l(?P<number>\d+)(?:_reverse)?)?")


class StateDict(dict[str, np.ndarray]):
    """The weights of a PyTorch network by their names, as ``load_state_dict`` takes them: :func:`to_torch` makes it."""

    def __init__(self, parts: Parts):
        """Take the arrays of parts; they say the sizes too."""
        super().__init__(parts.arrays())
        self._parts = parts

    def module(self) -> "torch.nn.Module":
        """Return the module with these weights; it is ``batch_first`` and returns its outputs and its state.

        Without a readout it is an ``nn.RNN``, ``nn.GRU`` or ``nn.LSTM``, with one it has them as ``rnn`` and
        ``readout``.

        Raises:
            InputError: if PyTorch is not installed.
        """
        return torch_files.module(self, self._parts)


def from_torch(source: Any, *, nonlinearity: str | None = None, prefix: str = "") -> Any:
    """Return the network that computes the same as one of PyTorch.

    The conversion is differentiable with respect to a dictionary's arrays. Initial states are zeros, as PyTorch's.
    Dropout between layers has no weights: put :class:`throughtime.Dropout` there for training.

    Args:
        source: a module; its ``state_dict()``, of tensors or arrays; or a file of it, ``.pt``, ``.pth``, ``.bin`` or
            ``.safetensors``. The last needs no PyTorch. A file is read without running code from it. The names of a
            network's arrays may have any prefix.
        nonlinearity: "tanh" or "relu", for the weights of ``nn.RNN`` or ``nn.RNNCell``, which do not say it. A module
            does.
        prefix: reads the arrays alone whose names begin so, such as "encoder.", for weights with more than one
            recurrent module.

    Returns:
        A cell for one layer in one direction, :class:`throughtime.Bidirectional` for both, a :class:`throughtime.Stack`
        for more layers; with an ``nn.Linear`` a :class:`throughtime.RecurrentNetwork` of a cell or a
        :class:`throughtime.ManyToMany` of layers, which applies it at each step.

    Raises:
        InputError: for a missing nonlinearity; for an array that is missing, has another shape, or belongs to another
            kind of layer; for ``proj_size``; for more than one recurrent module; for a file that cannot be read.
    """
    return read_torch(source, nonlinearity, prefix).network()


def read_torch(source: Any, nonlinearity: str | None = None, prefix: str = "") -> Parts:
    """Return the parts of :func:`from_torch`'s network, with PyTorch's arrays."""
    module = sys.modules.get("torch")  # whoever has one of its modules has imported it
    if isinstance(source, str | Path):
        source = torch_files.read(Path(source))
    elif module is not None and isinstance(source, module.nn.Module):
        found = {
            each.nonlinearity
            for name, each in source.named_modules()
            if isinstance(each, module.nn.RNN | module.nn.RNNCell) and f"{name}.".startswith(prefix)
        }
        nonlinearity = found.pop() if len(found) == 1 else nonlinearity
        source = source.state_dict()
    weights = {name: torch_files.as_array(value) for name, value in source.items() if name.startswith(prefix)}
    return _parts(weights, nonlinearity)


def to_torch(model: Model) -> StateDict:
    """Return the weights of the PyTorch network that computes the same, by name; PyTorch need not be installed.

    ``bias_ih`` holds the biases, ``bias_hh`` a GRU's ``b_h`` alone. ``module()`` of the result is the module, which
    also has what the weights do not say: the activation, and if the readout reads the last output alone.

    Raises:
        InputError: if one ``nn.RNN``, ``nn.GRU`` or ``nn.LSTM`` with an ``nn.Linear`` cannot compute it: other cells,
            another activation than tanh and relu, layers of different sizes, a mean over time.
    """
    return StateDict(parts_for_torch(model))


def parts_for_torch(model: Model) -> Parts:
    """Return the parts of :func:`to_torch`."""
    parts = own_parts(model)
    require_pool("PyTorch", parts, None, "last")
    same_layers("PyTorch", parts)
    prefix, on_top = ("", "") if parts.readout is None else ("rnn.", "readout.")
    return parts.renamed(lambda part: _readout_arrays(part, on_top) if part.role == READOUT else _arrays(part, prefix))


def _arrays(part: Part, prefix: str) -> dict[str, np.ndarray]:
    cell = part.module
    order = layout.gate_order("PyTorch", GATE_ORDERS, type(cell))
    if isinstance(cell, Elman):
        layout.activation_name("PyTorch", cell, ACTIVATIONS)
    b_ih, b_hh = layout.split_biases(cell)
    arrays = {"weight_ih": cell.w_x, "weight_hh": cell.w_h, "bias_ih": b_ih, "bias_hh": b_hh}
    suffix = f"_l{part.layer}{SUFFIXES[part.role]}"
    return {
        f"{prefix}{name}{suffix}": np.asarray(layout.reorder(array, cell.GATES, order))
        for name, array in arrays.items()
    }


def _readout_arrays(part: Part, prefix: str) -> dict[str, np.ndarray]:
    return {f"{prefix}{name}": np.asarray(getattr(part.module, name)) for name in ("weight", "bias")}


class _Names(NamedTuple):
    """The names of a state dict: the prefix of the recurrent module, its layers, and the names of other modules."""

    prefix: str
    layers: list[str]
    bidirectional: bool
    others: list[str]


def _parts(weights: layout.Weights, nonlinearity: str | None) -> Parts:
    names = _names(weights)
    roles = (FORWARD, BACKWARD) if names.bidirectional else (FORWARD,)
    places = [(number, role, layer) for number, layer in enumerate(names.layers) for role in roles]
    parts, rest = [], dict(weights)
    for number, role, layer in places:
        suffix = layer + SUFFIXES[role]
        of_part = [f"{names.prefix}{name}_{side}{suffix}" for name in ("weight", "bias") for side in ("ih", "hh")]
        arrays = {name: rest.pop(name) for name in of_part if name in rest}
        parts.append(Part(number, role, _cell(arrays, of_part, nonlinearity), arrays))
    if names.others:
        arrays = {name: rest.pop(name) for name in names.others}
        parts.append(Part(len(names.layers), READOUT, _readout(arrays), arrays))
    layout.take(rest, {})  # nothing is left
    return Parts(tuple(parts))


def _names(weights: layout.Weights) -> _Names:
    matches = {name: match for name in weights if (match := RECURRENT.fullmatch(name))}
    prefixes = sorted({match["prefix"] for match in matches.values()})
    if len(prefixes) != 1:
        expected = "weights of one nn.RNN, nn.GRU or nn.LSTM, such as weight_ih_l0"
        raise InputError(
            f"found {len(prefixes)} recurrent modules ({', '.join(map(repr, prefixes)) or 'none'}): expected {expected}"
            + ("; choose one with prefix=, and join them with a Stack" if prefixes else f"; got {', '.join(weights)}"),
            code="not-one-module",
            found=prefixes,
            expected=expected,
        )
    projected = next((name for name in matches if "_hr" in name.removeprefix(prefixes[0])), None)
    if projected:
        raise InputError(
            f"{projected} projects the outputs of an LSTM (proj_size): no cell here does, so it cannot be converted",
            code="unsupported-option",
            found="proj_size",
        )
    numbers = {match["number"] for match in matches.values() if match["number"]}
    layers = [f"_l{number}" for number in range(len(numbers))] if numbers else [""]
    backward = any((match["layer"] or "").endswith("_reverse") for match in matches.values())
    return _Names(prefixes[0], layers, backward, [name for name in weights if name not in matches])


def _cell(weights: layout.Weights, names: list[str], nonlinearity: str | None) -> Cell:
    """Return the cell of a layer's ``weight_ih``, ``weight_hh``, ``bias_ih`` and ``bias_hh``, whose names these are."""
    _, inputs = layout.matrix_shape(weights, names[0], "(G*H, D)")
    rows, hidden = layout.matrix_shape(weights, names[1], "(G*H, H)")
    kind = layout.cell_kind(names[1], (rows, hidden), KINDS)
    shapes: dict[str, tuple[int, ...]] = {names[0]: (rows, inputs), names[1]: (rows, hidden)}
    if len(weights) > 2:  # with biases, both are there
        shapes |= {names[2]: (rows,), names[3]: (rows,)}
    settings = {}
    if kind is Elman:
        settings = {"activation": layout.activation_setting("nonlinearity", nonlinearity, ACTIVATIONS)}
    arrays = layout.take(weights, shapes)
    w_x, w_h, b_ih, b_hh = [
        layout.reorder(array, GATE_ORDERS[kind], kind.GATES) for array in [*arrays, *[jnp.zeros(rows)] * 2][:4]
    ]
    return layout.build_cell(kind, {"w_x": w_x, "w_h": w_h, **layout.merge_biases(kind, b_ih, b_hh)}, settings)


def _readout(weights: layout.Weights) -> Any:
    """Return the readout of an ``nn.Linear``, whose two names may have a prefix."""
    name = next((name for name in weights if name.rpartition(".")[2] == "weight"), next(iter(weights)))
    shape = layout.matrix_shape(weights, name, "(O, H), of an nn.Linear")
    bias = f"{name.removesuffix('weight')}bias"
    shapes = {name: shape} | ({bias: shape[:1]} if bias in weights else {})
    weight, *rest = layout.take(weights, shapes)
    return linear(weight, *rest)
