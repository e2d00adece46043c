"""Probes in a cell: the gradient by each state and counts of gates, of any loss, from one backward pass.

A loss is a black box that returns one number: it draws a batch, unrolls the cell inside, and may use ``vmap``. So the
numbers of a time step leave it only as derivatives. Let q be a parameter that the loss does not depend on, and let
``probe(s, q, f) = s`` pass on a state s. For the cotangent g = dL/ds its backward pass returns, by definition,

    g  for s,    f(|g|^2)  for q,

although the true derivative by q is 0. A backward pass adds up the cotangents of a parameter over all its uses, here
the T time steps of a scan and the B sequences of a batch. Hence ``grad(loss)`` by q is the sum of f(|g|^2) over all
states: with f(x) = x at the place of the state's lag, the squared gradient by lag; with a constant f, a count.

One trap: under ``vmap`` JAX adds up what differs from sequence to sequence, but takes a number that is the same for all
of them once. So a count is only ever compared with the count of its complement: dead with alive units, not with T * B.

Perturbations of zero, as in :func:`throughtime.recurrence.unroll_perturbed`, would need an array (B, T, H) from outside
the loss, where B and T are not known.
"""

from typing import ClassVar, NamedTuple

import jax
import jax.numpy as jnp

from throughtime._types import Array, Bool, Float, GateBias, Hidden, InputWeights, Projected
from throughtime.cells import Cell, GatedCell, LinearCell, State, dead_and_saturated, gates_and_slopes


class Sums(NamedTuple):
    """Sums over all time steps and sequences of a batch; K is the longest lag.

    Attributes:
        squares: (K + 1,) squared norm of dLoss/ds_(T-k) for lags k = 0 .. K, with s the whole state.
        visits: (K + 1,) above 0 for lags that there are.
        dead: (G,) the number of dead gates of units.
        alive: (G,) the number of the others.
        saturated: (G,) the number of saturated gates of units.
        unsaturated: (G,) the number of the others.
    """

    squares: Float[Array, "lags"]
    visits: Float[Array, "lags"]
    dead: Float[Array, "G"]
    alive: Float[Array, "G"]
    saturated: Float[Array, "G"]
    unsaturated: Float[Array, "G"]


def no_sums(cell: GatedCell, lags: int) -> Sums:
    """Return sums of zero, by which a loss with a :class:`ProbedCell` is differentiated."""
    by_lag, by_gate = jnp.zeros(lags + 1, cell.w_x.dtype), jnp.zeros(len(cell.GATES), cell.w_x.dtype)
    return Sums(by_lag, by_lag, by_gate, by_gate, by_gate, by_gate)


@jax.custom_vjp
def _probe(state: State, sums: Sums, amounts: Sums) -> State:
    """Return ``state``. In the backward pass ``amounts``, the squares times |cotangent|^2, are added to ``sums``."""
    return state


def _probe_forward(state: State, sums: Sums, amounts: Sums) -> tuple[State, Sums]:
    return state, amounts


def _probe_backward(amounts: Sums, cotangent: State) -> tuple[State, Sums, None]:
    floats = [leaf for leaf in jax.tree.leaves(cotangent) if leaf.dtype != jax.dtypes.float0]
    square = jnp.sum(jnp.stack([jnp.sum(jnp.square(leaf)) for leaf in floats]))
    return cotangent, amounts._replace(squares=square * amounts.squares), None


_probe.defvjp(_probe_forward, _probe_backward)


class ProbedCell(Cell):
    """A gated cell with probes: the same outputs and the same gradients by its weights, see :func:`can_be_probed`.

    Sequences run forward. A masked time step counts as a step.
    """

    GATES: ClassVar[tuple[str, ...]] = ()  # the wrapper is only unrolled; nothing asks for its gates
    w_x: InputWeights
    b: GateBias
    cell: GatedCell
    sums: Sums

    def __init__(self, cell: GatedCell, sums: Sums):
        """Put probes into ``cell``."""
        self.w_x, self.b, self.cell, self.sums = cell.w_x, cell.b, cell, sums

    @property
    def hidden(self) -> int:
        """H."""
        return self.cell.hidden

    def project(self, xs: Array) -> Projected:
        """Return the cell's projection of xs (T, D) with two more columns, for the places of states among the lags.

        They are the lag of the state after each step, and the lag T of the initial state in the first row, elsewhere
        -1. Lags that are not followed are K + 1, so that every float type holds the numbers exactly.
        """
        steps, beyond = len(xs), len(self.sums.squares)
        after = jnp.arange(steps)[::-1]
        before = jnp.where(after == steps - 1, steps, -1)
        places = jnp.minimum(jnp.stack([after, before], axis=1), beyond)
        gx = self.cell.project(xs)
        return jnp.concatenate([gx, places.astype(gx.dtype)], axis=1)

    def initial_state(self) -> State:
        """Return the cell's initial state."""
        return self.cell.initial_state()

    def step(self, state: State, gx: GateBias) -> tuple[State, Hidden]:
        """Return the cell's step, with a probe after it, and before it at the initial state."""
        gx, after, before = gx[:-2], gx[-2], gx[-1]
        nothing = jax.tree.map(jnp.zeros_like, self.sums)
        state = _probe(state, self.sums, _at(before, nothing))
        dead, saturated = _dead_and_saturated(self.cell, state, gx)
        counts = [units.sum(1).astype(gx.dtype) for units in (dead, ~dead, saturated, ~saturated)]
        moved, _ = self.cell.step(state, gx)
        moved = _probe(moved, self.sums, _at(after, Sums(nothing.squares, nothing.visits, *counts)))
        if isinstance(self.cell, LinearCell):
            return moved, self.cell.output(self.cell.state_to_array(moved), gx)
        return moved, moved.h


def _at(place: Array, amounts: Sums) -> Sums:
    """Return ``amounts`` with a one at ``place`` in squares and visits; zeros there if no lag has this place."""
    here = (jnp.arange(len(amounts.squares)).astype(place.dtype) == place).astype(amounts.squares.dtype)
    return amounts._replace(squares=here, visits=here)


def _dead_and_saturated(cell: GatedCell, state: State, gx: GateBias) -> tuple[Bool[Array, "G H"], Bool[Array, "G H"]]:
    """Return the dead and the saturated gates of units in this step; nothing of it is differentiated."""
    cell, state, gx = jax.lax.stop_gradient((cell, state, gx))
    return dead_and_saturated(*gates_and_slopes(cell, state, gx), cell.slopes)


def can_be_probed(cell: GatedCell) -> bool:
    """Return True if the output is a function of the state after the step.

    Then the loss's derivative by that state is all of the derivative: no other way leads around the probe.
    """
    if isinstance(cell, LinearCell):
        return True
    step = jax.jit(lambda cell: cell.step(cell.initial_state(), jnp.ones_like(cell.b)))
    moved, y = step(cell)
    return "h" in moved._fields and bool(jnp.array_equal(moved.h, y))
