"""The stages of fitting that train: select by held-out runs, then fine-tune and train on all values."""

from functools import partial

import numpy as np

from throughtime.data import Panel, fit_encodings
from throughtime.forecasting.config import ForecasterConfig, effort
from throughtime.forecasting.dataset import on_device, prepare
from throughtime.forecasting.fine_tuning import tuned
from throughtime.forecasting.fitted import Fitted, Selected
from throughtime.forecasting.plan import Calibration, Plan, with_encodings
from throughtime.forecasting.rotation import Rotation, rotating_blocks
from throughtime.forecasting.selection import select_plan
from throughtime.forecasting.stages import TUNING, StageCallback
from throughtime.forecasting.train import blocks_of, train_networks
from throughtime.forecasting.warm_start import choose_networks
from throughtime.forecasting.zero_shot import ZeroShot, shipped_for


def fit_networks(
    config: ForecasterConfig,
    panel: Panel,
    cutoffs: np.ndarray,
    plan: Plan,
    *,
    callback: StageCallback,
    start: Fitted | None,
    rotation: Rotation | None,
) -> Fitted:
    """Train networks, unless the held-out runs prefer the pretrained one alone, fine-tuned or not; without notes.

    Args:
        config: the settings of the forecaster.
        panel: N series.
        cutoffs: (N,) the steps of each series that may be seen.
        plan: the decisions so far; covariates are encoded here.
        callback: hears of the progress of each stage; by returning True it ends the stage.
        start: a fitted forecaster whose networks training may go on from; None for new ones.
        rotation: other panels, which the last training takes in turn in the place of this one.
    """
    zero_shot = shipped_for(config)
    if start is not None and start.networks:
        selected, known = choose_networks(config, panel, cutoffs, plan, start, zero_shot=zero_shot, callback=callback)
    else:
        selected, known = _selected(config, panel, cutoffs, plan, zero_shot=zero_shot, callback=callback), ()
    if zero_shot is not None and (tuning := selected.calibration.tuning):
        how = selected.plan._replace(tuning=tuning)
        zero_shot = tuned(panel, cutoffs, zero_shot, how, callback=partial(callback, TUNING), seed=config.seed)
    if selected.calibration.zero_shot == 1:
        return Fitted.untrained(panel, selected, zero_shot)
    steps, chosen = selected.calibration.steps, _with_members(config, selected)
    if rotation is None:
        data = partial(blocks_of, on_device(prepare(panel, cutoffs, chosen)), chosen)
    else:
        data = partial(rotating_blocks, rotation, chosen, steps)
    networks, losses = train_networks(data, chosen, steps=steps, callback=callback, seed=config.seed, start=known)
    return Fitted(panel, chosen, selected.calibration, networks, losses, [], zero_shot)


def _with_members(config: ForecasterConfig, selected: Selected) -> Plan:
    """Return the plan with the number of networks that its forecast needs, unless the user has set it."""
    plan, calibration = selected
    beside = effort(config.preset).beside
    if beside is None or not calibration.zero_shot or config.members is not None:
        return plan
    return plan._replace(members=beside)


def _selected(
    config: ForecasterConfig,
    panel: Panel,
    cutoffs: np.ndarray,
    plan: Plan,
    *,
    zero_shot: ZeroShot | None,
    callback: StageCallback,
) -> Selected:
    """Return the plan with encoded covariates and its calibration, for new networks."""
    plan = with_encodings(plan, fit_encodings(panel, cutoffs, calendar=config.calendar))
    if config.steps is not None:  # the user has set the number of training steps
        return Selected(plan, Calibration(plan.steps))
    return select_plan(panel, cutoffs, plan, zero_shot=zero_shot, callback=callback, seed=config.seed)
