"""Batch normalization of a cell's pre-activations, with separate statistics for each time step."""

from collections.abc import Callable
from functools import partial
from operator import index
from typing import Any, NamedTuple, SupportsIndex

import equinox as eqx
import jax
import jax.numpy as jnp

from throughtime._devices import vary_alike
from throughtime._errors import InputError
from throughtime._types import Array, Bool, Float, GateBias, Hidden, Int, Projected
from throughtime.cells import Cell, GatedCell, MatrixCell, State
from throughtime.layers.arguments import ArrayOrLists, as_inputs
from throughtime.layers.normalization import require_matrix_cell
from throughtime.layers.wrapper import Wrapper

EPSILON = 1e-5
FIRST_GAMMA = 0.1  # larger values saturate tanh, and gradients vanish: the paper's section 4


class Moments(NamedTuple):
    """Mean and (biased) variance of each pre-activation: (G*H,) for one step, (T, G*H) for T steps."""

    mean: Array
    variance: Array


class BatchStatistics(NamedTuple):
    """The statistics of a batch at each time step.

    Attributes:
        x: of ``W_x x``, (T, G*H) each.
        h: of ``W_h h``, (T, G*H) each.
        counts: (T,) the number of sequences that have the step.
    """

    x: Moments
    h: Moments
    counts: Int[Array, "T"]


class BatchNormState(NamedTuple):
    """The state of a cell in batch normalization: the inner cell's state and t (), the number of steps taken."""

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

    At inference the cell uses stored running statistics: one set for each of the first ``steps`` time steps; later
    steps use the last set. In training a step is normalized by the statistics of the whole batch at that step:
    :func:`unroll_batch_norm` does that and returns the statistics::

        state, ys, statistics = unroll_batch_norm(cell, xs, mask)
        cell = cell.with_statistics(statistics)

    If the training loop does not update them, one pass of the trained cell over its data with ``rate=1`` is enough. The
    running statistics are arrays of the cell like its weights. ``unroll_batch_norm`` does not read them, so their
    gradient is zero in training, but weight decay would change them.

    The paper also normalizes the LSTM's c before it enters h (eq. 8). Here it does not: ``update`` is the inner cell's.

    Attributes:
        cell: an Elman, GRU, LSTM, SLSTM, or another MatrixCell.
        gamma_x: (G*H,), for the input's product; starts at 0.1.
        gamma_h: (G*H,), for the state's product; starts at 0.1.
        x: running statistics of ``W_x x``, (steps, G*H); start at mean 0 and variance 1.
        h: running statistics of ``W_h h``.
        steps: the number of time steps with statistics.
    """

    cell: MatrixCell
    gamma_x: GateBias
    gamma_h: GateBias
    x: Moments
    h: Moments
    steps: int = eqx.field(static=True)

    def __init__(self, cell: Cell, steps: SupportsIndex):
        """Wrap ``cell``, with running statistics of mean 0 and variance 1.

        Raises:
            InputError: if the cell is not a MatrixCell, or ``steps`` is below 1.
        """
        count = index(steps)
        if count < 1:
            raise InputError(
                f"BatchNorm got steps={count}: expected at least 1, the number of time steps of a batch",
                code="no-steps",
                found=count,
                expected=">= 1",
            )
        self.cell = require_matrix_cell("BatchNorm", cell)
        self.gamma_x = self.gamma_h = jnp.full_like(cell.b, FIRST_GAMMA)
        shape, dtype = (count, len(cell.b)), cell.b.dtype
        self.x = self.h = Moments(jnp.zeros(shape, dtype), jnp.ones(shape, dtype))
        self.steps = count

    @property
    def slopes(self) -> tuple[None, ...]:
        """Return None for each gate: normalization scales slopes by a factor that depends on the batch."""
        return (None,) * len(self.GATES)

    def project(self, xs: Array) -> Projected:
        """Return the input's product alone, (..., D) -> (..., G*H): normalization depends on the time step."""
        return xs @ self.w_x.T

    def initial_state(self) -> BatchNormState:
        """Return the inner cell's initial state at step 0."""
        return BatchNormState(self.cell.initial_state(), jnp.zeros((), jnp.int32))

    def gates(self, state: BatchNormState, gx: GateBias) -> tuple[Hidden, ...]:
        """Return the inner cell's gates, normalized by the running statistics."""
        at = jnp.minimum(state.t, self.steps - 1)
        x, h = jax.tree.map(lambda moments: moments[at], (self.x, self.h))
        return self.normalized_gates(gx, self.w_h @ state.cell.h, x, h)

    def step(self, state: BatchNormState, gx: GateBias) -> tuple[BatchNormState, Hidden]:
        """Run one step, normalized by the running statistics."""
        updated = self.cell.update(state.cell, self.gates(state, gx))
        return BatchNormState(updated, state.t + 1), updated.h

    def normalized_gates(self, gx: GateBias, gh: GateBias, x: Moments, h: Moments) -> tuple[Hidden, ...]:
        """Return the inner cell's gates from both products, normalized by these moments (G*H,)."""
        return self.cell.activate(self.gamma_x * _normalized(gx, x) + self.b, self.gamma_h * _normalized(gh, h))

    def with_statistics(self, statistics: BatchStatistics, rate: float = 0.1) -> "BatchNorm":
        """Return this cell with running statistics ``(1 - rate) * old + rate * new``.

        With ``rate=1`` they are the batch's. A step that no sequence of the batch has keeps the old ones.
        """
        shared = min(self.steps, len(statistics.counts))

        def average(old: Array, new: Array) -> Array:
            share = jnp.where(statistics.counts[:shared, None] > 0, jnp.asarray(rate, old.dtype), 0)
            return old.at[:shared].set((1 - share) * old[:shared] + share * new[:shared])

        running = jax.tree.map(average, (self.x, self.h), (statistics.x, statistics.h))
        return eqx.tree_at(lambda cell: (cell.x, cell.h), self, running)


