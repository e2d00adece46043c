"""A network in parts: its cells and its readout, each with the arrays that a framework has for it.

Every framework's file reads its weights into parts and makes parts of a network. So a table of what became what joins
two lists of parts, whatever the frameworks.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from throughtime._errors import InputError
from throughtime._types import Array
from throughtime.cells import Cell
from throughtime.interop import layout
from throughtime.layers import Bidirectional, Dropout, Layer, ManyToMany, ManyToOne, Network, RecurrentNetwork, Stack

FORWARD, BACKWARD, READOUT = "forward", "backward", "readout"
Model = Cell | Layer | Network
"""What a conversion gives and takes: a cell, layers, or a network with a readout."""


class Part(NamedTuple):
    """A cell or the readout of a network.

    Attributes:
        layer: the number of its layer, from 0 at the inputs; that of the readout is the number of layers.
        role: "forward", "backward" or "readout".
        module: the cell, or the linear map of the readout.
        arrays: the arrays of the part, by their names in a framework.
    """

    layer: int
    role: str
    module: Any
    arrays: Mapping[str, ArrayLike]

    @property
    def place(self) -> str:
        """Return its place in words."""
        layer = f"layer {self.layer + 1}"
        return {FORWARD: layer, BACKWARD: f"{layer}, backward"}.get(self.role, self.role)


class Parts(NamedTuple):
    """All parts of a network, from the inputs up.

    Attributes:
        parts: the cells, and the readout if there is one.
        pool: None if the readout reads each step; "last", "mean" or "max" if it reads the whole sequence.
    """

    parts: tuple[Part, ...]
    pool: str | None = None

    @property
    def cells(self) -> list[Part]:
        """Return the parts without the readout."""
        return [part for part in self.parts if part.role != READOUT]

    @property
    def readout(self) -> Part | None:
        """Return the readout, if there is one."""
        return next((part for part in self.parts if part.role == READOUT), None)

    @property
    def bidirectional(self) -> bool:
        """Tell if any layer reads backward."""
        return any(part.role == BACKWARD for part in self.parts)

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the arrays of all parts."""
        return {name: np.asarray(array) for part in self.parts for name, array in part.arrays.items()}

    def renamed(self, arrays: Callable[[Part], Mapping[str, ArrayLike]]) -> "Parts":
        """Return the same parts with the arrays that a function of a part gives."""
        return self._replace(parts=tuple(part._replace(arrays=arrays(part)) for part in self.parts))

    def network(self) -> Any:
        """Return the network: a cell, a :class:`Bidirectional` layer or a :class:`Stack`, with the readout if any.

        Raises:
            InputError: if the sizes of neighboring parts differ.
        """
        by_layer: dict[int, list[Cell]] = {}
        for part in self.cells:
            by_layer.setdefault(part.layer, []).append(part.module)
        layers = [cells[0] if len(cells) == 1 else Bidirectional(*cells) for cells in by_layer.values()]
        layer = layers[0] if len(layers) == 1 else Stack(layers)
        return layer if self.readout is None else _with_readout(layer, self.readout.module, self.pool)


def _with_readout(layer: Cell | Layer, readout: eqx.nn.Linear, pool: str | None) -> Network:
    outputs, inputs = readout.weight.shape
    if inputs != layer.hidden:
        raise InputError(
            f"the readout reads {inputs} values, but the last layer has {layer.hidden} outputs: expected the same "
            "number",
            code="wrong-sizes",
            found=inputs,
            expected=layer.hidden,
        )
    if pool is not None:
        build: Callable[..., Network] = lambda key: ManyToOne(layer, outputs, pool, key=key)  # noqa: E731
    elif isinstance(layer, Cell):
        build = lambda key: RecurrentNetwork(layer, outputs, key=key)  # noqa: E731
    else:
        build = lambda key: ManyToMany(layer, outputs, key=key)  # noqa: E731
    outline: Any = eqx.filter_eval_shape(build, jax.random.key(0))
    return eqx.tree_at(lambda network: (_layer_of(network), network.readout), outline, (layer, readout))


def linear(weight: Array, bias: Array | None = None) -> eqx.nn.Linear:
    """Return a readout with weights (O, H) and a bias (O,); None is a bias of zeros."""
    outputs, inputs = weight.shape
    outline = eqx.filter_eval_shape(eqx.nn.Linear, inputs, outputs, key=jax.random.key(0))
    bias = jnp.zeros(outputs, weight.dtype) if bias is None else bias
    return eqx.tree_at(lambda readout: (readout.weight, readout.bias), outline, (weight, bias))


