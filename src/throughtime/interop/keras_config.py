"""The configuration of a Keras model, as Keras serializes it: its layers, their options and where a file keeps them."""

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from throughtime._errors import InputError
from throughtime.cells import GRU, LSTM, Cell, Elman, GatedCell, ResetFirstGRU
from throughtime.interop import layout
from throughtime.interop.parts import BACKWARD, FORWARD, READOUT, Part, Parts

RECURRENT: Mapping[str, type[GatedCell]] = {"SimpleRNN": Elman, "GRU": GRU, "LSTM": LSTM}
WITHOUT_WEIGHTS = ("InputLayer", "Dropout")
FOLDERS = {
    "SimpleRNN": "simple_rnn",
    "GRU": "gru",
    "LSTM": "lstm",
    "Bidirectional": "bidirectional",
    "Dense": "dense",
    "TimeDistributed": "time_distributed",
}
"""The names under which a file keeps the layers of a class; the second one is ``gru_1``."""
ACTIVATIONS = {"tanh": "tanh", "relu": "relu", "sigmoid": "sigmoid", "elu": "elu", "linear": "identity"}
NAMES: Mapping[type[Cell], str] = {Elman: "SimpleRNN", GRU: "GRU", ResetFirstGRU: "GRU", LSTM: "LSTM"}


class LayerOfKeras(NamedTuple):
    """A layer with weights, one direction of it if it has two.

    Attributes:
        number: its number from the inputs up, from 0.
        role: "forward", "backward" or "readout".
        path: the folder of its arrays in a file.
        kind: the cell that computes the same; None if nothing says it.
        activation: of a SimpleRNN; None if nothing says it.
        bias: if it has one.
        sequences: if it returns its outputs at all steps.
    """

    number: int
    role: str
    path: str
    kind: type[GatedCell] | None = None
    activation: str | None = None
    bias: bool = True
    sequences: bool = True


def layers_of(config: Mapping[str, Any]) -> list[LayerOfKeras]:
    """Return the layers of a serialized model, or of one serialized layer, from the inputs up.

    Raises:
        InputError: for a layer or an option that no layer here has, for a model that is not a chain of layers, and for
            a configuration that is none of Keras 3's.
    """
    try:
        return _layers(config)
    except (KeyError, TypeError, IndexError, AttributeError) as error:
        raise InputError(
            f"the configuration is none of Keras 3's ({error!r}): expected a model that Keras saved",
            code="bad-file",
            found=type(error).__name__,
        ) from error


def arrays_of(layer: LayerOfKeras) -> list[str]:
    """Return the names of a layer's arrays, in Keras's order."""
    names = ["kernel"] if layer.role == READOUT else ["kernel", "recurrent_kernel"]
    return [*names, "bias"] if layer.bias else names


def _layers(config: Mapping[str, Any]) -> list[LayerOfKeras]:
    is_model = config["class_name"] in ("Sequential", "Functional")
    described = config["config"]["layers"] if is_model else [config]
    _require_chain(described)
    counted: Counter[str] = Counter()
    found: list[LayerOfKeras] = []
    for layer in described:
        name = layer["class_name"]
        if name in WITHOUT_WEIGHTS:
            continue
        if name not in FOLDERS:
            raise _unsupported(f"the layer {name}", name)
        number = len({each.number for each in found})
        found += _described(layer, number, f"layers/{_numbered(FOLDERS[name], counted)}")
    require_order([layer.role for layer in found])
    top = max(layer.number for layer in found if layer.role != READOUT)
    if not all(layer.sequences for layer in found if layer.number < top):
        raise _unsupported("return_sequences=False below another recurrent layer", "return_sequences")
    return found


def require_order(roles: Sequence[str]) -> None:
    """Check that there are recurrent layers, then at most one readout.

    Raises:
        InputError: if there are not.
    """
    if READOUT in roles[:-1] or not roles or roles[0] == READOUT:
        expected = "recurrent layers, then at most one Dense layer"
        raise InputError(
            f"the layers are {', '.join(roles) or 'none'}: expected {expected}",
            code="unsupported-stack",
            found=list(roles),
            expected=expected,
        )


def paths(parts: Parts) -> dict[tuple[int, str], str]:
    """Return the folders in which Keras's files keep parts."""
    counted: Counter[str] = Counter()
    found: dict[tuple[int, str], str] = {}
    for layer in sorted({part.layer for part in parts.parts}):
        of_layer = [part for part in parts.parts if part.layer == layer]
        folder = f"layers/{_numbered(FOLDERS[_class_name(of_layer)], counted)}"
        for part in of_layer:
            inside = f"/{part.role}_layer" if len(of_layer) > 1 else ""
            found[layer, part.role] = folder if part.role == READOUT else f"{folder}{inside}/cell"
    return found