def unroll_batch_norm(
    cell: Cell, xs: ArrayOrLists, mask: ArrayOrLists | None = None
) -> tuple[BatchNormState, Float[Array, "B T H"], BatchStatistics]:
    """Unroll a batch in training: each step is normalized by the batch's own mean and variance at that step.

    Steps are counted from the first unmasked step of each sequence; masked steps, at the ends or between, enter no
    statistics and are not counted. So a padded, masked batch gives the numbers of the unpadded one. At a step that only
    one sequence has, the normalized products are zero and the bias remains.

    Args:
        cell: a cell in batch normalization.
        xs: inputs (B, T, D).
        mask: (B, T), True for steps with an input.

    Returns:
        The last state and the outputs, as :func:`throughtime.unroll` returns them, and the statistics by step.

    Raises:
        InputError: if the cell is not in batch normalization, a shape does not fit, or the mask is not boolean.
    """
    if not isinstance(cell, BatchNorm):
        kind = type(cell).__name__
        raise InputError(
            f"unroll_batch_norm got a {kind}: expected a BatchNorm itself, not a wrapper around one",
            code="wrong-cell",
            found=kind,
            expected="BatchNorm",
        )
    xs, mask = as_inputs(cell.inputs, xs, mask)
    mask = jnp.ones(xs.shape[:-1], bool) if mask is None else mask
    if xs.ndim != 3:
        raise InputError(
            f"xs has shape {xs.shape}: expected a batch (B, T, {cell.inputs}), for its statistics",
            code="wrong-shape",
            found=xs.shape,
            expected=f"(B, T, {cell.inputs})",
        )
    return _unroll_batch(cell, xs, mask)


@eqx.filter_jit
def _unroll_batch(
    cell: BatchNorm, xs: Float[Array, "B T D"], mask: Bool[Array, "B T"]
) -> tuple[BatchNormState, Float[Array, "B T H"], BatchStatistics]:
    """Unroll, compiled once for each shape."""
    order = jnp.argsort(~mask, axis=1, stable=True)  # unmasked steps first, so that equal steps share statistics
    inverse = jnp.argsort(order, axis=1)
    gx = cell.project(jnp.where(mask[..., None], xs, 0))

    def step(state: BatchNormState, gx: Array, observed: Array) -> tuple[BatchNormState, Array, BatchStatistics]:
        gh = state.cell.h @ cell.w_h.T
        x, h = _moments(gx, observed), _moments(gh, observed)
        gates = jax.vmap(cell.normalized_gates, in_axes=(0, 0, None, None))(gx, gh, x, h)
        updated = jax.vmap(cell.cell.update)(state.cell, gates)
        return BatchNormState(updated, state.t + 1), updated.h, BatchStatistics(x, h, jnp.sum(observed))

    first = jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, (len(xs), *leaf.shape)), cell.initial_state())
    first, gx = vary_alike((first, gx), cell, mask)
    gx, mask = jnp.take_along_axis(gx, order[..., None], axis=1), jnp.take_along_axis(mask, order, axis=1)
    state, ys, statistics = _scan_batch(step, first, gx, mask)
    return state, jnp.take_along_axis(ys, inverse[..., None], axis=1), statistics


def _normalized(z: Array, moments: Moments) -> Array:
    return (z - moments.mean) / jnp.sqrt(moments.variance + EPSILON)


def _moments(z: Float[Array, "B N"], observed: Bool[Array, "B"]) -> Moments:
    """Return the moments of the observed rows; zeros if there are none."""
    weights = observed.astype(z.dtype) / jnp.maximum(jnp.sum(observed), 1).astype(z.dtype)
    mean = weights @ z
    return Moments(mean, weights @ jnp.square(z - mean[None]))


BatchStep = Callable[[BatchNormState, Array, Array], tuple[BatchNormState, Array, BatchStatistics]]
"""``(state, gx (B, G*H), observed (B,)) -> (state, y (B, H), statistics)`` of a whole batch."""


def _scan_batch(
    step: BatchStep, state: BatchNormState, gx: Float[Array, "B T GH"], mask: Bool[Array, "B T"]
) -> tuple[BatchNormState, Float[Array, "B T H"], BatchStatistics]:
    """Scan over time with all sequences of a batch in each step; masked steps keep the state and give zeros."""

    def masked_step(state: BatchNormState, at: tuple[Array, Array]) -> tuple[BatchNormState, Any]:
        gx, observed = at
        updated, y, statistics = step(state, gx, observed)
        select = jax.vmap(lambda observed, new, old: jax.tree.map(partial(jnp.where, observed), new, old))
        return select(observed, updated, state), (select(observed, y, jnp.zeros_like(y)), statistics)

    state, (ys, statistics) = jax.lax.scan(masked_step, state, (jnp.swapaxes(gx, 0, 1), mask.T))
    return state, jnp.swapaxes(ys, 0, 1), statistics
