"""Forecasts of many histories at once, in groups of similar length and in batches."""

from collections.abc import Sequence

import numpy as np

from throughtime._blas import side_by_side
from throughtime.zero_shot.coarse import coarse_step, fine_quantiles, means
from throughtime.zero_shot.histories import histories
from throughtime.zero_shot.inputs import SHAPES, Inputs, Seasons, inputs_of
from throughtime.zero_shot.levels import LEVELS, MIDDLE
from throughtime.zero_shot.network import forecast
from throughtime.zero_shot.profiles import seasonal_strength
from throughtime.zero_shot.weights import Weights

LEAST_STRENGTH = 0.05  # of a season that is told: it gives .667 on the development series where all are told .673
WIDER, WIDER_FROM = 0.12, 8  # and the steps until then: 80 % intervals cover 79 to 83 % of each third of the horizon
BATCH = 256  # series
LONGEST = 4096  # steps of a history that are read
SHORT = 144  # steps up to which a history is a short one
YEAR_OF_WEEKS, YEARS = 52, 8  # a year has 52.18 weeks: after more years their places in the season blur


def quantiles_of(weights: Weights, series: Sequence[np.ndarray], seasons: tuple[int, int], horizon: int) -> np.ndarray:
    """Return the quantiles (N, F, Q) at ``LEVELS`` of the F steps after N histories.

    Args:
        weights: of the network.
        series: N histories, not finite where missing, each with at least one known value.
        seasons: the season in steps and a longer one; 1 for none.
        horizon: F.
    """
    scaled, units = _scaled(series, seasons)
    return units[:, None, None] * _widened(_scaled_quantiles(weights, scaled, seasons, horizon))


def inputs_of_histories(name: str, series: Sequence[np.ndarray], seasons: tuple[int, int]) -> Inputs:
    """Return the inputs of N histories of any length, as :func:`quantiles_of` gives them to the network.

    Args:
        name: of the shape of the windows, see :func:`shape_names`.
        series: N histories, not finite where missing, each with at least one known value.
        seasons: the season in steps and a longer one; 1 for none.
    """
    scaled, units = _scaled(series, seasons)
    lengths = np.array([len(history) for history in scaled])
    rows = _batches(np.arange(len(scaled)), lengths)
    parts = side_by_side(lambda batch: _inputs(name, [scaled[row] for row in batch], seasons), rows)
    order = np.argsort(np.concatenate(rows))
    inputs = Inputs(*(np.concatenate(arrays)[order] for arrays in zip(*parts, strict=True)))
    return inputs._replace(center=units[:, None] * inputs.center, scale=units[:, None] * inputs.scale)


def shape_names(lengths: np.ndarray, horizon: int) -> np.ndarray:
    """Return the names of the shapes (N,) with which histories of these lengths (N,) are forecast."""
    is_short = (lengths <= SHORT) & (horizon <= SHAPES["short"].horizon)
    return np.where(is_short, "short", "long")


def _scaled(series: Sequence[np.ndarray], seasons: tuple[int, int]) -> tuple[list[np.ndarray], np.ndarray]:
    """Return the part of each history that is read, in units (N,) of its own."""
    series = [_from_first_known(history) for history in series]
    if YEAR_OF_WEEKS in seasons:
        series = [_recent(history, YEARS * YEAR_OF_WEEKS) for history in series]
    units = np.array([_unit(history) for history in series])
    return [history / unit for history, unit in zip(series, units, strict=True)], units


def steps_read(season: int, horizon: int) -> int:
    """Return how many last steps of a history a forecast of so many steps reads at most."""
    most = SHAPES["long"].horizon
    return LONGEST * (coarse_step(horizon, most, season) if horizon > most else 1)


def _from_first_known(history: np.ndarray) -> np.ndarray:
    """Return a history from its first known value on, NaN where missing."""
    known = np.isfinite(history)
    return np.where(known, history, np.nan)[known.argmax() :]


