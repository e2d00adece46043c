"""A gated cell with probes: after each step, and before the first one."""

from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp

from throughtime._types import Array, Bool, GateBias, Hidden, InputWeights, Projected
from throughtime.cells import Cell, GatedCell, LinearCell, State, dead_and_saturated, gates_and_slopes
from throughtime.training.probes import Sums, probe


def no_sums(cell: GatedCell, lags: int) -> Sums:
    """Return sums of zero, by which a loss with a :class:`ProbedCell` is differentiated."""
    by_lag, by_gate = jnp.zeros(lags + 1, cell.w_x.dtype), jnp.zeros(len(cell.GATES), cell.w_x.dtype)
    return Sums(by_lag, by_lag, by_gate, by_gate, by_gate, by_gate)


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
        state = probe(state, self.sums, _at(before, nothing))
        dead, saturated = _dead_and_saturated(self.cell, state, gx)
        counts = [units.sum(1).astype(gx.dtype) for units in (dead, ~dead, saturated, ~saturated)]
        moved, _ = self.cell.step(state, gx)
        moved = probe(moved, self.sums, _at(after, Sums(nothing.squares, nothing.visits, *counts)))
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
    step = eqx.filter_jit(lambda cell: cell.step(cell.initial_state(), jnp.ones_like(cell.b)))
    moved, y = step(cell)
    return "h" in moved._fields and bool(jnp.array_equal(moved.h, y))
