"""The ends of series that are held out: they judge forecasts, and show how wide intervals must be."""

import math
from typing import NamedTuple

import numpy as np

from throughtime.data import Panel
from throughtime.forecasting.cutoffs import affordable_cutoffs
from throughtime.forecasting.intervals import MEDIAN, QUANTILES
from throughtime.forecasting.numpy_losses import loss_scale, pinball_loss
from throughtime.forecasting.observations import learnable
from throughtime.forecasting.plan import Plan

WIDEST = 3.0  # times as wide as the networks made them are intervals at most
MOST_WINDOWS = 3  # several, because all series share the surprises of one
LARGEST_SHARE = 0.2  # of a series that more than one window may take
ENOUGH = 1000  # values that are judged; with less, more of the series may be taken
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

    @property
    def judged(self) -> tuple[np.ndarray, np.ndarray]:
        """The series and the cutoff (K * R,) of each judged forecast, window after window."""
        cutoffs = [known[rows] for rows, known in zip(self.rows, self.cutoffs, strict=True)]
        return np.concatenate(self.rows), np.concatenate(cutoffs)


def hold_out(panel: Panel, cutoffs: np.ndarray, plan: Plan, *, needed: int) -> HeldOut | None:
    """Hold out up to three windows of each series, as many as are a small share of it.

    Args:
        panel: N series.
        cutoffs: (N,) the steps of each series that may be seen.
        plan: the horizon and the season.
        needed: different windows, with a horizon after each, that must remain before the held-out ones.

    Returns:
        None if no series is long enough.
    """
    horizon, season = plan.design.horizon, plan.design.seasons[0]
    usable = cutoffs[learnable(panel, cutoffs, horizon)]
    if not len(usable):
        return None
    affordable = LARGEST_SHARE * np.median(usable) // horizon
    telling = -(-ENOUGH // (len(usable) * horizon))
    most = int(np.clip(max(affordable, telling), 1, MOST_WINDOWS))
    before = affordable_cutoffs(panel, cutoffs, horizon=horizon, most=most, needed=needed)
    if not len(before):
        return None
    rows = [_judged_rows(panel, known, horizon) for known in before]
    truth = [panel.after(judged, known[judged], horizon) for judged, known in zip(rows, before, strict=True)]
    return HeldOut(panel, rows, before, np.concatenate(truth), loss_scale(panel, before[0], season))


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


def _judged_rows(panel: Panel, cutoffs: np.ndarray, horizon: int) -> np.ndarray:
    """Return (R,) at most 2,000 of the learnable series, evenly spaced."""
    rows = np.flatnonzero(learnable(panel, cutoffs, horizon))
    return rows[np.unique(np.linspace(0, len(rows) - 1, min(len(rows), MOST_SERIES)).astype(int))]


def held_out_loss(quantiles: np.ndarray, held: HeldOut, plan: Plan) -> float:
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
