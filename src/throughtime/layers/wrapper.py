"""A cell around another cell."""

import math
from collections.abc import Callable

import equinox as eqx
import jax

from throughtime._types import Array, GateBias, InputWeights, Projected, RecurrentWeights
from throughtime.cells import Cell


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


def per_step(fn: Callable[[Array], Array], xs: Array) -> Array:
    """A function of one step's vector, at every step of a sequence (T, D) or of a batch (B, T, D).

    The steps become one axis: of two, XLA would lay them on their side before it multiplies them by a matrix.
    """
    *leading, width = xs.shape
    steps = jax.vmap(fn)(xs.reshape(math.prod(leading), width))
    return steps.reshape(*leading, *steps.shape[1:])
