"""A panel on the device: which series can be learned from, and the values as the network sees them."""

from typing import NamedTuple

import numpy as np

from throughtime.data import Panel, Series, device_series, encode, fill_forward
from throughtime.forecasting.config import Plan
from throughtime.forecasting.network import head_of

LEAST_OBSERVED = 3  # observations below which a series has nothing to measure a scale with
LEAST_HORIZONS, LEAST_WINDOWS = 2, 8  # on shorter random walks, intervals of 95 % covered 0 to 80 % of values


def learnable(panel: Panel, cutoffs: np.ndarray, horizon: int) -> np.ndarray:
    """(N,) whether a series is long enough for the network: longer than the horizon, with some values observed."""
    return (cutoffs > horizon) & (observed_counts(panel, cutoffs) >= LEAST_OBSERVED)


def window_count(panel: Panel, cutoffs: np.ndarray, horizon: int) -> int:
    """How many different windows, with a whole horizon after each, training can draw from all series."""
    return int((cutoffs - horizon)[learnable(panel, cutoffs, horizon)].sum())


def least_windows(horizon: int) -> int:
    return max(LEAST_HORIZONS * horizon, LEAST_WINDOWS)


def trainable(panel: Panel, cutoffs: np.ndarray, horizon: int) -> bool:
    """Whether there are windows enough for a network.

    Neighboring windows share all but one step of their future, so it takes a horizon of them to see another one. A
    network that has seen one future knows it by heart, and its intervals have no width.
    """
    return window_count(panel, cutoffs, horizon) >= least_windows(horizon)


def observed_counts(panel: Panel, cutoffs: np.ndarray) -> np.ndarray:
    """(N,) how many values of each series were observed before its cutoff."""
    counts = np.concatenate([[0], np.cumsum(~np.isnan(panel.values))])
    return counts[panel.offsets[:-1] + cutoffs] - counts[panel.offsets[:-1]]


def known_values(panel: Panel, cutoffs: np.ndarray) -> np.ndarray:
    """All values observed before the cutoffs, in one array."""
    values = panel.values[panel.steps < np.repeat(cutoffs, panel.lengths)]
    return values[~np.isnan(values)]


class Prepared(NamedTuple):
    """A panel as the network sees it.

    Attributes:
        values: (P,) filled, and logarithms where the plan says so.
        first: (N,) the first observed value of each series.
        center: (N,) the same as the network sees it, taken off before float32: seven digits are for movements.
        unit: (N,) a power of two near each series' largest movement, which float32 then holds whatever its size.
        series: the same on the device, less the center, in units.
    """

    values: np.ndarray
    first: np.ndarray
    center: np.ndarray
    unit: np.ndarray
    series: Series


def prepare(panel: Panel, cutoffs: np.ndarray, plan: Plan) -> Prepared:
    """Put the panel on the device; training may draw windows before ``cutoffs``."""
    observed = ~np.isnan(panel.values)
    values = filled = fill_forward(panel.values, panel.offsets, plan.design.seasons[0])
    if plan.log:
        # After the cutoffs of training there may come what has no logarithm; it then counts as very small.
        values = np.log(np.maximum(values, plan.smallest))
    places = np.flatnonzero(observed)
    firsts = places[np.minimum(np.searchsorted(places, panel.offsets[:-1]), len(places) - 1)]
    counts = head_of(plan.design).counts  # must come as they are
    center = np.zeros(len(panel)) if counts else values[firsts]
    use = learnable(panel, cutoffs, plan.design.horizon)
    covariates = None if plan.encodings is None else encode(panel, plan.encodings, plan.design.horizon)
    flat = values - np.repeat(center, panel.lengths)
    unit = np.ones(len(panel)) if counts else _units(flat, panel, cutoffs)
    flat /= np.repeat(unit, panel.lengths)
    series = device_series(flat, observed, panel.offsets[:-1], cutoffs, use)
    return Prepared(values, filled[firsts], center, unit, series._replace(covariates=covariates))


def _units(flat: np.ndarray, panel: Panel, cutoffs: np.ndarray) -> np.ndarray:
    """(N,) the power of two below the largest size before the cutoff: dividing by it changes no digit."""
    known = np.arange(len(flat)) < np.repeat(panel.offsets[:-1] + cutoffs, panel.lengths)
    sizes = np.abs(flat)
    sizes[~known] = 0
    largest, some = np.zeros(len(panel)), panel.lengths > 0
    largest[some] = np.maximum.reduceat(sizes, panel.offsets[:-1][some]) if some.any() else 0
    return np.exp2(np.floor(np.log2(np.where(largest > 0, largest, 1.0))))
