"""A panel as the network sees it."""

from typing import NamedTuple

import jax
import numpy as np

from throughtime.data import Panel, Series, encode, fill_forward, padded_series
from throughtime.forecasting.network import head_of
from throughtime.forecasting.observations import learnable, never_negative, smallest_known
from throughtime.forecasting.plan import Plan


class Prepared(NamedTuple):
    """A panel of N series and P values as the network sees it.

    Attributes:
        values: (P,) filled, and logarithms of the series that the network sees so.
        first: (N,) the first observed value of each series, in the data's own units.
        center: (N,) the same as the network sees it. It is subtracted in float64, because float32 has seven digits.
        unit: (N,) a power of two near the largest movement of each series, so that float32 holds values of any size.
        series: the same less the center, in these units, padded.
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
    """Return a panel, the one that the plan was made for or another, as the network sees it.

    For one forecast: the call of a program takes arrays to the device faster than one by one. See :func:`on_device`.

    Args:
        panel: N series.
        cutoffs: (N,) the steps of each series that may be seen: training draws windows before them.
        plan: whether the network sees logarithms, and its covariates.
    """
    observed = ~np.isnan(panel.values)
    values = filled = fill_forward(panel.values, panel.offsets, plan.design.seasons[0])
    smallest = smallest_known(panel, cutoffs)
    log = plan.log & (smallest > 0)
    if log.any():  # values without a logarithm may come after the cutoffs of training
        values = np.where(np.repeat(log, panel.lengths), np.log(np.maximum(values, plan.smallest)), values)
    first = _first_observed(observed, panel)
    counts = head_of(plan.design).counts  # counts reach the head as they are
    center = np.zeros(len(panel)) if counts else values[first]
    movements = values - np.repeat(center, panel.lengths)
    unit = np.ones(len(panel)) if counts else _units(movements, panel, cutoffs)
    movements /= np.repeat(unit, panel.lengths)
    use = learnable(panel, cutoffs, plan.design.horizon)
    series = padded_series(movements, observed, panel.offsets[:-1], cutoffs, use)
    covariates = None if plan.encodings is None else encode(panel, plan.encodings, plan.design.horizon)
    series = series._replace(covariates=covariates)
    return Prepared(values, filled[first], center, unit, series, log, never_negative(smallest, plan))


def on_device(prepared: Prepared) -> Prepared:
    """Return a panel that many calls of programs read, so that its arrays are taken to the device once."""
    return prepared._replace(series=jax.device_put(prepared.series))


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
