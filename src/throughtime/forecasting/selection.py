"""What a held-out end of the training data decides: which network, when to stop, and how far to trust its intervals."""

import math
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np

from throughtime.data import Panel, fit_encodings
from throughtime.forecasting.config import Plan, with_encodings
from throughtime.forecasting.cutoffs import affordable_cutoffs
from throughtime.forecasting.dataset import Prepared, learnable, prepare
from throughtime.forecasting.infer import network_quantiles, original_units
from throughtime.forecasting.intervals import MEDIAN, QUANTILES
from throughtime.forecasting.numpy_losses import loss_scale, pinball_loss
from throughtime.forecasting.train import Networks, averaged_network, train_network, train_networks
from throughtime.training import Callback, Progress, TrainingRun, run_in_parallel

WIDEST = 3.0


def stretch(quantiles: np.ndarray, truth: np.ndarray) -> tuple[float, ...]:
    """For each quantile the factor on its distance from the median with which its interval covers.

    Split-conformal calibration (Romano, Patterson & Candes 2019, arXiv 1905.03222, eq. 5 and 6) with a factor in the
    place of their constant, since widths differ from series to series. A factor is never below 1: a held-out end that
    went unusually well must not make intervals narrower than the network's own.

    Args:
        quantiles: (R, F, Q) forecasts, ascending, at the levels ``QUANTILES``.
        truth: (R, F), NaN where not observed.
    """
    factors = np.ones(len(QUANTILES))
    for lower in range(MEDIAN):
        upper = len(QUANTILES) - 1 - lower
        ratios = _error_ratios(quantiles, truth, lower, upper)
        factors[[lower, upper]] = _least_factor(ratios, QUANTILES[upper] - QUANTILES[lower])
    return tuple(factors.tolist())


def _error_ratios(quantiles: np.ndarray, truth: np.ndarray, lower: int, upper: int) -> np.ndarray:
    """The error of each known value over the half width, on the error's side, of the interval that should cover."""
    known = ~np.isnan(truth) & ~np.isnan(quantiles[..., MEDIAN])
    forecast, y = quantiles[known], truth[known]
    median = forecast[:, MEDIAN]
    half = np.where(y > median, forecast[:, upper] - median, median - forecast[:, lower])
    error = np.abs(y - median)
    return np.divide(error, half, out=np.where(error > 0, np.inf, 0.0), where=half > 0)


def _least_factor(ratios: np.ndarray, coverage: float) -> float:
    """The smallest factor with which the share ``coverage`` of the errors is covered, within bounds."""
    if not len(ratios):
        return 1.0
    rank = math.ceil(round(coverage * (len(ratios) + 1), 6))  # rounded: 0.8 - 0.2 is more than 0.6
    return float(np.clip(np.sort(ratios)[min(rank, len(ratios)) - 1], 1.0, WIDEST))


MOST_WINDOWS = 3  # one window shares its surprises among all series
LARGEST_SHARE = 0.2  # of a series that more than one window may take
ENOUGH = 1000  # values that are judged; with less, more of the series may be taken
MOST_STEPS = 1000  # a longer run ranks variants no better
NEAR_END = 0.8  # of a run: from there on the learning rate is next to nothing, and the loss flat
CALIBRATING = 2  # members that a longer run trains to see how well their intervals cover
MOST_SERIES = 2000  # that are judged


class HeldOut(NamedTuple):
    """The ends of series that training does not see.

    Attributes:
        panel: the series.
        rows: (K, R) which series are judged, in K windows.
        cuts: (K, N) where the windows begin, the earliest first.
        truth: (K * R, F) what they hold, window after window; NaN where not observed.
        scale: (N,) the mean absolute error of seasonal naive before all windows; NaN where there is none.
    """

    panel: Panel
    rows: list[np.ndarray]
    cuts: np.ndarray
    truth: np.ndarray
    scale: np.ndarray


class Judged(NamedTuple):
    """The plan with the best number of steps and the stretch that covers there, and the held-out loss."""

    loss: float
    plan: Plan


def settle(
    panel: Panel, cutoffs: np.ndarray, plan: Plan, *, report: Callable[[str, Progress], bool | None], seed: int
) -> Plan:
    """The plan that runs without the last horizons found best among its variants.

    Each variant of the network is trained on what lies before the held-out windows; after each report it forecasts
    them. Training stops where the loss is least, unless that is near the end of a shortened run: then it goes on. The
    loss is the pinball loss of the values themselves, whatever the network sees, once over the mean absolute error of
    seasonal naive, as MASE has it, and where nothing is negative also over the values' size, as sMAPE has it: the
    geometric mean of both. Either alone would sacrifice series of little noise, or those that rise from almost nothing.

    Where no series is long enough to hold anything out, the plan stays as it is.
    """
    held = hold_out(panel, cutoffs, plan)
    if held is None:
        return plan
    steps, blind = min(plan.most_steps, MOST_STEPS), _blind(plan, held)
    variants = [variant._replace(most_steps=steps, steps=steps) for variant in _variants(blind)]
    names = [f"held out {number + 1}/{len(variants)}" for number in range(len(variants))]
    seen = {log: prepare(panel, held.cuts[0], blind._replace(log=log)) for log in {one.log for one in variants}}
    runs = [_trial(held, seen[variant.log], variant, seed) for variant in variants]
    judged = run_in_parallel(runs, [partial(report, name) for name in names])
    best = min(judged, key=lambda one: one.loss).plan
    if best.steps > NEAR_END * steps and steps < plan.most_steps:
        whole = best._replace(steps=plan.most_steps, most_steps=plan.most_steps)
        best = _calibrated(held, seen[whole.log], whole, report, seed)
    return with_encodings(best, plan.encodings)


