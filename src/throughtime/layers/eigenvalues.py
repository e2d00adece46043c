"""Eigenvalues of both signs."""

import jax
import jax.numpy as jnp

from throughtime.cells.base import Cell, State
from throughtime.cells.linear import LinearCell
from throughtime.errors import InputError
from throughtime.layers.wrapper import Wrapper
from throughtime.shapes import Array, GateBias, Hidden


class SignedEigenvalues(Wrapper, LinearCell):
    """A linear cell that can change the sign of its memory (Grazzi et al. 2025, arXiv 2411.12537).

    Equations::

        a, c = coefficients(x)
        h = (2 * a - 1) * h + c
        y = h

    for a cell that moves by ``h = a * h + c`` with a in [0, 1], such as MinGRU and MinLSTM. With a in [0, 1] no such
    cell can tell the parity of a sequence, however long it trains; with a in [-1, 1] it can. What the input adds, c,
    stays the inner cell's, as in the paper.

    Attributes:
        cell: a LinearCell with real a in [0, 1].
    """

    cell: LinearCell

    def __init__(self, cell: Cell):
        """The cell with 2a - 1 for a.

        Raises:
            InputError: for a cell that is not linear in its state, and where a is complex (LRU) or signed already.
        """
        if not isinstance(cell, LinearCell) or isinstance(cell, SignedEigenvalues) or _is_complex(cell):
            raise InputError(
                f"SignedEigenvalues got a {type(cell).__name__}: expected a LinearCell that keeps a share between 0 "
                "and 1 of its memory, such as MinGRU or MinLSTM"
            )
        self.cell = cell

    @property
    def slopes(self) -> tuple[float | None, ...]:
        """The inner cell's."""
        return self.cell.slopes

    def initial_state(self) -> State:
        """The inner cell's."""
        return self.cell.initial_state()

    def gates(self, state: State, gx: GateBias) -> tuple[Hidden, ...]:
        """The inner cell's."""
        return self.cell.gates(state, gx)

    def coefficients(self, gx: Array) -> tuple[Array, Array]:
        """``2a - 1`` and c."""
        a, c = self.cell.coefficients(gx)
        return 2 * a - 1, c

    def pack(self, state: State) -> Array:
        """The inner cell's memory."""
        return self.cell.pack(state)

    def unpack(self, s: Array) -> State:
        """The inner cell's state."""
        return self.cell.unpack(s)

    def read(self, s: Array, gx: Array) -> Array:
        """The inner cell's output."""
        return self.cell.read(s, gx)


def _is_complex(cell: LinearCell) -> bool:
    a, _ = jax.eval_shape(lambda: cell.coefficients(cell.b))
    return jnp.issubdtype(a.dtype, jnp.complexfloating)
