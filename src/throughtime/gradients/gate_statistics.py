"""The gates of a cell while it runs: their values, their slopes, and the shares that are dead or saturated."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

from throughtime._compiler import SELDOM, compiled
from throughtime._types import Array, Float
from throughtime.cells import Cell, GatedCell, dead_and_saturated, gates_and_slopes
from throughtime.recurrence import trajectory


class Share(NamedTuple):
    """The share of gates with some property: of all, (T,) of each step and (H,) of each unit."""

    overall: float
    by_time: np.ndarray
    by_unit: np.ndarray


class GateStatistics(NamedTuple):
    """The gates of a cell over all sequences and units.

    Attributes:
        values: the mean of each gate (T,), by its name; empty if the cell does not show its gates.
        slopes: the mean slope of each gate's function (T,), by its name.
        saturated: the share of gates whose slope is below 5 % of the largest slope of their function.
        dead: the share of gates whose slope and value are exactly 0, as of a ReLU below zero; a part of ``saturated``.
    """

    values: dict[str, np.ndarray]
    slopes: dict[str, np.ndarray]
    saturated: Share
    dead: Share


class GateTable(NamedTuple):
    """Every gate of one sequence, (T, G, H) each: its value, its slope, and flags for dead and saturated."""

    values: np.ndarray
    slopes: np.ndarray
    dead: np.ndarray
    saturated: np.ndarray


def gate_table(cell: Cell, xs: Float[Array, "T D"], state: Any) -> GateTable | None:
    """Run one sequence and return its gates, or None if the cell does not show its gates."""
    return GateTable(*map(np.asarray, _gate_arrays(cell, xs, state))) if isinstance(cell, GatedCell) else None


@compiled(SELDOM)
def _gate_arrays(cell: GatedCell, xs: Array, state: Any) -> tuple[Array, Array, Array, Array]:
    states, gx = trajectory(cell, xs, state)
    before = jax.tree.map(lambda leaf: leaf[:-1], states)
    values, slopes = jax.vmap(lambda state, gx: gates_and_slopes(cell, state, gx))(before, gx)
    dead, saturated = jax.vmap(lambda value, slope: dead_and_saturated(value, slope, cell.slopes))(values, slopes)
    return values, slopes, dead, saturated


def gate_statistics(gates: tuple[str, ...], tables: Sequence[GateTable]) -> GateStatistics:
    """Return the statistics of the named gates over the sequences' tables."""
    table = GateTable(*(np.stack(arrays) for arrays in zip(*tables, strict=True)))  # (B, T, G, H)
    return GateStatistics(
        values=_means(gates, table.values),
        slopes=_means(gates, table.slopes),
        saturated=_share(table.saturated),
        dead=_share(table.dead),
    )


def no_gate_statistics(steps: int, hidden: int) -> GateStatistics:
    """Return the statistics of a cell that does not show its gates: no gates, shares of 0."""
    nothing = Share(0.0, np.zeros(steps), np.zeros(hidden))
    return GateStatistics({}, {}, saturated=nothing, dead=nothing)


def _means(gates: tuple[str, ...], values: np.ndarray) -> dict[str, np.ndarray]:
    """Return the mean (T,) of each gate over sequences and units."""
    return dict(zip(gates, values.mean(axis=(0, 3)).T.astype(float), strict=True))


def _share(flags: np.ndarray) -> Share:
    return Share(float(flags.mean()), by_time=flags.mean(axis=(0, 2, 3)), by_unit=flags.mean(axis=(0, 1, 2)))
