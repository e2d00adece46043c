"""Keras 3: ``SimpleRNN``, ``GRU``, ``LSTM``, ``Bidirectional``, stacked, and a ``Dense`` layer on top.

====================  ============  ========================================================
``kernel``            (D, G*H)      w_x transposed
``recurrent_kernel``  (H, G*H)      w_h transposed
``bias``              (G*H,)        b
``bias`` of a GRU     (2, 3H)       of the input's and of the recurrent product; their sum is b,
                                    but for the candidate the second is our b_h
====================  ============  ========================================================

Gates are blocks of H columns: ``z r h`` of a GRU (ours: ``r z n``), ``i f c o`` of an LSTM (ours: ``i f g o``). In both
z multiplies the old state. A ``GRU(reset_after=False)`` is a :class:`throughtime.ResetFirstGRU`, and has one bias.
``leaky_relu`` has slope 0.2 in Keras and 0.01 here.
"""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jax.numpy as jnp
import numpy as np

from throughtime._errors import InputError
from throughtime.cells import GRU, LSTM, Cell, Elman, GatedCell, ResetFirstGRU
from throughtime.interop import keras_config, keras_files, layout
from throughtime.interop.keras_config import ACTIVATIONS, LayerOfKeras
from throughtime.interop.parts import BACKWARD, FORWARD, READOUT, Model, Part, Parts, dense, own_parts, require_pool

if TYPE_CHECKING:
    import keras

GATE_ORDERS: layout.GateOrders = {
    Elman: ("a",),
    GRU: ("z", "r", "n"),
    ResetFirstGRU: ("z", "r", "n"),
    LSTM: ("i", "f", "g", "o"),
}
KINDS: Mapping[int, type[GatedCell]] = {1: Elman, 3: GRU, 4: LSTM}
ARRAYS = ("kernel", "recurrent_kernel", "bias")


class KerasWeights(dict[str, np.ndarray]):
    """The weights of a Keras model by their paths, in the order of ``model.get_weights()``: :func:`to_keras` makes it.

    Attributes:
        config: the model without its weights, as Keras serializes it.
    """

    def __init__(self, parts: Parts):
        """Take the arrays of parts; they say the layers too."""
        super().__init__(parts.arrays())
        self.config = keras_config.of_parts(parts)

    def model(self) -> "keras.Sequential":
        """Return the model with these weights.

        Raises:
            InputError: if Keras is not installed.
        """
        made = keras_files.import_keras("a model").saving.deserialize_keras_object(self.config)
        made.set_weights(list(self.values()))
        return made

    def save(self, path: str | Path) -> None:
        """Write a ``.keras`` or a ``.weights.h5`` file, which Keras loads; Keras need not be installed.

        Raises:
            InputError: for another suffix, or if h5py is not installed.
        """
        keras_files.write(Path(path), self.config, self)


def from_keras(source: Any, *, activation: str | None = None) -> Any:
    """Return the network that computes the same as one of Keras.

    The conversion is differentiable with respect to a dictionary's arrays. Dropout has no weights and does nothing at
    inference: it is left out.

    Args:
        source: a model or a layer; a ``.keras`` or ``.weights.h5`` file, which is read without Keras and without
            running code from it; or a dictionary of arrays by their paths, from the inputs up, such as
            ``{variable.path: variable.numpy() for variable in model.weights}``.
        activation: of a ``SimpleRNN``, for a dictionary and a ``.weights.h5`` file, which do not say it. They also do
            not say the activations of the other layers, which are taken to be Keras's defaults.

    Returns:
        A cell for one layer in one direction, :class:`throughtime.Bidirectional` for both, a :class:`throughtime.Stack`
        for more layers. With a ``Dense`` layer it is a :class:`throughtime.RecurrentNetwork` of a cell or a
        :class:`throughtime.ManyToMany` of layers; with ``return_sequences=False`` before it, a
        :class:`throughtime.ManyToOne`.

    Raises:
        InputError: for an array that is missing or has another shape; for a missing activation; for a layer or an
            option that no layer here has; for a file that cannot be read.
    """
    return read_keras(source, activation).network()


def read_keras(source: Any, activation: str | None = None) -> Parts:
    """Return the parts of :func:`from_keras`'s network, with Keras's arrays."""
    module = sys.modules.get("keras")  # whoever has one of its layers has imported it
    if isinstance(source, str | Path):
        path = Path(source)
        config, arrays = keras_files.read(path)
        layers = keras_config.layers_of(config) if config else _in_order(_inferred(arrays), path)
    elif module is not None and isinstance(source, module.layers.Layer):
        layers = keras_config.layers_of(module.saving.serialize_keras_object(source))
        arrays = _arrays_of(source, layers)
    else:
        arrays, layers = source, _inferred(source)
    parts = []
    for layer in layers:
        prefix = f"{layer.path}/" if layer.path else ""
        of_layer = {name: array for name, array in arrays.items() if name.rpartition("/")[0] == layer.path}
        made: Any = dense(of_layer) if layer.role == READOUT else _cell(layer, prefix, of_layer, activation)
        parts.append(Part(layer.number, layer.role, made, of_layer))
    last_only = layers[-1].role == READOUT and not layers[-2].sequences
    return Parts(tuple(parts), "last" if last_only else None)


