"""Runs that hold out the end of the training data: they select a network, when to stop, and how wide intervals are."""

import math
from functools import partial
from typing import NamedTuple

import numpy as np

from throughtime.data import Panel, fit_encodings
from throughtime.forecasting.config import Calibration, Plan, with_encodings
from throughtime.forecasting.cutoffs import affordable_cutoffs
from throughtime.forecasting.dataset import Prepared, prepare
from throughtime.forecasting.fitted import Networks
from throughtime.forecasting.infer import network_quantiles, original_quantiles
from throughtime.forecasting.intervals import MEDIAN, QUANTILES
from throughtime.forecasting.numpy_losses import loss_scale, pinball_loss
from throughtime.forecasting.observations import learnable
from throughtime.forecasting.stages import StageCallback
from throughtime.forecasting.train import averaged_network, recipe, train_network, train_networks
from throughtime.training import Callback, Progress, TrainingRun, run_in_parallel

HELD_OUT = "held out"  # the first words of the names of its stages
WIDEST = 3.0  # times as wide as the networks made them are intervals at most
MOST_WINDOWS = 3  # several, because all series share the surprises of one
LARGEST_SHARE = 0.2  # of a series that more than one window may take
ENOUGH = 1000  # values that are judged; with less, more of the series may be taken
MOST_STEPS = 1000  # training steps; longer runs rank variants no better
NEAR_END = 0.8  # of a run; from there on the learning rate is close to zero, and the loss flat
WORSE = 1.25  # times the least loss of a run so far: from there on none has come back
PATIENCE = 0.5  # of a run without a new least loss
CALIBRATING = 2  # members that a longer run trains to see how well their intervals cover
MOST_SERIES = 2000  # that are judged


class HeldOut(NamedTuple):
    """The ends of N series, which training does not see, in K windows.

    Attributes:
        panel: the series.
        rows: K arrays (R,): the series that are judged in each window.
        cutoffs: (K, N) the steps of each series before each window, the earliest window first.
        truth: (K * R, F) the values in the windows, window after window; NaN if not observed.
        scale: (N,) the mean absolute error of seasonal naive before all windows; NaN if there is none.
    """

    panel: Panel
    rows: list[np.ndarray]
    cutoffs: np.ndarray
    truth: np.ndarray
    scale: np.ndarray


class Selected(NamedTuple):
    """A variant of the plan, and the findings of the run that held out the end of the data from it."""

    plan: Plan
    calibration: Calibration


def select_plan(panel: Panel, cutoffs: np.ndarray, plan: Plan, *, callback: StageCallback, seed: int) -> Selected:
    """Return the best of the plan's variants, and its calibration.

    Each variant of the network is trained on the values before the held-out windows; at each progress it forecasts
    them, until :func:`is_over`. Training stops at the least loss, unless that is near the end of a shortened run: then
    it goes on to the end. The loss is the pinball loss of the values themselves, whatever the network sees, over the
    mean absolute error of seasonal naive, as in MASE. If no value is negative, it is the geometric mean of that and the
    loss over the values' size, as in sMAPE. Either alone would sacrifice series of little noise, or those that rise
    from almost nothing.

    Args:
        panel: N series.
        cutoffs: (N,) the steps of each series that may be seen.
        plan: from which the variants are derived.
        callback: hears of "held out 1/4" and so on.
        seed: makes the weights and the windows that are drawn.

    Returns:
        The plan itself if no series is long enough to hold anything out.
    """
    held = hold_out(panel, cutoffs, plan)
    if held is None:
        return Selected(plan, Calibration(plan.steps))
    screened = _encoded_before(plan, held)._replace(steps=min(plan.steps, MOST_STEPS))
    variants = plan_variants(screened)
    prepared = {log: prepare(panel, held.cutoffs[0], screened._replace(log=log)) for log in {v.log for v in variants}}
    runs = [_trial(held, prepared[variant.log], variant, seed) for variant in variants]
    names = [f"{HELD_OUT} {number + 1}/{len(variants)}" for number in range(len(variants))]
    trials = run_in_parallel(runs, [partial(callback, name) for name in names])
    best = min(trials, key=lambda trial: trial.calibration.loss)
    if best.calibration.steps > NEAR_END * screened.steps and screened.steps < plan.steps:
        whole = best.plan._replace(steps=plan.steps)
        best = Selected(whole, _calibrate(held, prepared[whole.log], whole, callback, seed))
    return best._replace(plan=with_encodings(best.plan, plan.encodings))