def _blind(plan: Plan, held: HeldOut) -> Plan:
    """The plan with covariates encoded as what lies before the held-out windows says."""
    if plan.encodings is None:
        return plan
    calendar = bool(plan.encodings.calendar)
    return with_encodings(plan, fit_encodings(held.panel, held.cuts[0], calendar=calendar))


def _calibrated(
    held: HeldOut, prepared: Prepared, plan: Plan, report: Callable[[str, Progress], bool | None], seed: int
) -> Plan:
    """The plan with the stretch of networks trained all the way: the longer they are, the surer of themselves."""
    few = plan._replace(members=min(CALIBRATING, plan.members), stretch=(1.0,) * len(QUANTILES))
    networks, _ = train_networks(
        prepared, few, report=lambda stage, progress: report(f"held out: {stage}", progress), seed=seed
    )
    return plan._replace(stretch=stretch(_forecasts(networks, held, prepared, few), held.truth))


def hold_out(panel: Panel, cutoffs: np.ndarray, plan: Plan) -> HeldOut | None:
    """Up to three windows of each series, as many as are a small share of it; None where no series is long enough."""
    horizon, season = plan.design.horizon, plan.design.seasons[0]
    usable = cutoffs[learnable(panel, cutoffs, horizon)]
    if not len(usable):
        return None
    affordable = LARGEST_SHARE * np.median(usable) // horizon
    needed = -(-ENOUGH // (len(usable) * horizon))
    most = int(np.clip(max(affordable, needed), 1, MOST_WINDOWS))
    cuts = affordable_cutoffs(panel, cutoffs, horizon=horizon, most=most)
    if not len(cuts):
        return None
    rows = [_judged_rows(panel, cut, horizon) for cut in cuts]
    truth = [panel.after(judged, cut[judged], horizon) for judged, cut in zip(rows, cuts, strict=True)]
    return HeldOut(panel, rows, cuts, np.concatenate(truth), loss_scale(panel, cuts[0], season))


def _judged_rows(panel: Panel, cut: np.ndarray, horizon: int) -> np.ndarray:
    """At most so many series, evenly chosen."""
    rows = np.flatnonzero(learnable(panel, cut, horizon))
    return rows[np.unique(np.linspace(0, len(rows) - 1, min(len(rows), MOST_SERIES)).astype(int))]


def _variants(plan: Plan) -> list[Plan]:
    """With the linear map from window to horizon and without; of the values and, if all are positive, logarithms."""
    if not plan.variants:
        return [plan]
    skips = [plan._replace(design=plan.design._replace(skip=skip)) for skip in (True, False)]
    return [variant._replace(log=log) for log in ((True, False) if plan.log else (False,)) for variant in skips]


class _Moment(NamedTuple):
    """A moment of a run: the held-out loss, the steps done, and the quantiles that were forecast then."""

    loss: float
    steps: int
    quantiles: np.ndarray


def _trial(held: HeldOut, prepared: Prepared, plan: Plan, seed: int) -> TrainingRun[Judged]:
    """A run that judges the variant ``plan``, which sees the panel as ``prepared``."""

    def run(heard: Callback) -> Judged:
        best = _Moment(np.inf, plan.steps, np.empty(0))

        def judge(progress: Progress) -> bool | None:
            nonlocal best
            quantiles = _forecasts((averaged_network(progress.state),), held, prepared, plan)
            now = _Moment(_loss(quantiles, held, plan), int(progress.state.step), quantiles)
            if now.loss < best.loss or not len(best.quantiles):
                best = now
            return heard(progress)

        train_network(prepared, plan, report=judge, seed=seed)
        return Judged(best.loss, plan._replace(steps=best.steps, stretch=stretch(best.quantiles, held.truth)))

    return run


def _forecasts(networks: Networks, held: HeldOut, prepared: Prepared, plan: Plan) -> np.ndarray:
    """Quantiles (K * R, F, Q) of all held-out windows, one after the other."""
    parts = []
    for rows, cut in zip(held.rows, held.cuts, strict=True):
        seen = prepared._replace(series=prepared.series._replace(lengths=jnp.asarray(cut, jnp.int32)))
        predicted = network_quantiles(networks, seen, rows, cut)
        parts.append(original_units(predicted, prepared, rows, plan))
    return np.concatenate(parts)


def _loss(quantiles: np.ndarray, held: HeldOut, plan: Plan) -> float:
    """The mean scaled pinball loss; where nothing is negative, its geometric mean with that over the size."""
    losses = pinball_loss(quantiles, held.truth)
    scaled = _mean(losses / held.scale[np.concatenate(held.rows), None])
    if not plan.positive:
        return scaled
    size = (held.truth + quantiles[..., MEDIAN]) / 2
    return float(np.sqrt(scaled * _mean(losses / np.where(size > 0, size, np.nan))))


def _mean(losses: np.ndarray) -> float:
    known = losses[np.isfinite(losses)]
    return float(known.mean()) if len(known) else np.inf
