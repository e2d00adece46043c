"""Measuring the gradient through time: from a cell and its inputs to a GradientFlow."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
import numpy as np

from throughtime._errors import InputError
from throughtime._types import Array, Float
from throughtime.cells import Cell, Elman, MatrixCell
from throughtime.gradients.decay import Decay
from throughtime.gradients.finite import NotFinite, first_not_finite
from throughtime.gradients.flow import GradientFlow
from throughtime.gradients.gate_statistics import (
    GateStatistics,
    GateTable,
    gate_statistics,
    gate_table,
    no_gate_statistics,
)
from throughtime.gradients.jacobians import LagNorms, bound, field_slices, lag_norms, spectral_norm, step_jacobians
from throughtime.gradients.lanczos import estimated_lag_norms
from throughtime.layers import RecurrentNetwork, Wrapper

MAX_JACOBIAN_ENTRIES = 100_000_000  # T * S * S, 800 MB in float64; norms of larger products are estimated


@runtime_checkable
class Measurable(Protocol):
    """A model that measures its own gradient flow, such as a Forecaster."""

    def gradient_flow(self, xs: Any, state: Any) -> GradientFlow:
        """Return the gradient flow for inputs of the model's kind."""


class SequenceMeasurement(NamedTuple):
    """The measurements of one sequence; ``gates`` is None for a cell that does not show its gates."""

    lag_norms: LagNorms
    gates: GateTable | None
    not_finite: NotFinite | None


def gradient_flow(model: Any, xs: Any = None, state: Any = None) -> GradientFlow:
    """Measure the gradient through time: the derivative of the last state by each earlier one.

    Args:
        model: a cell; a RecurrentNetwork, whose cell is measured; or a fitted Forecaster.
        xs: the inputs (T, D), or (B, T, D) for the median over B sequences; for a Forecaster a frame of series, by
            default the series that it was fitted on.
        state: the first state, as :func:`throughtime.unroll` takes it; zeros by default.

    Returns:
        The numbers with their verdict and picture: ``.norms``, ``.bound``, ``.half_life``, ``.verdict``, ``.plot()``,
        ``.to_frame()``; see :class:`throughtime.GradientFlow`.

    Raises:
        InputError: for any other model, for inputs that do not fit, and for a Forecaster without a network.

    Example:
        >>> flow = tt.gradient_flow(tt.LSTM(3, 20, key=key), xs)
        >>> print(flow.verdict)
    """
    if isinstance(model, Measurable):
        return model.gradient_flow(xs, state)
    cell = model.cell if isinstance(model, RecurrentNetwork) else model
    if not isinstance(cell, Cell):
        raise InputError(
            f"gradient_flow got a {type(model).__name__}: expected a cell, a RecurrentNetwork or a fitted Forecaster",
            code="not-a-cell",
            found=type(model).__name__,
            expected=["Cell", "RecurrentNetwork", "Forecaster"],
        )
    if xs is None:
        shapes = f"(T, {cell.inputs}) or (B, T, {cell.inputs})"
        raise InputError(f"gradient_flow needs inputs for a cell: pass xs {shapes}", code="no-inputs", expected=shapes)
    return cell_flow(cell, jnp.asarray(xs), state)


def cell_flow(cell: Cell, xs: Float[Array, "T D"] | Float[Array, "B T D"], state: Any = None) -> GradientFlow:
    """Measure the gradient through a cell over one sequence, or the median over several.

    Raises:
        InputError: if xs does not fit the cell or holds no step.
    """
    xs = xs.astype(cell.w_x.dtype)
    _require_inputs(cell, xs)
    measured = [_measure_sequence(cell, sequence, start) for sequence, start in _sequences(xs, state)]
    return GradientFlow(
        cell=type(cell).__name__,
        label=cell_label(cell),
        decay=_decay(cell, [each.lag_norms for each in measured]),
        gate_statistics=_gate_statistics(cell, [each.gates for each in measured], xs.shape[-2]),
        recurrent_norm=_recurrent_norm(cell),
        not_finite=_earliest([each.not_finite for each in measured]),
    )


def cell_label(cell: Cell) -> str:
    """Return a description of a cell: ``Elman, tanh, 32 units``."""
    activation = [getattr(cell.activation, "__name__", "a function")] if isinstance(cell, Elman) else []
    return ", ".join([type(cell).__name__, *activation, f"{cell.hidden} units"])


def _require_inputs(cell: Cell, xs: Array) -> None:
    if xs.ndim not in (2, 3) or xs.shape[-1] != cell.inputs or 0 in xs.shape:
        raise InputError(
            f"xs has shape {xs.shape}: expected (T, {cell.inputs}) or (B, T, {cell.inputs}) with at least one step, "
            f"for a cell of {cell.inputs} inputs",
            code="wrong-shape",
            found=xs.shape,
            expected=f"(T, {cell.inputs}) or (B, T, {cell.inputs})",
        )


def _sequences(xs: Array, state: Any) -> Iterator[tuple[Array, Any]]:
    """Yield each sequence (T, D) with its first state."""
    if xs.ndim == 2:
        yield xs, state
        return
    for b, sequence in enumerate(xs):
        yield sequence, jax.tree.map(lambda leaf, b=b: leaf[b], state)


def _measure_sequence(cell: Cell, xs: Array, state: Any) -> SequenceMeasurement:
    gates = gate_table(cell, xs, state)
    size = max(part.stop for part in field_slices(cell).values())
    if len(xs) * size**2 > MAX_JACOBIAN_ENTRIES:
        return SequenceMeasurement(estimated_lag_norms(cell, xs, state, key=jax.random.key(0)), gates, None)
    steps = step_jacobians(cell, xs, state)
    return SequenceMeasurement(lag_norms(steps), gates, first_not_finite(xs, steps))


def _decay(cell: Cell, measured: Sequence[LagNorms]) -> Decay:
    """Return the median over the sequences, with its bound."""
    median = LagNorms(*(_median(values) for values in zip(*measured, strict=True)))
    bounds, bound_kind = bound(cell, median.step_norms)
    return Decay(
        norms=median.norms,
        bound=bounds,
        bound_kind=bound_kind,
        memory=median.memory,
        singular_values=median.singular_values,
        errors=median.errors,
        per_sequence=np.stack([each.memory for each in measured]),
        paths=median.paths,
    )


def _median(values: tuple[Any, ...]) -> Any:
    """Return the median of arrays of one shape, or of dictionaries of such arrays entry by entry."""
    if isinstance(values[0], dict):
        return {name: _median(tuple(value[name] for value in values)) for name in values[0]}
    return values[0] if len(values) == 1 else np.median(np.stack(values), axis=0)


def _gate_statistics(cell: Cell, tables: Sequence[GateTable | None], steps: int) -> GateStatistics:
    shown = [table for table in tables if table is not None]
    return gate_statistics(cell.GATES, shown) if shown else no_gate_statistics(steps, cell.hidden)


def _recurrent_norm(cell: Cell) -> float | None:
    # A wrapper changes the factor of W_h, so its norm alone says nothing.
    return spectral_norm(cell.w_h) if isinstance(cell, MatrixCell) and not isinstance(cell, Wrapper) else None


def _earliest(problems: Sequence[NotFinite | None]) -> NotFinite | None:
    return min((problem for problem in problems if problem is not None), key=lambda p: p.step, default=None)
