"""A fitted forecaster beyond its arguments."""

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np

from throughtime.data import Panel
from throughtime.forecasting.config import Calibration, Plan

if TYPE_CHECKING:  # it loads JAX
    from throughtime.forecasting.network import ForecastNetwork

Networks: TypeAlias = "tuple[ForecastNetwork, ...]"
"""The members of an ensemble; none if the series are too short."""


class Fitted(NamedTuple):
    """A fitted forecaster beyond its arguments: the series, the decisions, the networks and the findings.

    Attributes:
        panel: the series that forecasts start from.
        plan: the decisions that were made before training.
        calibration: the findings of the held-out runs.
        networks: M trained networks; none if the series were too short.
        losses: (M, steps) the loss of each network's training batches; NaN for steps that were not done.
        notes: sentences about the data and the decisions.
    """

    panel: Panel
    plan: Plan
    calibration: Calibration
    networks: "Networks"
    losses: np.ndarray
    notes: list[str]
