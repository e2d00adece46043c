"""The base classes of cells.

A cell is one step of a recurrence and nothing more: weights, a state and ``step``. It has no batch axis and no time
axis; :func:`throughtime.unroll` adds both. It is frozen and a JAX pytree, so ``jax.grad`` of a function of a cell gives
a cell whose arrays are the gradients.

``Cell`` is all that unrolling needs; derive your own cell from it. A ``GatedCell`` also shows its gates. A
``MatrixCell`` is the usual kind: its state enters through one matrix product, which a wrapper may normalize.
"""

from abc import abstractmethod
from typing import Any

import equinox as eqx
import jax.numpy as jnp

from throughtime._types import Array, GateBias, Hidden, InputWeights, Projected, RecurrentWeights

State = Any  # a NamedTuple of arrays; every type of cell has its own


class Cell(eqx.Module):
    """A recurrent cell with G gates of H units over D inputs.

    Contracts of every cell, which :func:`throughtime.check_cell` checks:

    - ``project(xs)`` does all work on the input that needs no state, for any leading axes: (..., D) -> (..., G*H);
    - ``step(state, gx) -> (state, y)`` is pure, with ``gx`` (G*H,) and ``y`` (H,), and keeps the state's shapes;
    - ``initial_state()`` is a NamedTuple of zeros.

    Attributes:
        GATES: the gates' names, in the order of the G blocks of H rows of every weight.
        w_x: input weights (G*H, D).
        b: bias (G*H,), as it acts: nothing is added to it at run time.
    """

    GATES: eqx.AbstractClassVar[tuple[str, ...]]
    w_x: eqx.AbstractVar[InputWeights]
    b: eqx.AbstractVar[GateBias]

    @property
    def inputs(self) -> int:
        """Return D, the number of inputs."""
        return self.w_x.shape[1]

    @property
    def hidden(self) -> int:
        """Return H, the number of units."""
        return self.w_x.shape[0] // len(self.GATES)

    def project(self, xs: Array) -> Projected:
        """Return ``xs W_x^T + b`` for any leading axes at once: xs (..., D) -> (..., G*H)."""
        products = xs @ self.w_x.T
        return products + jnp.broadcast_to(self.b, products.shape)

    @property
    def stepper(self) -> "Cell":
        """Return the cell whose steps these are: a wrapper that only changes the initial state returns the inner one.

        Unrolling takes the initial state from this cell and runs the stepper, which may have a kernel.
        """
        return self

    @abstractmethod
    def initial_state(self) -> State:
        """Return the state before the first input: zeros."""

    @abstractmethod
    def step(self, state: State, gx: GateBias) -> tuple[State, Hidden]:
        """Return the next state and the output (H,) for a projected input ``gx`` (G*H,)."""

    def _repr_html_(self) -> str:
        """Return sizes, gates and weights as images, for a notebook."""
        from throughtime.plots import cell_block

        return cell_block(self).html()

    def __str__(self) -> str:
        """Return the same as text; ``repr`` names each array with its shape."""
        from throughtime.plots import cell_block

        return cell_block(self).text()


class GatedCell(Cell):
    """A cell that shows the values of its gates in a step."""

    @abstractmethod
    def gates(self, state: State, gx: GateBias) -> tuple[Hidden, ...]:
        """Return the values of the gates of ``GATES`` in this step, (H,) each."""

    @property
    @abstractmethod
    def slopes(self) -> tuple[float | None, ...]:
        """Return the largest slope of each gate's function of its pre-activation; None if it is not known."""


class MatrixCell(GatedCell):
    """A cell whose state enters through one matrix product, ``W_h h``, and whose output is its state's ``h``.

    ``step(state, gx) = update(state, activate(gx, w_h @ h))``. Derived classes have ``activate`` and ``update``.

    Attributes:
        w_h: recurrent weights (G*H, H).
    """

    w_h: eqx.AbstractVar[RecurrentWeights]

    @abstractmethod
    def activate(self, gx: GateBias, gh: GateBias) -> tuple[Hidden, ...]:
        """Return the gates for the shares of input and state in their pre-activations, ``gx`` and ``gh``."""

    @abstractmethod
    def update(self, state: State, gates: tuple[Hidden, ...]) -> State:
        """Return the next state for the values of the gates."""

    def gates(self, state: State, gx: GateBias) -> tuple[Hidden, ...]:
        """Return the values of the gates in this step, (H,) each."""
        return self.activate(gx, self.w_h @ state.h)

    def step(self, state: State, gx: GateBias) -> tuple[State, Hidden]:
        """Return the next state, and its ``h`` as the output."""
        state = self.update(state, self.gates(state, gx))
        return state, state.h