def hold_out(panel: Panel, cutoffs: np.ndarray, plan: Plan) -> HeldOut | None:
    """Hold out up to three windows of each series, as many as are a small share of it.

    Returns:
        None if no series is long enough.
    """
    horizon, season = plan.design.horizon, plan.design.seasons[0]
    usable = cutoffs[learnable(panel, cutoffs, horizon)]
    if not len(usable):
        return None
    affordable = LARGEST_SHARE * np.median(usable) // horizon
    needed = -(-ENOUGH // (len(usable) * horizon))
    most = int(np.clip(max(affordable, needed), 1, MOST_WINDOWS))
    before = affordable_cutoffs(panel, cutoffs, horizon=horizon, most=most)
    if not len(before):
        return None
    rows = [_judged_rows(panel, known, horizon) for known in before]
    truth = [panel.after(judged, known[judged], horizon) for judged, known in zip(rows, before, strict=True)]
    return HeldOut(panel, rows, before, np.concatenate(truth), loss_scale(panel, before[0], season))


def plan_variants(plan: Plan) -> list[Plan]:
    """Return the plan with and without the linear map, each for logarithms (if the plan takes them) and for values."""
    if not plan.variants:
        return [plan]
    skips = [plan._replace(skip=skip) for skip in (True, False)]
    return [variant._replace(log=log) for log in ((True, False) if plan.log else (False,)) for variant in skips]


def stretch_factors(quantiles: np.ndarray, truth: np.ndarray) -> tuple[float, ...]:
    """Return for each quantile the factor on its distance from the median with which its interval covers.

    Split-conformal calibration (Romano, Patterson & Candes 2019, arXiv 1905.03222, eq. 5 and 6) with a factor in the
    place of their constant, since widths differ from series to series. A factor is never below 1: a held-out end that
    went unusually well must not make intervals narrower than the network's own.

    Args:
        quantiles: (R, F, Q) forecasts, ascending, at the levels ``QUANTILES``.
        truth: (R, F), NaN if not observed.
    """
    factors = np.ones(len(QUANTILES))
    for lower in range(MEDIAN):
        upper = len(QUANTILES) - 1 - lower
        ratios = _error_ratios(quantiles, truth, lower, upper)
        factors[[lower, upper]] = _least_factor(ratios, QUANTILES[upper] - QUANTILES[lower])
    return tuple(factors.tolist())


def _error_ratios(quantiles: np.ndarray, truth: np.ndarray, lower: int, upper: int) -> np.ndarray:
    """Return the error of each known value over the half width, on the error's side, of the interval to cover it."""
    known = ~np.isnan(truth) & ~np.isnan(quantiles[..., MEDIAN])
    forecast, y = quantiles[known], truth[known]
    median = forecast[:, MEDIAN]
    half = np.where(y > median, forecast[:, upper] - median, median - forecast[:, lower])
    error = np.abs(y - median)
    return np.divide(error, half, out=np.where(error > 0, np.inf, 0.0), where=half > 0)


def _least_factor(ratios: np.ndarray, coverage: float) -> float:
    """Return the smallest factor with which the share ``coverage`` of the errors is covered, within bounds."""
    if not len(ratios):
        return 1.0
    rank = math.ceil(round(coverage * (len(ratios) + 1), 6))  # rounded: 0.8 - 0.2 is more than 0.6
    return float(np.clip(np.sort(ratios)[min(rank, len(ratios)) - 1], 1.0, WIDEST))


def _encoded_before(plan: Plan, held: HeldOut) -> Plan:
    """Return the plan with covariates encoded from the values before the held-out windows alone."""
    if plan.encodings is None:
        return plan
    calendar = bool(plan.encodings.calendar)
    return with_encodings(plan, fit_encodings(held.panel, held.cutoffs[0], calendar=calendar))


def _judged_rows(panel: Panel, cutoffs: np.ndarray, horizon: int) -> np.ndarray:
    """Return (R,) at most 2,000 of the learnable series, evenly spaced."""
    rows = np.flatnonzero(learnable(panel, cutoffs, horizon))
    return rows[np.unique(np.linspace(0, len(rows) - 1, min(len(rows), MOST_SERIES)).astype(int))]


class Moment(NamedTuple):
    """A moment of a run: the held-out loss, the steps that were done, and the quantiles that were forecast then."""

    loss: float
    steps: int
    quantiles: np.ndarray


def is_over(now: Moment, best: Moment, steps: int) -> bool:
    """Return True if a run of this many steps will hardly become better than its best moment so far.

    The loss is far above the least one (Prechelt 1998, "Early stopping -- but when?", the class GL), or the least one
    is long ago.
    """
    return now.loss > WORSE * best.loss or now.steps - best.steps > PATIENCE * steps


def _trial(held: HeldOut, prepared: Prepared, plan: Plan, seed: int) -> TrainingRun[Selected]:
    """Return a training run of a variant that judges it by its forecasts of the held-out windows, and ends early."""
    how = recipe(plan)

    def run(callback: Callback) -> Selected:
        best = Moment(np.inf, plan.steps, np.empty(0))

        def judge(progress: Progress) -> bool | None:
            nonlocal best
            quantiles = _forecasts((averaged_network(progress.state),), held, prepared, plan)
            now = Moment(_loss(quantiles, held, plan), int(progress.state.step), quantiles)
            if now.loss < best.loss or not len(best.quantiles):
                best = now
            return callback(progress) or is_over(now, best, plan.steps)

        train_network(prepared, plan, how, steps=plan.steps, callback=judge, seed=seed)
        return Selected(plan, Calibration(best.steps, stretch_factors(best.quantiles, held.truth), best.loss))

    return run


def _calibrate(held: HeldOut, prepared: Prepared, plan: Plan, callback: StageCallback, seed: int) -> Calibration:
    """Return the calibration of members trained to the end: longer training makes networks more confident."""
    few = plan._replace(members=min(CALIBRATING, plan.members))
    networks, _ = train_networks(prepared, few, callback=lambda s, p: callback(f"{HELD_OUT}: {s}", p), seed=seed)
    quantiles = _forecasts(networks, held, prepared, plan)
    return Calibration(plan.steps, stretch_factors(quantiles, held.truth), _loss(quantiles, held, plan))


def _forecasts(networks: Networks, held: HeldOut, prepared: Prepared, plan: Plan) -> np.ndarray:
    """Return the quantiles (K * R, F, Q) of all held-out windows, in the data's own units."""
    rows = np.concatenate(held.rows)
    cutoffs = np.concatenate([known[judged] for judged, known in zip(held.rows, held.cutoffs, strict=True)])
    return original_quantiles(network_quantiles(networks, prepared, rows, cutoffs), prepared, rows)


def _loss(quantiles: np.ndarray, held: HeldOut, plan: Plan) -> float:
    """Return the mean scaled pinball loss; its geometric mean with the loss over the size if nothing is negative."""
    losses = pinball_loss(quantiles, held.truth)
    scaled = _finite_mean(losses / held.scale[np.concatenate(held.rows), None])
    if not plan.positive:
        return scaled
    size = (held.truth + quantiles[..., MEDIAN]) / 2
    return float(np.sqrt(scaled * _finite_mean(losses / np.where(size > 0, size, np.nan))))


def _finite_mean(losses: np.ndarray) -> float:
    """Return the mean of the finite losses, infinity if there are none."""
    known = losses[np.isfinite(losses)]
    return float(known.mean()) if len(known) else np.inf
