"""The pretrained network in a forecaster: its forecasts of a panel, alone or in the mean with trained networks."""

from typing import Any, NamedTuple

import numpy as np

from throughtime.data import Panel
from throughtime.forecasting.config import QUANTILE_HEAD, ForecasterConfig
from throughtime.forecasting.held_out import HeldOut, held_out_loss, hold_out, stretch_factors
from throughtime.forecasting.plan import Calibration, Plan
from throughtime.zero_shot import Weights, quantiles_of, shipped_weights

LONGER = {24: 168, 48: 336, 7: 365}  # the longer season of hours, half hours, days; a week of shorter steps does harm


class ZeroShot(NamedTuple):
    """The pretrained network.

    Attributes:
        weights: of the network.
        card: what it was trained with.
    """

    weights: Weights
    card: dict[str, Any]


def shipped() -> ZeroShot:
    """Return the pretrained network of this package."""
    return ZeroShot(*shipped_weights())


def shipped_for(config: ForecasterConfig) -> ZeroShot | None:
    """Return the pretrained network of this package; None if the forecaster's head excludes it."""
    return shipped() if config.head == QUANTILE_HEAD else None


def zero_shot_quantiles(
    zero_shot: ZeroShot, panel: Panel, rows: np.ndarray, cutoffs: np.ndarray, plan: Plan
) -> np.ndarray:
    """Return the quantiles (R, F, Q) of the steps after cutoffs of some series, ascending, in the data's own units.

    Args:
        zero_shot: the pretrained network.
        panel: N series.
        rows: (R,) series, each with at least one known value before its cutoff.
        cutoffs: (R,) the steps of these series that may be seen.
        plan: the seasons and the horizon.
    """
    begins = panel.offsets[rows]
    histories = [panel.values[begin : begin + known] for begin, known in zip(begins, cutoffs, strict=True)]
    return quantiles_of(zero_shot.weights, histories, seasons_of(plan), plan.design.horizon)


def seasons_of(plan: Plan) -> tuple[int, int]:
    """Return the season of a plan in steps, and a longer one; 1 for none."""
    season = plan.design.seasons[0]
    return season, LONGER.get(season, 1)


def mix(quantiles: np.ndarray, pretrained: np.ndarray, share: float | np.ndarray) -> np.ndarray:
    """Return the weighted mean of quantiles, which keeps the shape of the distributions.

    Lichtendahl, Grushka-Cockayne & Winkler 2013.

    Args:
        quantiles: (R, F, Q) of trained networks.
        pretrained: (R, F, Q) of the pretrained one.
        share: the weight of the pretrained one, for all or for each (R, 1, 1).
    """
    return (1 - share) * quantiles + share * pretrained


def held_out_zero_shot(held: HeldOut, zero_shot: ZeroShot, plan: Plan) -> np.ndarray:
    """Return the quantiles (K * R, F, Q) of all held-out windows."""
    return zero_shot_quantiles(zero_shot, held.panel, *held.judged, plan)


def calibrated(panel: Panel, cutoffs: np.ndarray, zero_shot: ZeroShot, plan: Plan) -> Calibration:
    """Return how wide the intervals of the pretrained network must be for the ends of these series."""
    alone = Calibration(0, zero_shot=1.0)
    held = hold_out(panel, cutoffs, plan, needed=1)
    if held is None:
        return alone
    quantiles = held_out_zero_shot(held, zero_shot, plan)
    loss = held_out_loss(quantiles, held, plan)
    return alone._replace(stretch=stretch_factors(quantiles, held.truth), loss=loss)
