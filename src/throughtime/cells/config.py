"""A cell's configuration as plain values: what a file needs to build it again without running code from the file."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from throughtime.cells import CELLS, Cell, cell_type
from throughtime.cells.activations import ACTIVATIONS
from throughtime.registry import name_of
from throughtime.shapes import Key


def cell_config(cell: Cell) -> dict[str, Any]:
    """``{"cell": "elman", "inputs": 1, "hidden": 100, "activation": "relu"}``: sizes, and what is fixed by argument.

    Raises:
        InputError: for a cell or an activation that throughtime knows under no name.
    """
    config = {"cell": name_of("cell", CELLS, type(cell)), "inputs": cell.inputs, "hidden": cell.hidden}
    fixed = {field.name: getattr(cell, field.name) for field in fields(cell) if field.metadata.get("static")}
    if "activation" in fixed:
        fixed["activation"] = name_of("activation", ACTIVATIONS, fixed["activation"])
    return config | fixed


def cell_from_config(config: Mapping[str, Any], *, key: Key) -> Cell:
    """A cell of this configuration with random weights."""
    arguments = dict(config)
    return cell_type(arguments.pop("cell"))(**arguments, key=key)
