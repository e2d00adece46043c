"""The stages of fitting a forecaster: decide, encode, select, train."""

import numpy as np

from throughtime._fork import require_threads
from throughtime.data import Panel, fit_encodings
from throughtime.forecasting.config import (
    Calibration,
    ForecasterConfig,
    Plan,
    make_plan,
    require_horizon,
    with_encodings,
)
from throughtime.forecasting.dataset import prepare
from throughtime.forecasting.decisions import decisions, explain
from throughtime.forecasting.fitted import Fitted, Networks
from throughtime.forecasting.observations import known_values, observed_counts, trainable
from throughtime.forecasting.selection import Selected, select_plan
from throughtime.forecasting.stages import StageCallback, no_callback
from throughtime.forecasting.train import train_networks

UNTRAINED: tuple[Networks, np.ndarray] = ((), np.empty((0, 0)))  # no networks, no losses


def fit_panel(
    config: ForecasterConfig, panel: Panel, cutoffs: np.ndarray, *, callback: StageCallback = no_callback
) -> Fitted:
    """Learn from the first ``cutoffs`` (N,) steps of each series alone.

    Args:
        config: the settings of the forecaster.
        panel: N series.
        cutoffs: (N,) the steps of each series that may be seen.
        callback: hears of the progress of each stage; by returning True it ends the stage.

    Raises:
        InputError: for a horizon that is too long for the series, and for values that the head cannot have.
    """
    require_threads()
    plan = decide(config, panel, cutoffs)
    plan = with_encodings(plan, fit_encodings(panel, cutoffs, calendar=config.calendar))
    enough = trainable(panel, cutoffs, config.horizon)
    selected = _select(config, panel, cutoffs, plan, callback) if enough else Selected(plan, Calibration(plan.steps))
    networks, losses = _train(config, panel, cutoffs, selected, callback) if enough else UNTRAINED
    notes = [*panel.notes, *explain(decisions(panel, cutoffs, selected, season=config.season))]
    return Fitted(panel, *selected, networks, losses, notes)


def decide(config: ForecasterConfig, panel: Panel, cutoffs: np.ndarray) -> Plan:
    """Return the plan for a panel, from the first ``cutoffs`` (N,) steps of each series and before any training.

    Raises:
        InputError: for a horizon that is too long for the series, and for values that the head cannot have.
    """
    require_horizon(config.horizon, int(panel.lengths.max()))
    values, counts = known_values(panel, cutoffs), observed_counts(panel, cutoffs)
    return make_plan(config, values, cutoffs, usual_season=panel.frequency.season, counts=counts)


def _select(
    config: ForecasterConfig, panel: Panel, cutoffs: np.ndarray, plan: Plan, callback: StageCallback
) -> Selected:
    """Return the selection of held-out runs; the plan itself if the user has set the number of training steps."""
    if config.steps is not None:
        return Selected(plan, Calibration(plan.steps))
    return select_plan(panel, cutoffs, plan, callback=callback, seed=config.seed)


def _train(
    config: ForecasterConfig, panel: Panel, cutoffs: np.ndarray, selected: Selected, callback: StageCallback
) -> tuple[Networks, np.ndarray]:
    """Train the networks of the selected plan on all values before the cutoffs."""
    prepared = prepare(panel, cutoffs, selected.plan)
    steps = selected.calibration.steps
    return train_networks(prepared, selected.plan, steps=steps, callback=callback, seed=config.seed)
