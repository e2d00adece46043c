"""Cells that are linear in their state: one recurrence for all of them, which may be computed in any order."""

from abc import abstractmethod

from throughtime._types import Array, GateBias, Hidden
from throughtime.cells.base import GatedCell, State


class LinearCell(GatedCell):
    """A cell whose memory s moves by ``s' = a * s + c``, unit by unit, where a and c depend on the input alone.

    Two such moves are one again: ``a2 (a1 s + c1) + c2 = (a2 a1) s + (a2 c1 + c2)``. So :func:`throughtime.unroll` may
    compute all T states in about log T sweeps over whole arrays instead of T steps (Blelloch 1990, "Prefix sums and
    their applications"; Martin & Cundy 2018, arXiv 1709.04057), or by one native kernel for whatever a and c are.

    Every function here works for any leading axes: of one step, or of all T at once.
    """

    @abstractmethod
    def coefficients(self, gx: Array) -> tuple[Array, Array]:
        """A and c, from projected inputs gx (..., G*H): (..., H) each, real or complex."""

    @abstractmethod
    def state_to_array(self, state: State) -> Array:
        """The memory s (..., H) of a state."""

    @abstractmethod
    def array_to_state(self, s: Array) -> State:
        """The state that holds a memory s (..., H)."""

    @abstractmethod
    def output(self, s: Array, gx: Array) -> Array:
        """The output (..., H) of a memory s (..., H), in the step of the projected input gx (..., G*H)."""

    def step(self, state: State, gx: GateBias) -> tuple[State, Hidden]:
        """One time step."""
        a, c = self.coefficients(gx)
        s = a * self.state_to_array(state) + c
        return self.array_to_state(s), self.output(s, gx)
