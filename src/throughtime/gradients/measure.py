"""Measuring what flows back: from a cell and its inputs to a GradientFlow."""

from functools import singledispatch
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from throughtime._errors import InputError
from throughtime._types import Array, Float
from throughtime.cells import Cell, Elman, GatedCell, MatrixCell, dead_and_saturated, gates_and_slopes
from throughtime.gradients.flow import GradientFlow, NotFinite
from throughtime.gradients.jacobians import (
    Products,
    Steps,
    bound,
    field_slices,
    products,
    spectral_norm,
    step_jacobians,
)
from throughtime.gradients.lanczos import estimated_products
from throughtime.gradients.trajectory import trajectory
from throughtime.layers import RecurrentNetwork, Wrapper

MOST_NUMBERS = 100_000_000  # of T Jacobians, S x S each: 400 MB; beyond, norms are estimated


class GateTable(NamedTuple):
    """Every gate's value (T, G, H) and slope, and whether it is dead or saturated."""

    values: np.ndarray
    slopes: np.ndarray
    dead: np.ndarray
    saturated: np.ndarray


def cell_flow(cell: Cell, xs: Float[Array, "T D"] | Float[Array, "B T D"], state: Any = None) -> GradientFlow:
    """What flows back through a cell over one sequence, or as the median over several.

    Raises:
        InputError: where xs does not fit the cell, or holds no step.
    """
    xs = xs.astype(cell.w_x.dtype)
    if xs.ndim not in (2, 3) or xs.shape[-1] != cell.inputs or 0 in xs.shape:
        raise InputError(
            f"xs has shape {xs.shape}: expected (T, {cell.inputs}) or (B, T, {cell.inputs}) with at least one step, "
            f"for a cell of {cell.inputs} inputs"
        )
    sequences = xs[None] if xs.ndim == 2 else xs
    states = [jax.tree.map(lambda leaf, b=b: leaf[b], state) if xs.ndim == 3 else state for b in range(len(sequences))]
    measured, tables, problems = [], [], []
    for x, start in zip(sequences, states, strict=True):
        steps, found = _products(cell, x, start)
        measured.append(found)
        tables.append(_gates(cell, x, start))
        problems.append(_first_not_finite(x, steps))
    found = Products(*(_median(parts) for parts in zip(*measured, strict=True)))
    bounds, bound_is = bound(cell, found.step_norms)
    table = GateTable(*(np.stack(parts) for parts in zip(*tables, strict=True))) if tables[0] is not None else None
    return GradientFlow(
        cell=describe(cell),
        norms=found.norms,
        bound=bounds,
        bound_is=bound_is,
        memory=found.memory,
        singular_values=found.singular_values,
        errors=found.errors,
        per_sequence=np.stack([each.memory for each in measured]),
        paths=found.paths,
        recurrent_norm=_recurrent_norm(cell),
        not_finite=min((problem for problem in problems if problem), default=None),
        **_shares(cell, table, len(found.step_norms)),
    )


def _recurrent_norm(cell: Cell) -> float | None:
    """A wrapper changes what W_h is multiplied by."""
    return spectral_norm(cell.w_h) if isinstance(cell, MatrixCell) and not isinstance(cell, Wrapper) else None


def describe(cell: Cell) -> str:
    """``Elman, tanh, 32 units``."""
    activation = [getattr(cell.activation, "__name__", "a function")] if isinstance(cell, Elman) else []
    return ", ".join([type(cell).__name__, *activation, f"{cell.hidden} units"])


def _products(cell: Cell, xs: Array, state: Any) -> tuple[Steps | None, Products]:
    size = max(part.stop for part in field_slices(cell).values())
    if len(xs) * size**2 > MOST_NUMBERS:
        return None, estimated_products(cell, xs, state, key=jax.random.key(0))
    steps = step_jacobians(cell, xs, state)
    return steps, products(steps)


def _median(parts: tuple[Any, ...]) -> Any:
    if isinstance(parts[0], dict):
        return {name: _median(tuple(part[name] for part in parts)) for name in parts[0]}
    return parts[0] if len(parts) == 1 else np.median(np.stack(parts), axis=0)


