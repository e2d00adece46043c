"""What a cell is.

A cell is one step of a recurrence and nothing more: weights, a state and ``step``. It knows no batch and no time;
:func:`throughtime.unroll` adds both. It is frozen and a JAX pytree, so ``jax.grad`` of a function of a cell gives a
cell whose arrays are the gradients.

``Cell`` is all that unrolling needs, and what a cell of one's own derives from. A ``GatedCell`` also lets its gates be
looked at. A ``MatrixCell`` is the usual kind: its state enters through one matrix product, which a wrapper may
normalize.
"""

from abc import abstractmethod
from typing import Any

import equinox as eqx
import jax.numpy as jnp

from throughtime._types import Array, GateBias, Hidden, InputWeights, Projected, RecurrentWeights

State = Any  # a NamedTuple of arrays, each cell's own


class Cell(eqx.Module):
    """A recurrent cell with G gates of H units over D inputs.

    Every cell obeys, and :func:`throughtime.check_cell` checks:

    - ``project(xs)`` is all of the input's work that needs no state, for any leading axes: (..., D) -> (..., G*H);
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
        """D."""
        return self.w_x.shape[1]

    @property
    def hidden(self) -> int:
        """H."""
        return self.w_x.shape[0] // len(self.GATES)

    def project(self, xs: Array) -> Projected:
        """``xs W_x^T + b`` for every leading axis at once: xs (..., D) -> (..., G*H)."""
        products = xs @ self.w_x.T
        return products + jnp.broadcast_to(self.b, products.shape)

    @abstractmethod
    def initial_state(self) -> State:
        """The state before the first input: zeros."""

    @abstractmethod
    def step(self, state: State, gx: GateBias) -> tuple[State, Hidden]:
        """One time step from a projected input ``gx`` (G*H,): the next state and the output (H,)."""

    def _repr_html_(self) -> str:
        """For a notebook: sizes, gates, weights as images."""
        from throughtime.plots import cell_block

        return cell_block(self).html()

    def __str__(self) -> str:
        """The same as text; ``repr`` names each array with its shape."""
        from throughtime.plots import cell_block

        return cell_block(self).text()


class GatedCell(Cell):
    """A cell whose gates can be looked at while it runs."""

    @abstractmethod
    def gates(self, state: State, gx: GateBias) -> tuple[Hidden, ...]:
        """What each gate of ``GATES`` says in this step, (H,) each."""

    @property
    @abstractmethod
    def slopes(self) -> tuple[float | None, ...]:
        """The largest slope of each gate's function of its pre-activation; None where it is not known."""


class MatrixCell(GatedCell):
    """A cell whose state enters through one matrix product, ``W_h h``, and whose output is its state's ``h``.

    Attributes:
        w_h: recurrent weights (G*H, H).
    """

    w_h: eqx.AbstractVar[RecurrentWeights]

    @abstractmethod
    def activate(self, gx: GateBias, gh: GateBias) -> tuple[Hidden, ...]:
        """The gates from the input's share ``gx`` and the state's share ``gh`` of their pre-activations."""

    @abstractmethod
    def update(self, state: State, gates: tuple[Hidden, ...]) -> State:
        """The next state."""

    def gates(self, state: State, gx: GateBias) -> tuple[Hidden, ...]:
        """What each gate says in this step."""
        return self.activate(gx, self.w_h @ state.h)

    def step(self, state: State, gx: GateBias) -> tuple[State, Hidden]:
        """One time step."""
        state = self.update(state, self.gates(state, gx))
        return state, state.h
