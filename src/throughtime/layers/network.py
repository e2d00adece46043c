"""Networks made of cells."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

import equinox as eqx
import jax

from throughtime._registry import name_of
from throughtime._types import Array, Inputs, Key, Mask
from throughtime.cells import ACTIVATIONS, CELLS, Cell, cell_type
from throughtime.layers.batch_normalization import BatchNorm
from throughtime.layers.noise import VariationalDropout, Zoneout, unroll_drawn
from throughtime.layers.normalization import LayerNorm
from throughtime.layers.residual import Residual, SignedEigenvalues
from throughtime.layers.wrapper import Wrapper, per_step
from throughtime.recurrence import unroll


def plain_cell_config(cell: Cell) -> dict[str, Any]:
    """``{"cell": "elman", "inputs": 1, "hidden": 100, "activation": "relu"}``: sizes, and what is fixed by argument.

    Raises:
        InputError: for a cell or an activation that throughtime knows under no name.
    """
    config = {"cell": name_of("cell", CELLS, type(cell)), "inputs": cell.inputs, "hidden": cell.hidden}
    fixed = {field.name: getattr(cell, field.name) for field in fields(cell) if field.metadata.get("static")}
    if "activation" in fixed:
        fixed["activation"] = name_of("activation", ACTIVATIONS, fixed["activation"])
    return config | fixed


def plain_cell_from_config(config: Mapping[str, Any], *, key: Key) -> Cell:
    """A cell of this configuration with random weights."""
    arguments = dict(config)
    return cell_type(arguments.pop("cell"))(**arguments, key=key)


WRAPPERS: dict[str, Callable[..., Cell]] = {
    "layer_norm": LayerNorm,
    "batch_norm": BatchNorm,
    "zoneout": Zoneout,
    "variational_dropout": VariationalDropout,
    "residual": Residual,
    "signed_eigenvalues": SignedEigenvalues,
}


def cell_config(cell: Cell) -> dict[str, Any]:
    """``{"cell": "zoneout", "rate": 0.1, "of": {"cell": "gru", ...}}``, or a plain cell's configuration.

    Raises:
        InputError: for a cell or an activation that throughtime knows under no name.
    """
    if not isinstance(cell, Wrapper):
        return plain_cell_config(cell)
    fixed = {field.name: getattr(cell, field.name) for field in fields(cell) if field.metadata.get("static")}
    return {"cell": name_of("wrapper", WRAPPERS, type(cell)), **fixed, "of": cell_config(cell.cell)}


def cell_from_config(config: Mapping[str, Any], *, key: Key) -> Cell:
    """A cell of this configuration with random weights."""
    if config["cell"] not in WRAPPERS:
        return plain_cell_from_config(config, key=key)
    arguments = dict(config)
    wrapper, inside = WRAPPERS[arguments.pop("cell")], arguments.pop("of")
    return wrapper(cell_from_config(inside, key=key), **arguments)


class RecurrentNetwork(eqx.Module):
    """A cell unrolled through time, and a linear readout of each of its outputs.

    Attributes:
        cell: any cell, D inputs and H units.
        readout: O outputs from H units.
    """

    cell: Cell
    readout: eqx.nn.Linear

    def __init__(self, cell: Cell, outputs: int, *, key: Key):
        """A readout with random weights ``U(-1/sqrt(H), 1/sqrt(H))`` on top of ``cell``."""
        self.cell = cell
        self.readout = eqx.nn.Linear(cell.hidden, outputs, key=key)

    def __call__(
        self, xs: Inputs, state: Any = None, *, mask: Mask | None = None, key: Key | None = None
    ) -> tuple[Any, Array]:
        """The state after the last step and the outputs (T, O), or (B, T, O) of a batch (B, T, D).

        With a ``key``, for training, each sequence runs through its own draw of every random cell in ``cell``; see
        :func:`throughtime.layers.unroll_drawn`. Without one, which is for use, there is no noise.
        """
        if key is None:
            state, ys = unroll(self.cell, xs, state, mask=mask)
        else:
            state, ys = unroll_drawn(self.cell, xs, state, mask=mask, key=key)
        return state, per_step(self.readout, ys)


def network_config(network: RecurrentNetwork) -> dict[str, Any]:
    """The network as plain values, for a file: :func:`network_from_config` builds it again."""
    return {"cell": cell_config(network.cell), "outputs": network.readout.out_features}


def network_from_config(config: Mapping[str, Any], *, key: Key) -> RecurrentNetwork:
    """A network of this configuration with random weights."""
    key_cell, key_readout = jax.random.split(key)
    return RecurrentNetwork(cell_from_config(config["cell"], key=key_cell), config["outputs"], key=key_readout)
