"""The base of cells that wrap another cell, and functions applied at every time step."""

import math
from collections.abc import Callable

import equinox as eqx
import jax

from throughtime._types import Array, GateBias, InputWeights, Projected, RecurrentWeights
from throughtime.cells import Cell, State


class Wrapper(Cell):
    """A cell around another cell, with the inner cell's gates, weights, projection and initial state.

    A subclass overrides the parts that it changes. Gates and weights are properties here, where other cells have
    fields, hence the ignored types. The weights are the inner cell's own arrays, so a gradient with respect to the
    wrapper holds theirs in its ``cell``.

    Attributes:
        cell: the inner cell.
    """

    cell: eqx.AbstractVar[Cell]

    @property
    def GATES(self) -> tuple[str, ...]:  # type: ignore[override]  # noqa: N802
        """Return the names of the inner cell's gates."""
        return self.cell.GATES

    @property  # type: ignore[misc]
    def w_x(self) -> InputWeights:  # type: ignore[override]
        """Return the inner cell's input weights."""
        return self.cell.w_x

    @property
    def w_h(self) -> RecurrentWeights:
        """Return the inner cell's recurrent weights.

        Raises:
            AttributeError: if the inner cell has none.
        """
        return self.cell.w_h  # type: ignore[attr-defined]

    @property  # type: ignore[misc]
    def b(self) -> GateBias:  # type: ignore[override]
        """Return the inner cell's bias."""
        return self.cell.b

    def project(self, xs: Array) -> Projected:
        """Project inputs (..., D) as the inner cell does."""
        return self.cell.project(xs)

    def initial_state(self) -> State:
        """Return the inner cell's initial state."""
        return self.cell.initial_state()


def per_step(fn: Callable[[Array], Array], xs: Array) -> Array:
    """Apply a function of a vector (D,) at every step of a sequence (T, D) or of a batch (B, T, D).

    Batch and time are merged into one axis: with two, XLA transposes the inputs before a matrix product.
    """
    *leading, width = xs.shape
    steps = jax.vmap(fn)(xs.reshape(math.prod(leading), width))
    return steps.reshape(*leading, *steps.shape[1:])