def _widened(quantiles: np.ndarray) -> np.ndarray:
    """Move late quantiles (N, F, Q) away from the median: real series change more than synthetic ones."""
    median = quantiles[:, :, MIDDLE : MIDDLE + 1]
    share = np.minimum(np.arange(quantiles.shape[1]) / WIDER_FROM, 1.0)
    return median + (1 + WIDER * share)[:, None] * (quantiles - median)


def _unit(history: np.ndarray) -> float:
    """Return a power of two near the largest value, so that values of any size can be squared; no digit changes."""
    largest = np.nanmax(np.abs(history))
    return float(np.exp2(np.floor(np.log2(largest)))) if largest > 0 else 1.0


def _scaled_quantiles(
    weights: Weights, series: Sequence[np.ndarray], seasons: tuple[int, int], horizon: int
) -> np.ndarray:
    """Return the quantiles (N, F, Q) of histories whose values are at most 2 in size."""
    most = SHAPES["long"].horizon
    if horizon > most:
        return _in_coarse_steps(weights, series, seasons, horizon, coarse_step(horizon, most, seasons[0]))
    quantiles = np.empty((len(series), horizon, len(LEVELS)))
    lengths = np.array([len(history) for history in series])
    names = shape_names(lengths, horizon)

    def fill(batch: tuple[str, np.ndarray]) -> None:
        name, rows = batch
        inputs = _inputs(name, [series[row] for row in rows], seasons)
        found = inputs.center[:, :, None] + inputs.scale[:, :, None] * forecast(weights, name, inputs)
        quantiles[rows] = found[:, :horizon]

    side_by_side(fill, [(name, rows) for name in SHAPES for rows in _batches(np.flatnonzero(names == name), lengths)])
    return quantiles


def _batches(rows: np.ndarray, lengths: np.ndarray) -> list[np.ndarray]:
    """Return rows in batches, each of histories of similar length; ``lengths`` (N,) are those of all rows."""
    order = rows[np.argsort(lengths[rows], kind="stable")]
    return [order[begin : begin + BATCH] for begin in range(0, len(order), BATCH)]


def _inputs(name: str, series: Sequence[np.ndarray], seasons: tuple[int, int]) -> Inputs:
    """Return the inputs of one batch; no series changes another's."""
    shape = SHAPES[name]
    steps = np.array([min(max(len(history), shape.context), LONGEST) for history in series])
    values = np.full((len(series), steps.max()), np.nan)
    for row, history in enumerate(series):
        used = _recent(history, int(steps[row]))
        values[row, -len(used) :] = used
    told = _told(values, steps, *seasons)
    with np.errstate(over="ignore", invalid="ignore"):
        return inputs_of(values, told, shape)


def _told(values: np.ndarray, steps: np.ndarray, short: int, long: int) -> Seasons:
    """Return the seasons of histories (B, N) that the network is told: none if the shorter one is not in the values.

    They are shorter than the ``steps`` (B,) that are read of each.
    """
    season = np.minimum(short, steps - 1)
    there = seasonal_strength(histories(values, season), season) >= LEAST_STRENGTH
    return Seasons(np.where(there, season, 1), np.where(there & (long < steps - 1), long, 1))


def _recent(history: np.ndarray, steps: int) -> np.ndarray:
    """Return the last steps of a history; if none of them is known, the first is the last value before them."""
    used = history[-steps:]
    if np.isfinite(used).any():
        return used
    return np.append(history[np.isfinite(history)][-1], used[1:])


def _in_coarse_steps(
    weights: Weights, series: Sequence[np.ndarray], seasons: tuple[int, int], horizon: int, size: int
) -> np.ndarray:
    """Return the quantiles (N, F, Q) of a far horizon."""
    joined = [means(history, size) for history in series]
    short, long = (max(season // size, 1) for season in seasons)
    coarse = _scaled_quantiles(weights, joined, (short, long), -(-horizon // size))
    quantiles = np.empty((len(series), horizon, len(LEVELS)))
    for row, history in enumerate(series):
        quantiles[row] = fine_quantiles(history, coarse[row], size, seasons[0], horizon)
    return quantiles
