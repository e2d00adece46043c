"""Batch normalization of a cell's pre-activations, step by step through time."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp

from throughtime._errors import InputError
from throughtime._types import Array, Bool, Float, GateBias, Hidden, Inputs, Int, Mask, Projected
from throughtime.cells import Cell, GatedCell, MatrixCell, State
from throughtime.layers.normalization import require_matrix_cell
from throughtime.layers.wrapper import Wrapper
from throughtime.recurrence import require_shapes

EPSILON = 1e-5
FIRST_GAMMA = 0.1  # a larger one drives tanh into saturation, where gradients vanish: the paper's § 4


class Moments(NamedTuple):
    """Mean and variance (biased, over n) of each pre-activation: (G*H,) of one step, (T, G*H) of T steps."""

    mean: Array
    variance: Array


class BatchStatistics(NamedTuple):
    """What a batch was like, step by step.

    Attributes:
        x: of ``W_x x``, (T, G*H) each.
        h: of ``W_h h``, (T, G*H) each.
        rows: (T,) how many sequences the numbers of each step come from.
    """

    x: Moments
    h: Moments
    rows: Int[Array, "T"]


class BatchNormState(NamedTuple):
    """cell: the inner cell's state; t (): how many steps it has made."""

    cell: State
    t: Int[Array, "*batch"]


class BatchNorm(Wrapper, GatedCell):
    """A cell whose pre-activations are normalized over a batch (Cooijmans et al. 2016, arXiv 1603.09025, eq. 6-7).

    Equations::

        at = minimum(t, steps - 1)
        gx = gamma_x * (Wx @ x - x_mean[at]) / sqrt(x_variance[at] + 1e-5) + b
        gh = gamma_h * (Wh @ h - h_mean[at]) / sqrt(h_variance[at] + 1e-5)
        h, c = cell(h, c, gx, gh)
        t = t + 1
        y = h

    where ``cell`` is the inner one, with c if it has one.

    This cell is for use: it normalizes by running statistics that it holds, one of each of the first ``steps`` time
    steps and the last of them for all later ones. In training a step is normalized by what the whole batch is like at
    this step, which no single sequence knows: :func:`unroll_batch` does that, and gives the statistics back::

        state, ys, statistics = unroll_batch(cell, xs, mask)
        cell = cell.with_statistics(statistics)

    Where the training loop does not carry them along, one pass of the trained cell over its data is enough, with
    ``rate=1``. The running statistics are arrays of the cell like its weights; ``unroll_batch`` does not read them, so
    their gradient is zero in training. An optimizer that decays weights would decay them too.

    The paper also normalizes the LSTM's c on its way to h (eq. 8). This is left out: the inner cell's ``update`` is
    its own.

    Attributes:
        cell: an Elman, GRU, LSTM, SLSTM, or another MatrixCell.
        gamma_x: (G*H,), of the input's share; starts at 0.1.
        gamma_h: (G*H,), of the state's share; starts at 0.1.
        x: running statistics of ``W_x x``, (steps, G*H); start at mean 0 and variance 1.
        h: running statistics of ``W_h h``.
        steps: for how many time steps there are statistics.
    """

    cell: MatrixCell
    gamma_x: GateBias
    gamma_h: GateBias
    x: Moments
    h: Moments
    steps: int = eqx.field(static=True)

    def __init__(self, cell: Cell, steps: int):
        """Statistics of mean 0 and variance 1.

        Raises:
            InputError: for a cell without one recurrent product, and for ``steps`` below 1.
        """
        if steps < 1:
            raise InputError(f"BatchNorm got steps={steps}: expected at least 1, the time steps that a batch has")
        self.cell = require_matrix_cell("BatchNorm", cell)
        self.gamma_x = self.gamma_h = jnp.full_like(cell.b, FIRST_GAMMA)
        shape, dtype = (steps, len(cell.b)), cell.b.dtype
        self.x = self.h = Moments(jnp.zeros(shape, dtype), jnp.ones(shape, dtype))
        self.steps = steps

    @property
    def slopes(self) -> tuple[None, ...]:
        """Not known: normalizing multiplies them by what the batches were like."""
        return (None,) * len(self.GATES)

    def project(self, xs: Array) -> Projected:
        """The input's product alone: what normalizes it and the bias depend on the time step."""
        return xs @ self.w_x.T

    def initial_state(self) -> BatchNormState:
        """The inner cell's, at time step 0."""
        return BatchNormState(self.cell.initial_state(), jnp.zeros((), jnp.int32))

    def gates(self, state: BatchNormState, gx: GateBias) -> tuple[Hidden, ...]:
        """The inner cell's, by the running statistics."""
        at = jnp.minimum(state.t, self.steps - 1)
        x, h = jax.tree.map(lambda moments: moments[at], (self.x, self.h))
        return self.normal_gates(gx, self.w_h @ state.cell.h, x, h)

    def step(self, state: BatchNormState, gx: GateBias) -> tuple[BatchNormState, Hidden]:
        """One time step."""
        moved = self.cell.update(state.cell, self.gates(state, gx))
        return BatchNormState(moved, state.t + 1), moved.h

    def normal_gates(self, gx: GateBias, gh: GateBias, x: Moments, h: Moments) -> tuple[Hidden, ...]:
        """The inner cell's gates from both products, normalized by these moments (G*H,)."""
        return self.cell.activate(self.gamma_x * _normal(gx, x) + self.b, self.gamma_h * _normal(gh, h))

    def with_statistics(self, statistics: BatchStatistics, rate: float = 0.1) -> "BatchNorm":
        """This cell with ``(1 - rate) * old + rate * new`` for running statistics.

        With ``rate=1`` they are the batch's. A step that no sequence of the batch has keeps the old ones.
        """
        shared = min(self.steps, len(statistics.rows))

        def blended(old: Array, new: Array) -> Array:
            part = jnp.where(statistics.rows[:shared, None] > 0, jnp.asarray(rate, old.dtype), 0)
            return old.at[:shared].set((1 - part) * old[:shared] + part * new[:shared])

        running = jax.tree.map(blended, (self.x, self.h), (statistics.x, statistics.h))
        return eqx.tree_at(lambda cell: (cell.x, cell.h), self, running)


