"""The table of cells by name."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from throughtime._registry import LazyTable, resolve

if TYPE_CHECKING:  # it loads JAX
    from throughtime.cells.base import Cell

CELLS: "LazyTable[Callable[..., Cell]]" = LazyTable(
    {
        "elman": "throughtime.cells.elman:Elman",
        "gru": "throughtime.cells.gru:GRU",
        "reset_first_gru": "throughtime.cells.reset_first_gru:ResetFirstGRU",
        "lstm": "throughtime.cells.lstm:LSTM",
        "mingru": "throughtime.cells.min_gru:MinGRU",
        "minlstm": "throughtime.cells.min_lstm:MinLSTM",
        "lru": "throughtime.cells.lru:LRU",
        "slstm": "throughtime.cells.slstm:SLSTM",
        "lem": "throughtime.cells.lem:LEM",
        "antisymmetric": "throughtime.cells.antisymmetric:Antisymmetric",
    }
)


def cell_type(choice: "str | Callable[..., Cell]") -> "Callable[..., Cell]":
    """Return the cell class of this name, or ``choice`` itself if it is a class.

    Raises:
        InputError: for an unknown name.
    """
    return resolve("cell", CELLS, choice)
