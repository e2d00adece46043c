"""What a user brings to the laboratory: a file of series, a trained model."""

from dataclasses import dataclass
from pathlib import Path

import jax

from throughtime._errors import InputError
from throughtime.cells import Cell
from throughtime.data import Panel
from throughtime.forecasting import Forecaster
from throughtime.lab.curves import read_file
from throughtime.layers import RecurrentNetwork
from throughtime.loading import load


@dataclass(frozen=True)
class LabInput:
    """What the user came with; None for what was not lab_input.

    Attributes:
        file: CSV or Parquet.
        panel: what was read of it.
        folder: of the model.
        network: a model that says the next value; training goes on from its weights.
        forecaster: a model that forecasts; what flows back in it can be looked at.
    """

    file: Path | None = None
    panel: Panel | None = None
    folder: Path | None = None
    network: RecurrentNetwork | None = None
    forecaster: Forecaster | None = None


def read_input(file: Path | None, folder: Path | None) -> LabInput:
    """What lies there.

    Raises:
        InputError: for a file or a folder that cannot be used, and a network of other than one input and one output.
    """
    panel = None if file is None else read_file(file)
    model = None if folder is None else load(folder)
    if isinstance(model, Forecaster):
        return LabInput(file, panel, folder, forecaster=model)
    if model is not None and not _can_be_looked_into(model.cell):
        raise InputError(
            f"{folder} holds a {type(model.cell).__name__}, whose state does not consist of numbers that have a "
            "gradient: expected a plain cell's network, or a Forecaster"
        )
    if model is not None and (model.cell.inputs, model.readout.out_features) != (1, 1):
        raise InputError(
            f"{folder} holds a network of {model.cell.inputs} inputs and {model.readout.out_features} outputs: "
            "expected one of each, to say the next value of a series"
        )
    return LabInput(file, panel, folder, network=model)


def _can_be_looked_into(cell: Cell) -> bool:
    """Whether all of its state are units' numbers, by which the error has a gradient."""
    leaves = jax.tree.leaves(cell.initial_state())
    return all(leaf.dtype.kind == "f" and leaf.shape == (cell.hidden,) for leaf in leaves)