def of_parts(parts: Parts) -> dict[str, Any]:
    """Return the configuration of the Keras model with these parts."""
    layers = [_layer("InputLayer", batch_shape=[None, None, parts.parts[0].module.inputs])]
    last = max(part.layer for part in parts.cells)
    for layer in sorted({part.layer for part in parts.parts}):
        of_layer = [part for part in parts.parts if part.layer == layer]
        sequences = layer < last or parts.pool is None
        if len(of_layer) == 1:
            layers.append(_configured(of_layer[0], sequences))
        else:
            forward, backward = [_configured(part, sequences) for part in of_layer]
            layers.append(_layer("Bidirectional", layer=forward, backward_layer=backward, merge_mode="concat"))
    config = {"name": "network", "layers": layers}
    return {"module": "keras", "class_name": "Sequential", "config": config, "registered_name": None}


def class_of(path: str) -> str:
    """Return the folder's name of a layer's class, ``gru`` of ``layers/gru_1/cell``."""
    name = path.split("/")[1] if "/" in path else path
    stem, _, number = name.rpartition("_")
    return stem if number.isdecimal() else name


def _class_name(of_layer: Sequence[Part]) -> str:
    if len(of_layer) > 1:
        return "Bidirectional"
    return "Dense" if of_layer[0].role == READOUT else NAMES[type(of_layer[0].module)]


def _configured(part: Part, sequences: bool) -> dict[str, Any]:
    module = part.module
    if part.role == READOUT:
        return _layer("Dense", units=module.weight.shape[0], use_bias=True)
    options = {"units": module.hidden, "use_bias": True, "return_sequences": sequences}
    options["go_backwards"] = part.role == BACKWARD
    if isinstance(module, Elman):
        ours = {name: keras for keras, name in ACTIVATIONS.items()}
        options["activation"] = layout.activation_name("Keras", module, ours)
    if isinstance(module, GRU | ResetFirstGRU):
        options["reset_after"] = isinstance(module, GRU)
    return _layer(NAMES[type(module)], **options)


def _layer(name: str, **config: Any) -> dict[str, Any]:
    return {"module": "keras.layers", "class_name": name, "config": config, "registered_name": None}


def _numbered(name: str, counted: Counter[str]) -> str:
    """Return the name of the next layer of a class in a file."""
    counted[name] += 1
    return name if counted[name] == 1 else f"{name}_{counted[name] - 1}"


def _described(layer: Mapping[str, Any], number: int, path: str) -> list[LayerOfKeras]:
    name, config = layer["class_name"], layer["config"]
    if name == "TimeDistributed":
        if config["layer"]["class_name"] != "Dense":
            raise _unsupported(f"TimeDistributed({config['layer']['class_name']})", config["layer"]["class_name"])
        return _described(config["layer"], number, f"{path}/layer")
    if name == "Bidirectional":
        if config["merge_mode"] != "concat":
            raise _unsupported(f"merge_mode={config['merge_mode']!r} of Bidirectional", "merge_mode")
        pairs = (("layer", FORWARD), ("backward_layer", BACKWARD))
        return [_cell(config[key], number, role, f"{path}/{role}_layer/cell") for key, role in pairs]
    if name == "Dense":
        _require(name, config, "activation", "linear")
        return [LayerOfKeras(number, READOUT, path, bias=config["use_bias"])]
    return [_cell(layer, number, FORWARD, f"{path}/cell")]


def _cell(layer: Mapping[str, Any], number: int, role: str, path: str) -> LayerOfKeras:
    name, config = layer["class_name"], layer["config"]
    if name not in RECURRENT:
        raise _unsupported(f"Bidirectional({name})", name)
    kind, activation = RECURRENT[name], None
    _require(name, config, "go_backwards", role == BACKWARD)
    if kind is Elman:
        activation = str(config.get("activation", "tanh"))
    else:
        _require(name, config, "activation", "tanh")
        _require(name, config, "recurrent_activation", "sigmoid")
    if kind is GRU and not config["reset_after"]:
        kind = ResetFirstGRU
    return LayerOfKeras(number, role, path, kind, activation, config["use_bias"], config["return_sequences"])


def _require(layer: str, config: Mapping[str, Any], option: str, expected: Any) -> None:
    if config.get(option, expected) != expected:
        raise _unsupported(f"{option}={config[option]!r} of {layer}", option, expected)


def _require_chain(layers: Sequence[Mapping[str, Any]]) -> None:
    """Check that each layer of a functional model reads the outputs of the one before it, and nothing else."""
    for below, layer in pairwise(layers):
        read = re.findall(r'"keras_history": \["([^"]*)", (\d+), (\d+)\]', json.dumps(layer.get("inbound_nodes", [])))
        if read not in ([], [(below.get("name"), "0", "0")]):
            found = [name for name, *_ in read]
            what = f"a model in which {layer['name']} reads {found}, not only {below['name']}"
            raise _unsupported(what, layer["name"])


def _unsupported(what: str, found: str, expected: Any = None) -> InputError:
    return InputError(
        f"{what} cannot be converted: expected a chain of SimpleRNN, GRU, LSTM, Bidirectional with merge_mode='concat' "
        "and at most one linear Dense layer, with Keras's default options",
        code="unsupported-layer",
        found=found,
        expected=expected,
    )
