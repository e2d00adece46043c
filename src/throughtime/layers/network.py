"""A network of one cell and a linear readout, and its configuration in a file."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

import equinox as eqx
import jax
import numpy as np

from throughtime._arguments import whole_number
from throughtime._errors import InputError
from throughtime._keys import random_key
from throughtime._registry import name_of
from throughtime._types import Array, KeyLike, Whole
from throughtime.cells import ACTIVATIONS, CELLS, Cell, cell_type
from throughtime.layers.arguments import ArrayOrLists, as_inputs, zero_masked
from throughtime.layers.batch_normalization import BatchNorm
from throughtime.layers.initial_state import LearnedInitialState
from throughtime.layers.layer import Network, run_layer
from throughtime.layers.noise import VariationalDropout, Zoneout
from throughtime.layers.normalization import LayerNorm
from throughtime.layers.residual import Residual, SignedEigenvalues
from throughtime.layers.wrapper import Wrapper, per_step

Config = dict[str, Any]
"""A configuration of plain values, for JSON."""

WRAPPERS: dict[str, Callable[..., Cell]] = {
    "layer_norm": LayerNorm,
    "batch_norm": BatchNorm,
    "zoneout": Zoneout,
    "variational_dropout": VariationalDropout,
    "residual": Residual,
    "signed_eigenvalues": SignedEigenvalues,
    "learned_initial_state": LearnedInitialState,
}


class RecurrentNetwork(Network):
    """A cell unrolled through time, and a linear readout of each of its outputs.

    Attributes:
        cell: any cell with D inputs and H units.
        readout: H -> O.
    """

    cell: Cell
    readout: eqx.nn.Linear

    def __init__(self, cell: Cell, outputs: Whole, *, key: KeyLike):
        """Draw a readout with random weights ``U(-1/sqrt(H), 1/sqrt(H))`` for O ``outputs`` of ``cell``.

        Raises:
            InputError: if ``cell`` is not a cell, but a layer such as a Stack.
        """
        if not isinstance(cell, Cell):
            kind = cell.__name__ if isinstance(cell, type) else type(cell).__name__
            raise InputError(
                f"RecurrentNetwork got a {kind}: expected a cell; ManyToMany and StackedNetwork take layers",
                code="wrong-cell",
                found=kind,
            )
        self.cell = cell
        self.readout = eqx.nn.Linear(cell.hidden, whole_number("outputs", outputs), key=random_key(key))

    @property
    def inputs(self) -> int:
        """Return D."""
        return self.cell.inputs

    @property
    def outputs(self) -> int:
        """Return O."""
        return self.readout.weight.shape[0]

    def __call__(
        self, xs: ArrayOrLists, state: Any = None, *, mask: ArrayOrLists | None = None, key: KeyLike | None = None
    ) -> tuple[Any, Array]:
        """Return the state after the last step and the outputs (T, O), or (B, T, O) for a batch (B, T, D).

        Masked steps give zeros. With a ``key``, in training, each sequence gets its own draw of every random cell
        inside ``cell``; see :func:`throughtime.layers.unroll_drawn`. Without a key, at inference, there is no noise.

        Raises:
            InputError: if a shape does not fit, or the mask is not boolean.
        """
        xs, mask = as_inputs(self.inputs, xs, mask)
        state, ys = run_layer(self.cell, xs, state, mask=mask, key=key)
        return state, zero_masked(per_step(self.readout, ys), mask)


def network_config(network: RecurrentNetwork) -> Config:
    """Return the configuration from which :func:`network_from_config` builds the same network, without weights.

    Raises:
        InputError: for a cell, a wrapper or an activation without a name in throughtime, and for another network.
    """
    if not isinstance(network, RecurrentNetwork):
        kind = type(network).__name__
        raise InputError(
            f"a {kind} has no configuration: expected a RecurrentNetwork; restore any other model with "
            "checkpoint.restore and a function that builds it",
            code="no-configuration",
            found=kind,
            expected="RecurrentNetwork",
        )
    return {"cell": cell_config(network.cell), "outputs": network.readout.out_features}


def network_from_config(config: Mapping[str, Any], *, key: KeyLike) -> RecurrentNetwork:
    """Return a network of this configuration with random weights."""
    key_cell, key_readout = jax.random.split(random_key(key))
    return RecurrentNetwork(cell_from_config(config["cell"], key=key_cell), config["outputs"], key=key_readout)


def cell_config(cell: Cell) -> Config:
    """Return the configuration of a cell, wrapped or not: names, sizes and options.

    ``{"cell": "elman", "inputs": 1, "hidden": 100, "activation": "relu"}`` is a bare cell;
    ``{"cell": "zoneout", "rate": 0.1, "of": {"cell": "gru", ...}}`` is a wrapped one.

    Raises:
        InputError: for a cell, a wrapper or an activation without a name in throughtime.
    """
    if isinstance(cell, Wrapper):
        name = name_of("wrapper", WRAPPERS, type(cell))
        return {"cell": name, **_options(cell), "of": cell_config(cell.cell)}
    name = name_of("cell", CELLS, type(cell))
    return {"cell": name, "inputs": cell.inputs, "hidden": cell.hidden, **_options(cell)}


def cell_from_config(config: Mapping[str, Any], *, key: KeyLike) -> Cell:
    """Return a cell of this configuration with random weights."""
    options = dict(config)
    name = options.pop("cell")
    if name in WRAPPERS:
        inner = cell_from_config(options.pop("of"), key=key)
        return WRAPPERS[name](inner, **options)
    return cell_type(name)(**options, key=key)


def _options(cell: Cell) -> Config:
    """Return the static fields of a cell, an activation by its name, numbers as Python's."""
    options = {field.name: getattr(cell, field.name) for field in fields(cell) if field.metadata.get("static")}
    options = {name: value.item() if isinstance(value, np.generic) else value for name, value in options.items()}
    if "activation" in options:
        options["activation"] = name_of("activation", ACTIVATIONS, options["activation"])
    return options