def dense(weights: layout.Weights) -> eqx.nn.Linear:
    """Return a readout from a kernel (H, O) and a bias (O,), or from a kernel alone, of any folder.

    Raises:
        InputError: if one has another shape, or there are other arrays.
    """
    kernel = next((name for name in weights if name.rpartition("/")[2] == "kernel"), "")
    bias = f"{kernel.removesuffix('kernel')}bias"
    shape = layout.matrix_shape(weights, kernel, "(H, O), of a dense layer") if kernel else ()
    shapes = {kernel: shape} if kernel else {}
    weight, *rest = layout.take(weights, shapes | ({bias: shape[1:]} if bias in weights else {}))
    return linear(weight.T, *rest)


def own_parts(model: Model) -> Parts:
    """Return the parts of a network of this library, with arrays by their places in it.

    :class:`throughtime.Dropout` between layers has no weights and does nothing at inference: it is left out.

    Raises:
        InputError: for a wrapped cell, and for any other network than cells in a :class:`Stack` or in
            :class:`Bidirectional` layers, with or without a readout.
    """
    readout: Any = None
    pool = model.pool if isinstance(model, ManyToOne) else None
    layer: Any = model
    path = ""
    if isinstance(model, RecurrentNetwork | ManyToMany | ManyToOne):
        layer, readout = _layer_of(model), model.readout
        path = "cell." if isinstance(model, RecurrentNetwork) else "layer."
    parts = _cells(layer, path)
    if readout is not None:
        arrays = {"readout.weight": readout.weight, "readout.bias": readout.bias}
        parts = [*parts, Part(parts[-1].layer + 1, READOUT, readout, arrays)]
    return Parts(tuple(parts), pool)


def _layer_of(network: Any) -> Any:
    return network.cell if isinstance(network, RecurrentNetwork) else network.layer


def _cells(layer: Any, path: str) -> list[Part]:
    """Return the parts of a cell or of layers; ``path`` is their place."""
    places = [(path, layer)]
    if isinstance(layer, Stack):
        places = [(f"{path}layers.{number}.", each) for number, each in enumerate(layer.layers)]
    places = [(where, each) for where, each in places if not isinstance(each, Dropout)]
    parts = []
    for number, (where, each) in enumerate(places):
        roles = [(FORWARD, where, each)]
        if isinstance(each, Bidirectional):
            roles = [(role, f"{where}{role}.", getattr(each, role)) for role in (FORWARD, BACKWARD)]
        parts += [Part(number, role, cell, _arrays(cell, inside)) for role, inside, cell in roles]
    return parts


def _arrays(cell: Any, path: str) -> dict[str, Array]:
    if not isinstance(cell, Cell):
        kind = type(cell).__name__
        raise InputError(
            f"a {kind} cannot be converted: expected cells in a Stack or in Bidirectional layers, with or without a "
            "readout",
            code="unsupported-layer",
            found=kind,
        )
    leaves, _ = jax.tree_util.tree_flatten_with_path(eqx.filter(cell, eqx.is_inexact_array))
    return {path + ".".join(str(key.name) for key in keys): leaf for keys, leaf in leaves}


def require_pool(framework: str, parts: Parts, *pools: str | None) -> None:
    """Check that a framework has what the readout reads, among these pools.

    Raises:
        InputError: if it has not.
    """
    if parts.pool not in pools:
        words = " or ".join("of the last output" if pool else "of each step" for pool in pools)
        raise InputError(
            f"{framework} has no layer for pool={parts.pool!r}: expected a readout {words}",
            code="unsupported-pool",
            found=parts.pool,
            expected=list(pools),
        )


def same_layers(framework: str, parts: Parts) -> Sequence[Part]:
    """Return the cells, if one module of a framework holds all of them.

    Raises:
        InputError: if they differ in kind, size, activation or directions.
    """
    kinds = {(type(p.module).__name__, p.module.hidden, getattr(p.module, "activation", None)) for p in parts.cells}
    layers = len({part.layer for part in parts.cells})
    if len(kinds) > 1 or len(parts.cells) not in (layers, 2 * layers):
        found = [f"{p.place}: {type(p.module).__name__} of {p.module.hidden} units" for p in parts.cells]
        raise InputError(
            f"one module of {framework} has layers of one kind and size, all in one direction or all in both; got "
            f"{'; '.join(found)}. Convert the layers one by one.",
            code="unsupported-stack",
            found=found,
        )
    return parts.cells
