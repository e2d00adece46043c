"""What a cell is.

A cell is one step of a recurrence and nothing more: weights, a state and ``step``. It knows no batch and no time;
:func:`throughtime.unroll` adds both. It is frozen and a JAX pytree, so ``jax.grad`` of a function of a cell gives a
cell whose arrays are the gradients.
"""

from abc import abstractmethod
from typing import Any

import equinox as eqx
import jax.numpy as jnp

from throughtime.shapes import Array, GateBias, Hidden, InputWeights, Projected, RecurrentWeights

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
        w_h: recurrent weights (G*H, H).
        b: bias (G*H,), as it acts: nothing is added to it at run time.
    """

    GATES: eqx.AbstractClassVar[tuple[str, ...]]
    w_x: eqx.AbstractVar[InputWeights]
    w_h: eqx.AbstractVar[RecurrentWeights]
    b: eqx.AbstractVar[GateBias]

    @property
    def inputs(self) -> int:
        """D."""
        return self.w_x.shape[1]

    @property
    def hidden(self) -> int:
        """H."""
        return self.w_h.shape[1]

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
