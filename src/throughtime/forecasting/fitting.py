"""The stages of fitting a forecaster: decide, encode, select, train."""

from typing import TYPE_CHECKING

import numpy as np

from throughtime._errors import InputError
from throughtime._fork import require_threads
from throughtime.data import Panel
from throughtime.forecasting.config import INSTANT, ForecasterConfig, effort, require_horizon
from throughtime.forecasting.decisions import decisions, explain
from throughtime.forecasting.fitted import Fitted, Selected
from throughtime.forecasting.observations import known_values, observed_counts, trainable
from throughtime.forecasting.plan import Calibration, Plan, make_plan
from throughtime.forecasting.stages import StageCallback, no_callback
from throughtime.forecasting.start import require_same_data
from throughtime.forecasting.zero_shot import ZeroShot, calibrated, shipped_for

if TYPE_CHECKING:  # it loads JAX
    from throughtime.forecasting.rotation import Rotation


def fit_panel(
    config: ForecasterConfig,
    panel: Panel,
    cutoffs: np.ndarray,
    *,
    callback: StageCallback = no_callback,
    start: Fitted | None = None,
    rotation: "Rotation | None" = None,
) -> Fitted:
    """Learn from the first ``cutoffs`` (N,) steps of each series alone.

    Args:
        config: the settings of the forecaster.
        panel: N series.
        cutoffs: (N,) the steps of each series that may be seen.
        callback: hears of the progress of each stage; by returning True it ends the stage.
        start: a fitted forecaster of the same settings, whose networks training may go on from.
        rotation: panels of this kind that networks are trained on in turn, in the place of this one, which is a sample
            of their series and decides all else.

    Raises:
        InputError: for a horizon that is too long for the series, for values that the head cannot have, for covariates
            if the preset is "instant", and for a start with another frequency or other covariates.
    """
    require_threads()
    if start is not None:
        require_same_data(panel, start)
    plan = decide(config, panel, cutoffs)
    if _trains(config, panel, cutoffs) and trainable(panel, cutoffs, config.horizon):
        from throughtime.forecasting.trained import fit_networks  # loads JAX

        fitted = fit_networks(config, panel, cutoffs, plan, callback=callback, start=start, rotation=rotation)
    else:
        zero_shot = shipped_for(config)
        fitted = Fitted.untrained(panel, _untrained(config, panel, cutoffs, plan, zero_shot), zero_shot)
    made = decisions(panel, cutoffs, fitted, config)
    return fitted._replace(notes=[*panel.notes, *explain(made)], learned=cutoffs)


def _trains(config: ForecasterConfig, panel: Panel, cutoffs: np.ndarray) -> bool:
    """Return True if networks are trained: the settings, the number of values or covariates ask for it.

    Raises:
        InputError: for covariates if the preset is "instant".
    """
    covariates = panel.covariates
    if config.preset == INSTANT and covariates is not None and covariates.names:
        raise InputError(
            f"the pretrained network reads no covariates, and there are {', '.join(covariates.names)}: leave them out, "
            "or take another preset, such as 'balanced', which trains a network that reads them",
            code="covariates-of-instant",
            found=covariates.names,
        )
    return covariates is not None or config.trains(int(observed_counts(panel, cutoffs).sum()))


def _untrained(
    config: ForecasterConfig, panel: Panel, cutoffs: np.ndarray, plan: Plan, zero_shot: ZeroShot | None
) -> Selected:
    """Return the plan of the pretrained network, or of the seasonal naive forecast."""
    if zero_shot is None:
        return Selected(plan, Calibration(plan.steps))
    calibration = Calibration(0, zero_shot=1.0)
    return Selected(
        plan, calibrated(panel, cutoffs, zero_shot, plan) if effort(config.preset).holds_out else calibration
    )


def decide(config: ForecasterConfig, panel: Panel, cutoffs: np.ndarray) -> Plan:
    """Return the plan for a panel, from the first ``cutoffs`` (N,) steps of each series and before any training.

    Raises:
        InputError: for a horizon that is too long for the series, and for values that the head cannot have.
    """
    require_horizon(config.horizon, int(panel.lengths.max()))
    values, counts = known_values(panel, cutoffs), observed_counts(panel, cutoffs)
    return make_plan(config, values, cutoffs, usual_season=panel.frequency.season, counts=counts)
