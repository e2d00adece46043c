"""The user's own input to the laboratory: a file of series, a trained model."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jax

from throughtime._errors import InputError
from throughtime.cells import Cell
from throughtime.data import ColumnNames, Panel
from throughtime.forecasting import Forecaster
from throughtime.lab.files import read_file
from throughtime.layers import RecurrentNetwork
from throughtime.loading import load


@dataclass(frozen=True)
class LabInput:
    """The user's file and model; everything is None without them.

    Attributes:
        file: CSV or Parquet.
        columns: the names of its columns, as far as the user gave them: ``id``, ``time`` and ``target``.
        panel: the series in the file.
        folder: the folder of the model.
        network: a network that predicts the next value; training continues from its weights.
        forecaster: a fitted forecaster; the laboratory shows its reach.
    """

    file: Path | None = None
    columns: Mapping[str, Any] = field(default_factory=dict)
    panel: Panel | None = None
    folder: Path | None = None
    network: RecurrentNetwork | None = None
    forecaster: Forecaster | None = None


def read_input(file: Path | None, folder: Path | None, names: ColumnNames | None = None) -> LabInput:
    """Read the user's file and model.

    Args:
        file: CSV or Parquet.
        folder: that of a saved model.
        names: those of the columns of the series, as far as they are given; covariates are not used.

    Raises:
        InputError: for a file or a folder that cannot be used, and for a network with more than one input or output.
    """
    named = {} if names is None else {"id": names.id, "time": names.time, "target": names.target}
    columns: dict[str, Any] = {name: column for name, column in named.items() if column is not None}
    panel = None if file is None else read_file(file, **columns)
    model = None if folder is None else load(folder)
    if isinstance(model, Forecaster):
        return LabInput(file, columns, panel, folder, forecaster=model)
    if model is not None:
        _require_usable(model, folder)
    return LabInput(file, columns, panel, folder, network=model)


def _require_usable(network: RecurrentNetwork, folder: Path | None) -> None:
    """Refuse a network that the laboratory cannot train or look into."""
    if not _is_differentiable(network.cell):
        kind = type(network.cell).__name__
        raise InputError(
            f"{folder} holds a {kind}, whose state has arrays without a gradient: expected the network of a plain "
            "cell, or a Forecaster",
            code="state-without-gradient",
            file=folder,
            found=kind,
        )
    sizes = network.cell.inputs, network.readout.out_features
    if sizes != (1, 1):
        raise InputError(
            f"{folder} holds a network of {sizes[0]} inputs and {sizes[1]} outputs: expected one of each, to predict "
            "the next value of a series",
            code="not-one-to-one",
            file=folder,
            found=list(sizes),
            expected=[1, 1],
        )


def _is_differentiable(cell: Cell) -> bool:
    """Return True if all arrays of the state are numbers of units, by which the error has a gradient."""
    leaves = jax.tree.leaves(cell.initial_state())
    return all(leaf.dtype.kind == "f" and leaf.shape == (cell.hidden,) for leaf in leaves)
