"""A panel on the device, and the rules for series that are too short to learn from."""

from typing import NamedTuple

import numpy as np

from throughtime.data import Panel, Series, device_series, encode, fill_forward
from throughtime.forecasting.config import Plan
from throughtime.forecasting.network import head_of

LEAST_OBSERVED = 3  # observations; with fewer there is nothing to measure a scale with
LEAST_HORIZONS, LEAST_WINDOWS = 2, 8  # on shorter random walks, intervals of 95 % covered 0 to 80 % of values


def learnable(panel: Panel, cutoffs: np.ndarray, horizon: int) -> np.ndarray:
    """Return (N,) flags of the series that the network serves: longer than the horizon, with some values observed."""
    return (cutoffs > horizon) & (observed_counts(panel, cutoffs) >= LEAST_OBSERVED)


def window_count(panel: Panel, cutoffs: np.ndarray, horizon: int) -> int:
    """Return how many different windows, with a whole horizon after each, training can draw from all series."""
    return int((cutoffs - horizon)[learnable(panel, cutoffs, horizon)].sum())


def least_windows(horizon: int) -> int:
    """Return how many windows a network needs."""
    return max(LEAST_HORIZONS * horizon, LEAST_WINDOWS)


def trainable(panel: Panel, cutoffs: np.ndarray, horizon: int) -> bool:
    """Return True if there are windows enough for a network.

    Neighboring windows share all but one step of their future, so only a horizon of windows shows a second future. A
    network that has seen one future knows it by heart, and its intervals have no width.
    """
    return window_count(panel, cutoffs, horizon) >= least_windows(horizon)


def observed_counts(panel: Panel, cutoffs: np.ndarray) -> np.ndarray:
    """Return (N,) the number of values of each series that were observed before its cutoff."""
    counts = np.concatenate([[0], np.cumsum(~np.isnan(panel.values))])
    return counts[panel.offsets[:-1] + cutoffs] - counts[panel.offsets[:-1]]


def known_values(panel: Panel, cutoffs: np.ndarray) -> np.ndarray:
    """Return (K,) all values observed before the cutoffs, one series after the other."""
    values = panel.values[panel.steps < np.repeat(cutoffs, panel.lengths)]
    return values[~np.isnan(values)]


def nonnegative(panel: Panel, cutoffs: np.ndarray, plan: Plan) -> np.ndarray:
    """Return (N,) flags of the series whose forecasts stop at zero: no value before the cutoff is negative.

    They are all of them if no value of the training data was negative.
    """
    smallest = _smallest_known(panel, cutoffs)
    return plan.positive | ((smallest >= 0) & (smallest < np.inf))


def _smallest_known(panel: Panel, cutoffs: np.ndarray) -> np.ndarray:
    """Return (N,) the smallest observed value before each cutoff; infinity without one."""
    known = (panel.steps < np.repeat(cutoffs, panel.lengths)) & ~np.isnan(panel.values)
    smallest, some = np.full(len(panel), np.inf), panel.lengths > 0
    if some.any():
        values = np.where(known, panel.values, np.inf)
        smallest[some] = np.minimum.reduceat(values, panel.offsets[:-1][some])
    return smallest


class Prepared(NamedTuple):
    """A panel of N series and P values as the network sees it.

    Attributes:
        values: (P,) filled, and logarithms of the series that the network sees so.
        first: (N,) the first observed value of each series, in the data's own units.
        center: (N,) the same as the network sees it. It is subtracted in float64, because float32 has seven digits.
        unit: (N,) a power of two near the largest movement of each series, so that float32 holds values of any size.
        series: the same on the device, less the center, in these units.
        log: (N,) if the network sees logarithms: the plan says so, and all values before the cutoff have one.
        positive: (N,) if forecasts stop at zero.
    """

    values: np.ndarray
    first: np.ndarray
    center: np.ndarray
    unit: np.ndarray
    series: Series
    log: np.ndarray
    positive: np.ndarray


def prepare(panel: Panel, cutoffs: np.ndarray, plan: Plan) -> Prepared:
    """Put a panel, the one that the plan was made for or another, on the device.

    Args:
        panel: N series.
        cutoffs: (N,) the steps of each series that may be seen: training draws windows before them.
        plan: whether the network sees logarithms, and its covariates.
    """
    observed = ~np.isnan(panel.values)
    values = filled = fill_forward(panel.values, panel.offsets, plan.design.seasons[0])
    log = plan.log & (_smallest_known(panel, cutoffs) > 0)
    if log.any():  # values without a logarithm may come after the cutoffs of training
        values = np.where(np.repeat(log, panel.lengths), np.log(np.maximum(values, plan.smallest)), values)
    first = _first_observed(observed, panel)
    counts = head_of(plan.design).counts  # counts reach the head as they are
    center = np.zeros(len(panel)) if counts else values[first]
    movements = values - np.repeat(center, panel.lengths)
    unit = np.ones(len(panel)) if counts else _units(movements, panel, cutoffs)
    movements /= np.repeat(unit, panel.lengths)
    use = learnable(panel, cutoffs, plan.design.horizon)
    series = device_series(movements, observed, panel.offsets[:-1], cutoffs, use)
    covariates = None if plan.encodings is None else encode(panel, plan.encodings, plan.design.horizon)
    series, positive = series._replace(covariates=covariates), nonnegative(panel, cutoffs, plan)
    return Prepared(values, filled[first], center, unit, series, log, positive)


def _first_observed(observed: np.ndarray, panel: Panel) -> np.ndarray:
    """Return (N,) the place of the first observed value at or after the beginning of each series."""
    places = np.flatnonzero(observed)
    return places[np.minimum(np.searchsorted(places, panel.offsets[:-1]), len(places) - 1)]


def _units(movements: np.ndarray, panel: Panel, cutoffs: np.ndarray) -> np.ndarray:
    """Return (N,) the power of two below the largest size before the cutoff: dividing by it changes no digit."""
    known = np.arange(len(movements)) < np.repeat(panel.offsets[:-1] + cutoffs, panel.lengths)
    sizes = np.abs(movements)
    sizes[~known] = 0
    largest, some = np.zeros(len(panel)), panel.lengths > 0
    largest[some] = np.maximum.reduceat(sizes, panel.offsets[:-1][some]) if some.any() else 0
    return np.exp2(np.floor(np.log2(np.where(largest > 0, largest, 1.0))))
