"""What flows back through time in one cell, as a result that one can assert on, tabulate and look at."""

import json
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import polars as pl

UNDERFLOW = 1e-290  # what is 0 after this was only too small for float64
LEFT = 0.01  # what the reach still lets through


class NotFinite(NamedTuple):
    """Where the first value that is not finite stands.

    Attributes:
        step: t, from 0; the step in which it comes up.
        array: "xs", an array of the state by its name, or "the step's Jacobian".
        cause: in words.
    """

    step: int
    array: str
    cause: str


class Unit(NamedTuple):
    """What a step is on the calendar.

    Attributes:
        words: one step, such as "24 hours".
        season: a season's steps; None where there is none.
    """

    words: str
    season: float | None


@dataclass(frozen=True, eq=False)
class GradientFlow:
    """What a state tells about an earlier one, and so what a gradient that flows back over k steps is multiplied by.

    Over several sequences every array is the median over them.

    Attributes:
        cell: what was measured, in words.
        norms: (T + 1,) spectral norm of dh_T / dh_(T-k) by lag k = 0 .. T; h is the array of that name in the state,
            and all of the state where there is none.
        bound: (T + 1,) what the norms cannot exceed.
        bound_is: which bound that is.
        memory: (T + 1,) spectral norm of dh_T / ds_(T-k), s being all of the state: the same as norms where the state
            is h alone, and more where a memory stands behind it.
        singular_values: (T + 1, H) of dh_T / dh_(T-k), descending; the first alone where norms are estimates.
        errors: (T + 1,) of the norms, where the state is too large for exact ones; else 0.
        per_sequence: (B, T + 1) memory of each sequence.
        paths: for each array of a state with several, the norm (T + 1,) of what flows through it alone: "c" is the
            carousel of an LSTM, "h" the path through its gates.
        gates: the mean of each gate (T,), by its name; empty for a cell that does not show its gates.
        slopes: the mean slope of each gate's function (T,).
        saturated: the share of gates, over units and steps, whose slope is below 5 % of their largest.
        dead: the share whose slope and value are exactly 0, as of a ReLU below zero; a part of saturated.
        saturated_by_time, saturated_by_unit, dead_by_time, dead_by_unit: the same shares (T,) and (H,).
        recurrent_norm: the largest singular value of a MatrixCell's W_h; None for another, and for a wrapped one.
        not_finite: where the first value that is not finite stands; None where all are.
        unit: what a step is on the calendar; None where it is just a step.
        horizon_by_lag: (F, L) for a forecaster: by how much each step of the forecast moves with each value of the
            window, lag 0 being the last one; None for a cell.
    """

    cell: str
    norms: np.ndarray
    bound: np.ndarray
    bound_is: str
    memory: np.ndarray
    singular_values: np.ndarray
    errors: np.ndarray
    per_sequence: np.ndarray
    paths: dict[str, np.ndarray]
    gates: dict[str, np.ndarray]
    slopes: dict[str, np.ndarray]
    saturated: float
    dead: float
    saturated_by_time: np.ndarray
    saturated_by_unit: np.ndarray
    dead_by_time: np.ndarray
    dead_by_unit: np.ndarray
    recurrent_norm: float | None = None
    not_finite: NotFinite | None = None
    unit: Unit | None = None
    horizon_by_lag: np.ndarray | None = None

    @cached_property
    def half_life(self) -> float:
        """How many steps halve the memory, by the straight line through its logarithm over the lags.

        Infinite where it does not fall; not a number where the memory is none. Where it falls to exactly 0, as when all
        units are dead, it is the first lag from which on less than half is left; 0 if that is all lags.
        """
        return half_life(self.memory)

    @cached_property
    def reach(self) -> int:
        """The largest lag over which at least 1 % still flows; T where it is more than that."""
        enough = np.flatnonzero(self.memory >= LEFT)
        return int(enough[-1]) if len(enough) else 0

    @property
    def steps(self) -> int:
        """T."""
        return len(self.norms) - 1

    @cached_property
    def verdict(self) -> str:
        """Whether it vanishes, explodes or keeps, how fast, why, and what that does not prove."""
        from throughtime.gradients.explain import explain

        return explain(self)

    def to_frame(self) -> pl.DataFrame:
        """One row a lag: ``lag, norm, bound, memory, error`` and each path as ``path_c``."""
        columns = {"norm": self.norms, "bound": self.bound, "memory": self.memory, "error": self.errors}
        columns |= {f"path_{name}": values for name, values in self.paths.items()}
        return pl.DataFrame({"lag": np.arange(self.steps + 1), **columns})

    def to_json(self) -> str:
        """Every field, with half_life, reach and verdict; null stands for what is not finite."""
        content = {field.name: getattr(self, field.name) for field in fields(self)}
        content |= {"half_life": self.half_life, "reach": self.reach, "verdict": self.verdict}
        return json.dumps({name: plain(value) for name, value in content.items()})

    def plot(self) -> Any:
        """A matplotlib Figure: the reach curve with bound and paths, singular values, slopes and gates over time."""
        from throughtime.plots import flow_picture

        return flow_picture(self)

    def _repr_html_(self) -> str:
        from throughtime.plots import flow_block

        return flow_block(self).html()

    def __str__(self) -> str:
        """The verdict."""
        return self.verdict

    def __repr__(self) -> str:
        """The figures that matter, on a line."""
        return (
            f"GradientFlow({self.cell!r}, steps={self.steps}, half_life={self.half_life:.3g}, reach={self.reach}, "
            f"saturated={self.saturated:.2f}, dead={self.dead:.2f})"
        )


def half_life(memory: np.ndarray) -> float:
    """The half-life in steps of a curve (T + 1,) over the lags; see :attr:`GradientFlow.half_life`."""
    if np.isnan(memory).any():
        return float("nan")
    if np.isinf(memory).any():
        return float("inf")
    lags = np.flatnonzero(memory > 0)
    if len(lags) < 2:
        return float("inf") if len(memory) < 2 else 0.0
    if len(lags) < len(memory) and memory[lags[-1]] > UNDERFLOW:  # gone at a stroke: there is no line to draw
        return float(np.flatnonzero(memory >= 0.5 * memory[0])[-1] + 1)
    lags = lags[1:] if len(lags) > 2 else lags  # the first step of a gated cell is of another kind than the rest
    slope = np.polyfit(lags, np.log2(memory[lags]), 1)[0]
    return float(-1 / slope) if slope < -1e-9 else float("inf")


def plain(value: Any) -> Any:
    """What JSON can hold: lists for arrays, None for what is not finite."""
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, NotFinite | Unit):
        return plain(value._asdict())
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value
