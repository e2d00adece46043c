"""Cells by name: one short file each, its equations in its docstring."""

from collections.abc import Callable

from throughtime.cells.antisymmetric import Antisymmetric, AntisymmetricState
from throughtime.cells.base import Cell, GatedCell, MatrixCell
from throughtime.cells.elman import Elman, ElmanState
from throughtime.cells.gru import GRU, GRUState
from throughtime.cells.lem import LEM, LEMState
from throughtime.cells.linear import LinearCell
from throughtime.cells.lru import LRU, LRUState
from throughtime.cells.lstm import LSTM, LSTMState
from throughtime.cells.min_gru import MinGRU, MinGRUState
from throughtime.cells.min_lstm import MinLSTM, MinLSTMState
from throughtime.cells.slstm import SLSTM, SLSTMState
from throughtime.registry import resolve

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
    """The cell class that ``choice`` names, or ``choice`` itself where it is a class."""
    return resolve("cell", CELLS, choice)


__all__ = [
    "CELLS",
    "GRU",
    "LEM",
    "LRU",
    "LSTM",
    "SLSTM",
    "Antisymmetric",
    "AntisymmetricState",
    "Cell",
    "Elman",
    "ElmanState",
    "GRUState",
    "GatedCell",
    "LEMState",
    "LRUState",
    "LSTMState",
    "LinearCell",
    "MatrixCell",
    "MinGRU",
    "MinGRUState",
    "MinLSTM",
    "MinLSTMState",
    "SLSTMState",
    "cell_type",
]
