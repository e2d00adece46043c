"""Training that goes on from the weights of a fitted forecaster, where the held-out ends say that it helps."""

from functools import partial
from typing import NamedTuple

import numpy as np

from throughtime.data import Panel
from throughtime.forecasting.config import ForecasterConfig
from throughtime.forecasting.dataset import on_device, prepare
from throughtime.forecasting.fitted import Fitted, Networks, Selected
from throughtime.forecasting.held_out import HeldOut, hold_out
from throughtime.forecasting.observations import least_windows
from throughtime.forecasting.optimizer import LONGER
from throughtime.forecasting.plan import Plan
from throughtime.forecasting.selection import MOST_STEPS, mixed, pretrained_forecasts, trained_longer
from throughtime.forecasting.stages import HELD_OUT, StageCallback
from throughtime.forecasting.start import plan_of_start, seen_steps
from throughtime.forecasting.trials import trial
from throughtime.forecasting.zero_shot import ZeroShot
from throughtime.training import run_in_parallel


class Begun(NamedTuple):
    """A plan with its calibration, and the networks that training goes on from; none for new ones."""

    selected: Selected
    networks: Networks


def choose_networks(
    config: ForecasterConfig,
    panel: Panel,
    cutoffs: np.ndarray,
    plan: Plan,
    start: Fitted,
    *,
    zero_shot: ZeroShot | None,
    callback: StageCallback,
) -> Begun:
    """Choose between networks that go on from those of the start, and new ones.

    One of each is trained on the values before the held-out windows, the one from the start for a third of the steps.
    Both are judged by the held-out values that the start has not learned from; it is also judged as it is, before any
    step. Without such values, or with a number of steps from the user, the networks go on unjudged. Networks that go on
    keep the calibration of the start, which was made with weights that had not seen what was held out.

    Args:
        config: the settings of the forecaster.
        panel: N series.
        cutoffs: (N,) the steps of each series that may be seen.
        plan: the decisions so far; those about the networks are the start's.
        start: the fitted forecaster, with networks.
        zero_shot: the pretrained network; None if it takes no part.
        callback: hears of "held out 1/2", the new network, and "held out 2/2".
    """
    plan = plan_of_start(plan, start)
    if config.steps is not None:
        return _unjudged(plan, start)
    warm = plan._replace(steps=max(plan.steps // LONGER, 1))
    held = hold_out(panel, cutoffs, plan, needed=least_windows(plan.design.horizon))
    unseen = None if held is None else _unseen(held, start)
    if held is None or unseen is None:
        return _unjudged(warm, start)
    prepared = on_device(prepare(panel, held.cutoffs[0], plan))
    fresh = plan._replace(steps=min(plan.steps, MOST_STEPS))
    runs = [
        trial(unseen, prepared, fresh, config.seed),
        trial(unseen, prepared, warm, config.seed, start.networks[0]),
    ]
    callbacks = [partial(callback, f"{HELD_OUT} {number}/2") for number in (1, 2)]
    new, old = run_in_parallel(runs, callbacks, plan.devices)
    if old.moment.loss <= new.moment.loss:
        steps, loss = old.moment.steps, old.moment.loss
        calibration = start.calibration._replace(steps=steps, loss=loss, origin="continued")
        return Begun(Selected(warm, calibration), start.networks)
    new = trained_longer(new, held, prepared, plan.steps, callback=callback, seed=config.seed)
    pretrained = pretrained_forecasts(held, zero_shot, plan, callback=callback, seed=config.seed)
    return Begun(Selected(new.plan, mixed(held, new, pretrained)._replace(origin="new")), ())


def _unjudged(plan: Plan, start: Fitted) -> Begun:
    """Return the plan for networks that go on from those of the start, with intervals as wide as there."""
    calibration = start.calibration._replace(steps=plan.steps, loss=np.inf, origin="unjudged")
    return Begun(Selected(plan, calibration), start.networks)


def _unseen(held: HeldOut, start: Fitted) -> HeldOut | None:
    """Return the held-out windows without the values that the start has learned from; None if nothing is left."""
    rows, cutoffs = held.judged
    steps = cutoffs[:, None] + np.arange(held.truth.shape[1])
    truth = np.where(steps < seen_steps(held.panel, start)[rows, None], np.nan, held.truth)
    return None if np.isnan(truth).all() else held._replace(truth=truth)