def unroll_batch(
    cell: BatchNorm, xs: Inputs, mask: Mask | None = None
) -> tuple[BatchNormState, Float[Array, "B T H"], BatchStatistics]:
    """Run a batch in training: every step is normalized by the batch's own mean and variance at this step.

    A step is counted from a sequence's own start: what is masked out, at either end or between, enters no statistic
    and moves no count. So a padded, masked batch gives the numbers of the unpadded one. At a step that only one
    sequence has, normalizing leaves nothing but the bias. Noise drawn inside the cell is the same for all sequences.

    Args:
        cell: a cell in batch normalization.
        xs: inputs.
        mask: True where there is an input.

    Returns:
        The last state and the outputs, as :func:`throughtime.unroll`, and the statistics of step 0, 1, and so on.

    Raises:
        InputError: where a shape does not fit, or the mask is not boolean.
    """
    xs = jnp.asarray(xs)
    mask = jnp.ones(xs.shape[:-1], bool) if mask is None else jnp.asarray(mask)
    require_shapes(cell, xs, mask)
    if xs.ndim != 3:
        raise InputError(f"xs has shape {xs.shape}: expected a batch (B, T, {cell.inputs}), whose statistics count")
    order = jnp.argsort(~mask, axis=1, stable=True)  # each sequence's own steps first, so that they meet
    back = jnp.argsort(order, axis=1)
    gx = cell.project(jnp.where(mask[..., None], xs, 0))

    def step(state: BatchNormState, gx: Array, observed: Array) -> tuple[BatchNormState, Array, BatchStatistics]:
        gh = state.cell.h @ cell.w_h.T
        x, h = _moments(gx, observed), _moments(gh, observed)
        gates = jax.vmap(cell.normal_gates, in_axes=(0, 0, None, None))(gx, gh, x, h)
        moved = jax.vmap(cell.cell.update)(state.cell, gates)
        return BatchNormState(moved, state.t + 1), moved.h, BatchStatistics(x, h, jnp.sum(observed))

    start = jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, (len(xs), *leaf.shape)), cell.initial_state())
    gx, mask = jnp.take_along_axis(gx, order[..., None], axis=1), jnp.take_along_axis(mask, order, axis=1)
    state, ys, statistics = scan_batch(step, start, gx, mask)
    return state, jnp.take_along_axis(ys, back[..., None], axis=1), statistics


def _normal(z: Array, moments: Moments) -> Array:
    return (z - moments.mean) / jnp.sqrt(moments.variance + EPSILON)


def _moments(z: Float[Array, "B N"], observed: Bool[Array, "B"]) -> Moments:
    """Of the observed rows; zeros where there are none."""
    weights = observed.astype(z.dtype) / jnp.maximum(jnp.sum(observed), 1).astype(z.dtype)
    mean = weights @ z
    return Moments(mean, weights @ jnp.square(z - mean[None]))


def scan_batch(
    step: Callable[[Any, Array, Array], tuple[Any, Array, Any]], state: Any, gx: Array, mask: Array
) -> tuple[Any, Array, Any]:
    """A batch, all of its sequences a step at a time: for a step that looks across them, as no cell can.

    Args:
        step: ``(state, gx (B, G*H), observed (B,)) -> (state, y (B, H), seen)`` of the whole batch.
        state: of the whole batch, with a leading B.
        gx: projected inputs (B, T, G*H).
        mask: (B, T); a sequence's step that is masked out keeps its state and gives zeros.

    Returns:
        The last state, the outputs (B, T, H), and what was seen, with a leading T.
    """

    def masked_step(state: Any, at: tuple[Array, Array]) -> tuple[Any, Any]:
        gx, observed = at
        moved, y, seen = step(state, gx, observed)
        keep = jax.vmap(lambda observed, new, old: jax.tree.map(partial(jnp.where, observed), new, old))
        return keep(observed, moved, state), (keep(observed, y, jnp.zeros_like(y)), seen)

    state, (ys, seen) = jax.lax.scan(masked_step, state, (jnp.swapaxes(gx, 0, 1), mask.T))
    return state, jnp.swapaxes(ys, 0, 1), seen
