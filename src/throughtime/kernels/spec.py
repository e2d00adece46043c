"""Which cells have a native kernel, and what it takes of them."""

from typing import Any, NamedTuple

from throughtime.cells.activations import ACTIVATIONS, Activation
from throughtime.cells.base import Cell
from throughtime.cells.elman import Elman, ElmanState
from throughtime.cells.gru import GRU, GRUState
from throughtime.cells.lstm import LSTM, LSTMState

# In the order of native/kernels.h.
FUNCTIONS = ("identity", "sigmoid", "tanh", "relu", "leaky_relu", "elu")
NUMBERS: dict[Activation, int] = {ACTIVATIONS[name]: number for number, name in enumerate(FUNCTIONS)}


class Spec(NamedTuple):
    """A kernel.

    Attributes:
        cell: its number in ``native/kernels.h``.
        activation: the same, of an Elman cell.
        state: the class of the cell's state.
        weights: the names of the cell's arrays.
        saved: how many blocks of H a step saves for the way back.
    """

    cell: int
    activation: int
    state: Any
    weights: tuple[str, ...]
    saved: int

    @property
    def has_memory(self) -> bool:
        """Whether the state has a c."""
        return "c" in self.state._fields


def spec_of(cell: Cell) -> Spec | None:
    """The kernel of this cell, by its type and its activation; None where there is none."""
    if type(cell) is LSTM:
        return Spec(2, 0, LSTMState, ("w_x", "w_h", "b"), 5)
    if type(cell) is GRU:
        return Spec(1, 0, GRUState, ("w_x", "w_h", "b", "b_h"), 4)
    if type(cell) is Elman and cell.activation in NUMBERS:
        return Spec(0, NUMBERS[cell.activation], ElmanState, ("w_x", "w_h", "b"), 0)
    return None
