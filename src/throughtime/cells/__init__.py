"""Cells by name: one short file each, its equations in its docstring."""

from collections.abc import Callable

from throughtime.cells.base import Cell
from throughtime.cells.elman import Elman, ElmanState
from throughtime.cells.gru import GRU, GRUState
from throughtime.cells.lstm import LSTM, LSTMState
from throughtime.registry import resolve

CELLS: dict[str, Callable[..., Cell]] = {"elman": Elman, "gru": GRU, "lstm": LSTM}


def cell_type(choice: str | Callable[..., Cell]) -> Callable[..., Cell]:
    """The cell class that ``choice`` names, or ``choice`` itself where it is a class."""
    return resolve("cell", CELLS, choice)


__all__ = ["CELLS", "GRU", "LSTM", "Cell", "Elman", "ElmanState", "GRUState", "LSTMState", "cell_type"]
