"""The table of cells by name."""

from collections.abc import Callable

from throughtime._registry import resolve
from throughtime.cells.antisymmetric import Antisymmetric
from throughtime.cells.base import Cell
from throughtime.cells.elman import Elman
from throughtime.cells.gru import GRU
from throughtime.cells.lem import LEM
from throughtime.cells.lru import LRU
from throughtime.cells.lstm import LSTM
from throughtime.cells.min_gru import MinGRU
from throughtime.cells.min_lstm import MinLSTM
from throughtime.cells.slstm import SLSTM

CELLS: dict[str, Callable[..., Cell]] = {
    "elman": Elman,
    "gru": GRU,
    "lstm": LSTM,
    "mingru": MinGRU,
    "minlstm": MinLSTM,
    "lru": LRU,
    "slstm": SLSTM,
    "lem": LEM,
    "antisymmetric": Antisymmetric,
}


def cell_type(choice: str | Callable[..., Cell]) -> Callable[..., Cell]:
    """Return the cell class of this name, or ``choice`` itself if it is a class.

    Raises:
        InputError: for an unknown name.
    """
    return resolve("cell", CELLS, choice)
