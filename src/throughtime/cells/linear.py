"""Cells that are linear in their state: one recurrence, whose steps may be joined in any order."""

from abc import abstractmethod

from throughtime._types import Array, GateBias, Hidden
from throughtime.cells.base import GatedCell, State


class LinearCell(GatedCell):
    """A cell with a memory s that moves by ``s = a * s + c``, unit by unit, with a and c from the input alone.

    ``step(state, gx)`` is::

        a, c = coefficients(gx)
        s = a * state_to_array(state) + c
        return array_to_state(s), output(s, gx)

    Two such moves are one again: ``a2 (a1 s + c1) + c2 = (a2 a1) s + (a2 c1 + c2)``. So :func:`throughtime.unroll` can
    compute all T states in about log T sweeps over whole arrays instead of T steps (Blelloch 1990, "Prefix sums and
    their applications"; Martin & Cundy 2018, arXiv 1709.04057), or in one native kernel that serves every such cell.

    Every method but ``step`` works for any leading axes: for one step, or for all T at once.
    """

    @abstractmethod
    def coefficients(self, gx: Array) -> tuple[Array, Array]:
        """Return a and c for projected inputs gx (..., G*H): (..., H) each, real or complex."""

    @abstractmethod
    def state_to_array(self, state: State) -> Array:
        """Return the memory s (..., H) of a state."""

    @abstractmethod
    def array_to_state(self, s: Array) -> State:
        """Return the state of a memory s (..., H)."""

    @abstractmethod
    def output(self, s: Array, gx: Array) -> Array:
        """Return the output (..., H) for a memory s (..., H) after the step of the projected input gx (..., G*H)."""

    def step(self, state: State, gx: GateBias) -> tuple[State, Hidden]:
        """Return the state after a time step, and its output."""
        a, c = self.coefficients(gx)
        s = a * self.state_to_array(state) + c
        return self.array_to_state(s), self.output(s, gx)
