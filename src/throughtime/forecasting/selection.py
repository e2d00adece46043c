"""The choice by held-out ends of the training data: the network, when to stop, and how wide intervals are."""

from collections.abc import Mapping
from functools import partial
from typing import NamedTuple

import numpy as np

from throughtime.data import Panel, fit_encodings
from throughtime.forecasting.dataset import Prepared, on_device, prepare
from throughtime.forecasting.fine_tuning import tuned
from throughtime.forecasting.fitted import Selected
from throughtime.forecasting.held_out import HeldOut, held_out_loss, hold_out, stretch_factors
from throughtime.forecasting.observations import least_windows
from throughtime.forecasting.plan import Calibration, Plan, with_encodings
from throughtime.forecasting.stages import HELD_OUT, TUNING, StageCallback
from throughtime.forecasting.train import blocks_of, train_networks
from throughtime.forecasting.trials import Moment, Trial, held_out_quantiles, race
from throughtime.forecasting.zero_shot import ZeroShot, held_out_zero_shot, mix

MOST_STEPS = 1000  # training steps; longer runs rank variants no better
NEAR_END = 0.8  # of a run; from there on the learning rate is close to zero, and the loss flat
SHARES = (0.5, 1.0)  # of the pretrained network in the mean with the trained ones
ALONE = 1.01  # times its held-out loss counts for what is no mean: smaller gains tell little, and a mean varies less
CALIBRATING = 2  # members that a longer run trains to see how well their intervals cover


def select_plan(
    panel: Panel, cutoffs: np.ndarray, plan: Plan, *, zero_shot: ZeroShot | None, callback: StageCallback, seed: int
) -> Selected:
    """Return the best of the plan's variants, and its calibration.

    Variants of the network are trained on the values before the held-out windows, and forecast them at each progress,
    see :func:`race`. Training stops at the least loss, unless that is near the end of a shortened run: then
    it goes on to the end. The loss is the pinball loss of the values themselves, whatever the network sees, over the
    mean absolute error of seasonal naive, as in MASE. If no value is negative, it is the geometric mean of that and the
    loss over the values' size, as in sMAPE. Either alone would sacrifice series of little noise, or those that rise
    from almost nothing. The pretrained network takes part with its forecasts of the same windows, as it is and
    fine-tuned on the values before them.

    Args:
        panel: N series.
        cutoffs: (N,) the steps of each series that may be seen.
        plan: from which the variants are derived.
        zero_shot: the pretrained network; None if it takes no part.
        callback: hears of "held out 1/4" and so on.
        seed: makes the weights and the windows that are drawn.

    Returns:
        The plan itself if no series is long enough to hold anything out.
    """
    held = hold_out(panel, cutoffs, plan, needed=least_windows(plan.design.horizon))
    if held is None:
        return Selected(plan, Calibration(plan.steps))
    screened = _encoded_before(plan, held)._replace(steps=min(plan.steps, MOST_STEPS))
    variants = plan_variants(screened)
    prepared = {
        log: on_device(prepare(panel, held.cutoffs[0], screened._replace(log=log)))
        for log in {variant.log for variant in variants}
    }
    best = race(held, prepared, variants, callback=callback, seed=seed)
    best = trained_longer(best, held, prepared[best.plan.log], plan.steps, callback=callback, seed=seed)
    pretrained = pretrained_forecasts(held, zero_shot, plan, callback=callback, seed=seed)
    return Selected(with_encodings(best.plan, plan.encodings), mixed(held, best, pretrained))


def plan_variants(plan: Plan) -> list[Plan]:
    """Return the plan with and without the linear map, each for logarithms (if the plan takes them) and for values."""
    if not plan.variants:
        return [plan]
    skips = [plan._replace(skip=skip) for skip in (True, False)]
    return [variant._replace(log=log) for log in ((True, False) if plan.log else (False,)) for variant in skips]


def _encoded_before(plan: Plan, held: HeldOut) -> Plan:
    """Return the plan with covariates encoded from the values before the held-out windows alone."""
    if plan.encodings is None:
        return plan
    calendar = bool(plan.encodings.calendar)
    return with_encodings(plan, fit_encodings(held.panel, held.cutoffs[0], calendar=calendar))


class Mixture(NamedTuple):
    """A mean of forecasts: the weight of the pretrained network, and the steps by which it was fine-tuned."""

    share: float
    tuning: int


def mixed(held: HeldOut, trial: Trial, pretrained: Mapping[int, np.ndarray]) -> Calibration:
    """Return the calibration of the best forecast: of the networks, of a pretrained one, or of their mean.

    The mean wins if neither alone is at least 1 % better.

    Args:
        held: the windows.
        trial: the networks, with their quantiles (K * R, F, Q) of all windows.
        pretrained: the same of the pretrained network, by the number of steps of its fine-tuning.
    """
    plan, moment, _ = trial
    forecasts = {Mixture(0.0, 0): moment.quantiles}
    for tuning, quantiles in pretrained.items():
        forecasts |= {Mixture(share, tuning): mix(moment.quantiles, quantiles, share) for share in SHARES}
    losses = {mixture: held_out_loss(quantiles, held, plan) for mixture, quantiles in forecasts.items()}
    best = min(losses, key=lambda mixture: losses[mixture] * (1 if 0 < mixture.share < 1 else ALONE))
    return Calibration(
        moment.steps, stretch_factors(forecasts[best], held.truth), losses[best], best.share, tuning=best.tuning
    )


def pretrained_forecasts(
    held: HeldOut, zero_shot: ZeroShot | None, plan: Plan, *, callback: StageCallback, seed: int
) -> dict[int, np.ndarray]:
    """Return the quantiles (K * R, F, Q) of all windows by the pretrained network, as it is and fine-tuned.

    Args:
        held: the windows; it is fine-tuned on the values before them.
        zero_shot: the pretrained network; None if it takes no part.
        plan: the horizon, the season, and the number of steps of the fine-tuning; 0 for none.
        callback: hears of "held out: fine-tuning".
        seed: makes the windows that are drawn.

    Returns:
        By the number of steps of the fine-tuning.
    """
    if zero_shot is None:
        return {}
    forecasts = {0: held_out_zero_shot(held, zero_shot, plan)}
    if plan.tuning:
        hears = partial(callback, f"{HELD_OUT}: {TUNING}")
        network = tuned(held.panel, held.cutoffs[0], zero_shot, plan, callback=hears, seed=seed)
        forecasts[plan.tuning] = held_out_zero_shot(held, network, plan)
    return forecasts


def trained_longer(
    best: Trial, held: HeldOut, prepared: Prepared, steps: int, *, callback: StageCallback, seed: int
) -> Trial:
    """Return a trial that goes on to ``steps`` if its best moment is near the end of a shortened run, else itself.

    Some members are then trained, as longer training makes networks more confident.
    """
    if best.moment.steps <= NEAR_END * best.plan.steps or best.plan.steps >= steps:
        return best
    plan = best.plan._replace(steps=steps)
    few = plan._replace(members=min(CALIBRATING, plan.members))
    data = partial(blocks_of, prepared, few)
    networks, _ = train_networks(data, few, callback=lambda s, p: callback(f"{HELD_OUT}: {s}", p), seed=seed)
    quantiles = held_out_quantiles(networks, held, prepared, plan)
    return Trial(plan, Moment(held_out_loss(quantiles, held, plan), plan.steps, quantiles))
