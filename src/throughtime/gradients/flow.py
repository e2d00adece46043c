"""The result of measuring the gradient through time in one cell: numbers, a table, a verdict, a picture."""

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from throughtime.gradients.decay import BoundKind, Decay
from throughtime.gradients.finite import NotFinite
from throughtime.gradients.gate_statistics import GateStatistics

JSON_FIELDS = (
    *("cell", "label", "norms", "bound", "bound_kind", "memory", "singular_values", "errors", "per_sequence", "paths"),
    *("gates", "slopes", "saturated", "dead", "recurrent_norm", "not_finite", "calendar_step", "horizon_by_lag"),
    *("half_life", "is_straight", "reach", "verdict"),
)


class CalendarStep(NamedTuple):
    """A step of the cell on the calendar.

    Attributes:
        label: its length, such as "24 hours".
        steps_per_season: may be a fraction; None if the series have no season.
    """

    label: str
    steps_per_season: float | None


class HorizonSensitivity(NamedTuple):
    """The derivative of a forecaster's median forecast by the values of its window.

    Attributes:
        by_lag: (F, L) magnitude, by step of the forecast and by lag; lag 0 is the last value.
        calendar_step: a step of the forecaster's cell on the calendar.
    """

    by_lag: np.ndarray
    calendar_step: CalendarStep


@dataclass(frozen=True, eq=False)
class GradientFlow:
    """The dependence of a state on earlier ones: the factor by which a gradient shrinks or grows over k steps.

    The arrays of the decay and the statistics of the gates are attributes of the flow, too: ``flow.norms`` is
    ``flow.decay.norms``.

    Attributes:
        cell: the name of the cell's class, such as "LSTM".
        label: a description of the cell, such as "LSTM, 20 units".
        decay: norms by lag; see :class:`Decay`.
        gate_statistics: values and slopes of the gates; see :class:`GateStatistics`.
        recurrent_norm: the largest singular value of a MatrixCell's W_h; None for other cells and for wrapped ones.
        not_finite: the first value that is not finite; None if all are finite.
        sensitivity: a forecaster's sensitivity to its window; None for a cell.
    """

    cell: str
    label: str
    decay: Decay
    gate_statistics: GateStatistics
    recurrent_norm: float | None = None
    not_finite: NotFinite | None = None
    sensitivity: HorizonSensitivity | None = None

    @property
    def norms(self) -> np.ndarray:
        """Return the spectral norms (T + 1,) of dh_T / dh_(T-k) by lag k."""
        return self.decay.norms

    @property
    def bound(self) -> np.ndarray:
        """Return an upper bound (T + 1,) on ``norms``."""
        return self.decay.bound

    @property
    def bound_kind(self) -> BoundKind:
        """Return the kind of the bound: "pascanu" or "product"."""
        return self.decay.bound_kind

    @property
    def memory(self) -> np.ndarray:
        """Return the spectral norms (T + 1,) of dh_T / ds_(T-k), where s is all of the state."""
        return self.decay.memory

    @property
    def singular_values(self) -> np.ndarray:
        """Return the singular values (T + 1, H) of dh_T / dh_(T-k), descending."""
        return self.decay.singular_values

    @property
    def errors(self) -> np.ndarray:
        """Return the errors (T + 1,) of the norms; 0 if they are exact."""
        return self.decay.errors

    @property
    def per_sequence(self) -> np.ndarray:
        """Return the memory (B, T + 1) of each sequence."""
        return self.decay.per_sequence

    @property
    def paths(self) -> dict[str, np.ndarray]:
        """Return the norm (T + 1,) of the gradient through each array of the state alone."""
        return self.decay.paths

    @property
    def steps(self) -> int:
        """Return T."""
        return self.decay.steps

    @property
    def half_life(self) -> float:
        """Return the number of steps that halve the memory."""
        return self.decay.half_life

    @property
    def is_straight(self) -> bool:
        """Return True if the memory falls at an even rate, so that the half-life describes it."""
        return self.decay.is_straight

    @property
    def reach(self) -> int:
        """Return the largest lag at which at least 1 % remains; T means T or more."""
        return self.decay.reach

    @property
    def gates(self) -> dict[str, np.ndarray]:
        """Return the mean value (T,) of each gate; empty for a cell that does not show its gates."""
        return self.gate_statistics.values

    @property
    def slopes(self) -> dict[str, np.ndarray]:
        """Return the mean slope (T,) of each gate's function."""
        return self.gate_statistics.slopes

    @property
    def saturated(self) -> float:
        """Return the share of gates, over units and steps, whose slope is below 5 % of its largest."""
        return self.gate_statistics.saturated.overall

    @property
    def dead(self) -> float:
        """Return the share of gates, over units and steps, whose slope and value are exactly 0."""
        return self.gate_statistics.dead.overall

    @property
    def horizon_by_lag(self) -> np.ndarray | None:
        """Return a forecaster's sensitivity (F, L), by step of the forecast and lag of the value; None for a cell."""
        return None if self.sensitivity is None else self.sensitivity.by_lag

    @property
    def calendar_step(self) -> CalendarStep | None:
        """Return the length of a step of a forecaster's cell; None for a cell."""
        return None if self.sensitivity is None else self.sensitivity.calendar_step

    @cached_property
    def verdict(self) -> str:
        """Return the fate of a gradient, its rate and causes, and the limits of the measurement."""
        from throughtime.gradients.explain import explain

        return explain(self)

    def to_frame(self) -> pl.DataFrame:
        """Return one row per lag: ``lag, norm, bound, memory, error``, and each path as ``path_c``."""
        columns = {"norm": self.norms, "bound": self.bound, "memory": self.memory, "error": self.errors}
        columns |= {f"path_{name}": values for name, values in self.paths.items()}
        return pl.DataFrame({"lag": np.arange(self.steps + 1), **columns})

    def to_json(self) -> str:
        """Return the numbers, the label and the verdict as JSON; numbers that are not finite become null."""
        content = {name: getattr(self, name) for name in JSON_FIELDS}
        for name, share in (("saturated", self.gate_statistics.saturated), ("dead", self.gate_statistics.dead)):
            content |= {f"{name}_by_time": share.by_time, f"{name}_by_unit": share.by_unit}
        return json.dumps(json_values(content))

    def plot(self) -> Any:
        """Return a matplotlib Figure: the decay with bound and paths, singular values, slopes and gates over time."""
        from throughtime.plots import flow_picture

        return flow_picture(self)

    def _repr_html_(self) -> str:
        from throughtime.plots import flow_block

        return flow_block(self).html()

    def __str__(self) -> str:
        """Return the verdict."""
        return self.verdict

    def __repr__(self) -> str:
        """Return the main numbers on one line."""
        return (
            f"GradientFlow({self.label!r}, steps={self.steps}, half_life={self.half_life:.3g}, reach={self.reach}, "
            f"saturated={self.saturated:.2f}, dead={self.dead:.2f})"
        )


def json_values(value: Any) -> Any:
    """Return a value as JSON can hold it: arrays as lists, records as objects, None for numbers that are not finite."""
    if isinstance(value, np.ndarray):
        return json_values(value.tolist())
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return json_values(value._asdict())
    if isinstance(value, dict):
        return {key: json_values(item) for key, item in value.items()}
    if isinstance(value, list):
        return [json_values(item) for item in value]
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value