def _gates(cell: Cell, xs: Array, state: Any) -> GateTable | None:
    return GateTable(*map(np.asarray, _gate_table(cell, xs, state))) if isinstance(cell, GatedCell) else None


@eqx.filter_jit
def _gate_table(cell: GatedCell, xs: Array, state: Any) -> tuple[Array, Array, Array, Array]:
    states, gx = trajectory(cell, xs, state)
    before = jax.tree.map(lambda leaf: leaf[:-1], states)
    values, slopes = jax.vmap(lambda state, gx: gates_and_slopes(cell, state, gx))(before, gx)
    dead, saturated = jax.vmap(lambda value, slope: dead_and_saturated(value, slope, cell.slopes))(values, slopes)
    return values, slopes, dead, saturated


def _shares(cell: Cell, table: GateTable | None, steps: int) -> dict[str, Any]:
    """The fields of a GradientFlow that are about gates; tables are (B, T, G, H)."""
    if table is None:
        nothing = {"time": np.zeros(steps), "unit": np.zeros(cell.hidden)}
        return {"gates": {}, "slopes": {}, "saturated": 0.0, "dead": 0.0} | {
            f"{what}_by_{axis}": zeros for what in ("saturated", "dead") for axis, zeros in nothing.items()
        }
    shares: dict[str, Any] = {}
    for name, values in (("gates", table.values), ("slopes", table.slopes)):
        shares[name] = dict(zip(cell.GATES, values.mean(axis=(0, 3)).T.astype(float), strict=True))
    for name, flags in (("saturated", table.saturated), ("dead", table.dead)):
        shares[name] = float(flags.mean())
        shares[f"{name}_by_time"] = flags.mean(axis=(0, 2, 3))
        shares[f"{name}_by_unit"] = flags.mean(axis=(0, 1, 2))
    return shares


def _first_not_finite(xs: Array, steps: Steps | None) -> NotFinite | None:
    """The first step in which something is not finite: its input, its state after it, or its Jacobian."""
    if steps is None:
        return None
    inputs = np.isfinite(np.asarray(xs)).all(axis=1)
    states = {name: np.isfinite(steps.states[1:, part]).all(axis=1) for name, part in steps.fields.items()}
    jacobians = np.isfinite(steps.jacobians).all(axis=(1, 2))
    for t in np.flatnonzero(~(inputs & jacobians & np.all(list(states.values()), axis=0))):
        if not inputs[t]:
            return NotFinite(int(t), "xs", "the input is not finite")
        for name, finite in states.items():
            if not finite[t]:
                largest = float(np.abs(steps.states[t, steps.fields[name]]).max())
                return NotFinite(int(t), name, f"the state overflows, after {largest:.3g} one step before")
        return NotFinite(int(t), "the step's Jacobian", "a slope that is not finite, of a state that is")
    return None


@singledispatch
def gradient_flow(model: Any, xs: Any = None, state: Any = None) -> GradientFlow:
    """Measure what flows back through time: from the last state to each earlier one.

    Args:
        model: a cell; a RecurrentNetwork, whose cell it is then; or a fitted Forecaster.
        xs: the inputs (T, D), or (B, T, D) for the median over B sequences; for a Forecaster a frame of series, by
            default those that it was fitted on.
        state: where to start, as :func:`throughtime.unroll` takes it; zeros by default.

    Returns:
        The figures, the verdict and the picture of it: ``.norms``, ``.bound``, ``.half_life``, ``.verdict``,
        ``.plot()``, ``.to_frame()``; see :class:`throughtime.GradientFlow`.

    Raises:
        InputError: for anything else, inputs that do not fit, and a Forecaster without a network.

    Example:
        >>> flow = tt.gradient_flow(tt.LSTM(3, 20, key=key), xs)
        >>> print(flow.verdict)
    """
    cell = model.cell if isinstance(model, RecurrentNetwork) else model
    if not isinstance(cell, Cell):
        raise InputError(
            f"gradient_flow got a {type(model).__name__}: expected a cell, a RecurrentNetwork or a fitted Forecaster"
        )
    if xs is None:
        raise InputError(f"gradient_flow needs the inputs of a cell: xs (T, {cell.inputs}), or (B, T, {cell.inputs})")
    return cell_flow(cell, jnp.asarray(xs), state)
