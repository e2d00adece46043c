"""A fitted forecaster beyond its arguments."""

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np

from throughtime.data import ColumnNames, Panel
from throughtime.forecasting.plan import Calibration, Plan
from throughtime.forecasting.zero_shot import ZeroShot

if TYPE_CHECKING:  # it loads JAX
    from throughtime.forecasting.network import ForecastNetwork

Networks: TypeAlias = "tuple[ForecastNetwork, ...]"
"""The members of an ensemble; none if the series are too short."""


class Selected(NamedTuple):
    """A plan, and the findings on the held-out ends of the series."""

    plan: Plan
    calibration: Calibration


class Fitted(NamedTuple):
    """A fitted forecaster beyond its arguments: the series, the decisions, the networks and the findings.

    Attributes:
        panel: the series that forecasts start from.
        plan: the decisions that were made before training.
        calibration: the findings of the held-out runs.
        networks: M trained networks; none if nothing was trained.
        losses: (M, steps) the loss of each network's training batches; NaN for steps that were not done.
        notes: sentences about the data and the decisions.
        zero_shot: the pretrained network; None if it takes no part, as with models that former versions saved.
        columns: the names of the columns of the series, for frames that come later.
        learned: (L,) the steps of each series that were learned from, without the series and the steps of updates; None
            for all, as with models that former versions saved.
    """

    panel: Panel
    plan: Plan
    calibration: Calibration
    networks: "Networks"
    losses: np.ndarray
    notes: list[str]
    zero_shot: ZeroShot | None = None
    columns: ColumnNames = ColumnNames()
    learned: np.ndarray | None = None

    @classmethod
    def untrained(cls, panel: Panel, selected: Selected, zero_shot: ZeroShot | None) -> "Fitted":
        """Return a fitted forecaster without trained networks, and without notes."""
        return cls(panel, *selected, (), np.empty((0, 0)), [], zero_shot)
