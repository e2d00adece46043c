"""An initial state that is learned."""

import equinox as eqx

from throughtime._types import GateBias, Hidden, KeyLike
from throughtime.cells import Cell, State
from throughtime.layers.noise import RandomCell, ZoneoutState, draw_cells
from throughtime.layers.wrapper import Wrapper


class LearnedInitialState(Wrapper, RandomCell):
    """A cell that starts from a state of trained numbers, the same for all sequences, instead of zeros.

    Equations::

        h, c = h_0, c_0
        h, c = cell(h, c, Wx @ x + b, Wh @ h)
        y = h

    where ``cell`` is the inner one, with c if it has one; the first line is that of the first step alone. The numbers
    start at zero, so that an untrained cell computes the same as the inner one. Steps are the inner cell's, also in its
    kernel or its parallel scan.

    Attributes:
        cell: any cell; other wrappers go inside.
        state: the initial state, like the inner cell's.
    """

    cell: Cell
    state: State

    def __init__(self, cell: Cell):
        """Wrap ``cell``, with zeros to start from."""
        self.cell, self.state = cell, cell.initial_state()

    @property
    def stepper(self) -> Cell:
        """Return the inner cell's."""
        return self.cell.stepper

    def initial_state(self) -> State:
        """Return the learned state."""
        return self.state

    def step(self, state: State, gx: GateBias) -> tuple[State, Hidden]:
        """Run one step of the inner cell."""
        return self.cell.step(state, gx)

    def draw(self, key: KeyLike) -> Cell:
        """Draw the random cells inside; their noise starts at step 0, the units at the learned state."""
        inner = draw_cells(self.cell, key=key)
        first = inner.initial_state()
        state = first._replace(cell=self.state) if isinstance(first, ZoneoutState) else self.state
        return eqx.tree_at(lambda drawn: (drawn.cell, drawn.state), self, (inner, state))
