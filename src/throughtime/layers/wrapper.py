"""A cell around another cell."""

import equinox as eqx

from throughtime.cells.base import Cell
from throughtime.shapes import Array, GateBias, InputWeights, Projected, RecurrentWeights


class Wrapper(Cell):
    """A cell that has the gates, the weights and the projection of the cell inside it, where it does not say otherwise.

    They are properties here, where other cells have fields, hence the ignored types. The weights are the inner cell's
    own arrays: a gradient of the wrapper holds theirs in its ``cell``.

    Attributes:
        cell: the cell inside.
    """

    cell: eqx.AbstractVar[Cell]

    @property
    def GATES(self) -> tuple[str, ...]:  # type: ignore[override]  # noqa: N802
        """The inner cell's gates."""
        return self.cell.GATES

    @property  # type: ignore[misc]
    def w_x(self) -> InputWeights:  # type: ignore[override]
        """The inner cell's input weights."""
        return self.cell.w_x

    @property
    def w_h(self) -> RecurrentWeights:
        """The inner cell's recurrent weights; an AttributeError, as of the cell itself, where it has none."""
        return self.cell.w_h  # type: ignore[attr-defined]

    @property  # type: ignore[misc]
    def b(self) -> GateBias:  # type: ignore[override]
        """The inner cell's bias."""
        return self.cell.b

    def project(self, xs: Array) -> Projected:
        """The inner cell's projection."""
        return self.cell.project(xs)