def to_keras(model: Model) -> KerasWeights:
    """Return the weights, by path, of the Keras model that computes the same; Keras need not be installed.

    ``model()`` of the result is the model, ``save(path)`` writes it.

    Raises:
        InputError: if Keras has no such layer or activation.
    """
    return KerasWeights(parts_for_keras(model))


def parts_for_keras(model: Model) -> Parts:
    """Return the parts of :func:`to_keras`."""
    parts = own_parts(model)
    require_pool("Keras", parts, None, "last")
    for part in parts.cells:
        layout.gate_order("Keras", GATE_ORDERS, type(part.module))
    paths = keras_config.paths(parts)
    return parts.renamed(lambda part: {f"{paths[part.layer, part.role]}/{n}": a for n, a in _arrays(part).items()})


def _arrays(part: Part) -> dict[str, np.ndarray]:
    module = part.module
    if part.role == READOUT:
        return {"kernel": np.asarray(module.weight.T), "bias": np.asarray(module.bias)}
    order = layout.gate_order("Keras", GATE_ORDERS, type(module))
    bias = jnp.stack(layout.split_biases(module), axis=1) if isinstance(module, GRU) else module.b
    arrays = {"kernel": module.w_x, "recurrent_kernel": module.w_h, "bias": bias}
    return {name: np.asarray(layout.reorder(array, module.GATES, order).T) for name, array in arrays.items()}


def _cell(layer: LayerOfKeras, prefix: str, weights: layout.Weights, activation: str | None) -> Cell:
    kernel, recurrent, bias = (f"{prefix}{name}" for name in ARRAYS)
    inputs, _ = layout.matrix_shape(weights, kernel, "(D, G*H)")
    hidden, columns = layout.matrix_shape(weights, recurrent, "(H, G*H)")
    kind = layer.kind or _inferred_kind(layout.cell_kind(recurrent, (columns, hidden), KINDS), weights.get(bias))
    order = GATE_ORDERS[kind]
    columns = len(order) * hidden
    shapes: dict[str, tuple[int, ...]] = {kernel: (inputs, columns), recurrent: (hidden, columns)}
    if layer.bias:
        shapes[bias] = (2, columns) if kind is GRU else (columns,)
    settings = {}
    if kind is Elman:
        settings = {"activation": layout.activation_setting("activation", layer.activation or activation, ACTIVATIONS)}
    w_x, w_h, *biases = [layout.reorder(w.T, order, kind.GATES) for w in layout.take(weights, shapes)]
    b = biases[0] if biases else jnp.zeros((columns, 2) if kind is GRU else columns)
    merged = layout.merge_biases(kind, *b.T) if kind is GRU else {"b": b}
    return layout.build_cell(kind, {"w_x": w_x, "w_h": w_h, **merged}, settings)


def _inferred_kind(kind: type[GatedCell], bias: Any) -> type[GatedCell]:
    """Return the cell of as many gates as ``kind``, whose configuration is not known; the bias tells GRUs apart."""
    if kind is GRU and bias is None:
        raise InputError(
            "the weights of a GRU without biases do not say its reset_after: expected a model or a .keras file",
            code="missing-reset-after",
            expected=".keras",
        )
    return ResetFirstGRU if kind is GRU and len(np.shape(bias)) == 1 else kind


def _inferred(weights: layout.Weights) -> list[LayerOfKeras]:
    """Return the layers of arrays by their paths, from the inputs up, without a configuration."""
    groups: dict[str, list[str]] = {}
    for path in weights:
        parent, _, name = path.rpartition("/")
        groups.setdefault(parent, []).append(name)
    layers: list[LayerOfKeras] = []
    for path, names in groups.items():
        role = BACKWARD if any(word.startswith("backward_") for word in path.split("/")) else FORWARD
        role = role if "recurrent_kernel" in names else READOUT
        number = (layers[-1].number if role == BACKWARD else layers[-1].number + 1) if layers else 0
        layers.append(LayerOfKeras(number, role, path, bias="bias" in names))
    keras_config.require_order([layer.role for layer in layers])
    return layers


def _in_order(layers: list[LayerOfKeras], path: Path) -> list[LayerOfKeras]:
    """Check that the order of a ``.weights.h5`` file's layers is known: it numbers those of each class."""
    classes = sorted({keras_config.class_of(layer.path) for layer in layers if layer.role != READOUT})
    if len(classes) > 1:
        raise InputError(
            f"{path} has layers of several classes ({', '.join(classes)}), and does not say their order: expected a "
            ".keras file",
            code="unknown-order",
            file=path,
            found=classes,
            expected=".keras",
        )
    return layers


def _arrays_of(model: Any, layers: Sequence[LayerOfKeras]) -> dict[str, np.ndarray]:
    """Return the arrays of a model under the paths that a file has for them."""
    variables = [variable for variable in model.weights if variable.path.rpartition("/")[2] in ARRAYS]
    names = [f"{layer.path}/{name}" for layer in layers for name in keras_config.arrays_of(layer)]
    return {name: np.asarray(variable) for name, variable in zip(names, variables, strict=True)}
