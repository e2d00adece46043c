"""A cell's configuration as plain values: what a file needs to build it again without running code from the file."""

from collections.abc import Mapping
from typing import Any

from throughtime.cells import CELLS, Cell, cell_type
from throughtime.cells.activations import ACTIVATIONS
from throughtime.registry import name_of
from throughtime.shapes import Key


def cell_config(cell: Cell) -> dict[str, Any]:
    """``{"cell": "elman", "inputs": 1, "hidden": 100, "activation": "relu"}``.

    Raises:
        InputError: for a cell or an activation that throughtime knows under no name.
    """
    config = {"cell": name_of("cell", CELLS, type(cell)), "inputs": cell.inputs, "hidden": cell.hidden}
    if hasattr(cell, "activation"):
        config["activation"] = name_of("activation", ACTIVATIONS, cell.activation)
    return config


def cell_from_config(config: Mapping[str, Any], *, key: Key) -> Cell:
    """A cell of this configuration with random weights."""
    arguments = dict(config)
    return cell_type(arguments.pop("cell"))(**arguments, key=key)
