"""A wrapped cell's configuration as plain values: the wrapper's own, around that of the cell inside."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

from throughtime.cells import config as plain
from throughtime.cells.base import Cell
from throughtime.layers.batch_normalisation import BatchNorm
from throughtime.layers.eigenvalues import SignedEigenvalues
from throughtime.layers.noise import VariationalDropout, Zoneout
from throughtime.layers.normalisation import LayerNorm
from throughtime.layers.residual import Residual
from throughtime.layers.wrapper import Wrapper
from throughtime.registry import name_of
from throughtime.shapes import Key

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
        return plain.cell_config(cell)
    fixed = {field.name: getattr(cell, field.name) for field in fields(cell) if field.metadata.get("static")}
    return {"cell": name_of("wrapper", WRAPPERS, type(cell)), **fixed, "of": cell_config(cell.cell)}


def cell_from_config(config: Mapping[str, Any], *, key: Key) -> Cell:
    """A cell of this configuration with random weights."""
    if config["cell"] not in WRAPPERS:
        return plain.cell_from_config(config, key=key)
    arguments = dict(config)
    wrapper, inside = WRAPPERS[arguments.pop("cell")], arguments.pop("of")
    return wrapper(cell_from_config(inside, key=key), **arguments)
