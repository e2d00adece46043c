"""Inputs of the pretrained network: B histories as tokens, their simple forecasts, and some numbers of each window.

All values are measured in units of the window, so that a network sees series of any size alike.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from throughtime.zero_shot.bases import BASES, bases
from throughtime.zero_shot.histories import Histories, histories

LIMIT = 100.0  # units of the window that a simple forecast may be away from the level
AGE = 16.0  # patches, the unit of a token's age
SEASONS_SEEN = 6.0  # more of them say no more
ERROR_FLOOR = 0.05  # units of the window: smaller errors are alike
LEAST_STEPS = 6  # before held-out steps


class Shape(NamedTuple):
    """The sizes of a window, in steps.

    Attributes:
        context: L, the steps that the network reads.
        patch: P, the steps of one token.
        horizon: F, the steps that it forecasts at once.
        held: the numbers of steps at the end from which the simple forecasts are judged.
    """

    context: int
    patch: int
    horizon: int
    held: tuple[int, ...]


SHAPES = {"short": Shape(128, 8, 32, (8, 24)), "long": Shape(512, 16, 96, (32, 96))}
WINDOW_NUMBERS = 11 + 2 * (len(BASES) + 2)  # as _numbers and _judged return them


class Seasons(NamedTuple):
    """The seasons of B series in steps.

    Attributes:
        short: (B,) 1 for none.
        long: (B,) equal to the short one if there is no second one.
    """

    short: np.ndarray
    long: np.ndarray


class Inputs(NamedTuple):
    """The inputs of the network for B windows.

    Attributes:
        context: (B, L / P, 3 P + 5) values, seasonal differences and masks of each patch, its phases and its age.
        future: (B, F / P, K P + 5) the simple forecasts for each patch, its phases and its age.
        window: (B, G) numbers of the whole window.
        bases: (B, K, F) the simple forecasts in units of the window.
        center: (B, 1) the level of the window, in the data's own units.
        scale: (B, 1) the unit of the window.
    """

    context: Float[np.ndarray, "B C I"]
    future: Float[np.ndarray, "B C2 J"]
    window: Float[np.ndarray, "B G"]
    bases: Float[np.ndarray, "B K F"]
    center: Float[np.ndarray, "B 1"]
    scale: Float[np.ndarray, "B 1"]


class Unit(NamedTuple):
    """The level and the size of B windows, and what they were found from.

    Attributes:
        center: (B, 1) the mean of the last season.
        scale: (B, 1) the mean absolute seasonal difference, within limits.
        deviation: (B, 1) the standard deviation.
        step: (B, 1) the mean absolute difference of neighbors.
    """

    center: np.ndarray
    scale: np.ndarray
    deviation: np.ndarray
    step: np.ndarray


def inputs_of(values: np.ndarray, seasons: Seasons, shape: Shape) -> Inputs:
    """Return the inputs for the histories (B, N) of B series, NaN where missing and before a series begins.

    Args:
        values: N steps, at least those of the context.
        seasons: those that the bases and the phases have.
        shape: the sizes of a window.
    """
    short = np.clip(seasons.short, 1, values.shape[1] - 1)
    long = np.where((seasons.long > 1) & (seasons.long < values.shape[1] - 1), seasons.long, short)
    seasons = Seasons(short, long)
    series = histories(values, short)
    recent = series._replace(values=series.values[:, -shape.context :], known=series.known[:, -shape.context :])
    unit = unit_of(recent, seasons)
    forecasts = _scaled(bases(series, short, long, shape.horizon), unit)
    window = np.concatenate([_numbers(series, recent, unit, seasons), _judged(series, unit, seasons, shape)], axis=1)
    return Inputs(
        _single(_context_tokens(recent, unit, seasons, shape)),
        _single(_future_tokens(forecasts, seasons, shape)),
        _single(window),
        _single(forecasts),
        unit.center,
        unit.scale,
    )


def unit_of(recent: Histories, seasons: Seasons) -> Unit:
    """Return the units of windows: seasonal differences if there are three, else differences of neighbors."""
    known, values = recent.known, recent.values
    count = np.maximum(known.sum(axis=1, keepdims=True), 1)
    mean = (values * known).sum(axis=1, keepdims=True) / count
    deviation = np.sqrt((((values - mean) * known) ** 2).sum(axis=1, keepdims=True) / count)
    seasonal, pairs = _differences(recent, seasons.short)
    step, _ = _differences(recent, np.ones_like(seasons.short))
    by_step, by_season = _mean_size(step), _mean_size(seasonal)
    scale = np.where(pairs.sum(axis=1, keepdims=True) >= 3, by_season, by_step)
    scale = np.maximum(scale, np.maximum(0.03 * deviation, 0.2 * np.minimum(by_step, deviation)))
    center = _last_season_mean(recent, seasons.short)
    flat = scale <= 1e-9 * np.maximum(np.abs(center), 1e-3)
    return Unit(center, np.where(flat, np.maximum(0.01 * np.abs(center), 1e-6), scale), deviation, by_step)


def _mean_size(differences: np.ndarray) -> np.ndarray:
    """Return the mean size (B, 1) of differences (B, N), NaN where there is none."""
    known = np.isfinite(differences)
    total = np.where(known, np.abs(differences), 0.0).sum(axis=1, keepdims=True)
    return total / np.maximum(known.sum(axis=1, keepdims=True), 1)


def _differences(recent: Histories, lag: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return each value minus the one ``lag`` (B,) steps before, NaN if one is missing, and if there are both."""
    places = np.arange(recent.values.shape[1]) - lag[:, None]
    earlier = np.maximum(places, 0)
    both = (places >= 0) & recent.known & np.take_along_axis(recent.known, earlier, axis=1)
    return np.where(both, recent.values - np.take_along_axis(recent.values, earlier, axis=1), np.nan), both


def _last_season_mean(recent: Histories, season: np.ndarray) -> np.ndarray:
    """Return the mean (B, 1) of the observed values of the last season, or the last value if there are none."""
    steps = recent.values.shape[1]
    width = np.where(season > 1, season, 3)[:, None]
    inside = recent.known & (np.arange(steps) >= steps - width)
    count = inside.sum(axis=1, keepdims=True)
    mean = (recent.values * inside).sum(axis=1, keepdims=True) / np.maximum(count, 1)
    return np.where(count > 0, mean, recent.values[:, -1:])


def _scaled(forecasts: np.ndarray, unit: Unit) -> np.ndarray:
    """Return forecasts (B, K, F) in units of the window."""
    return np.clip((forecasts - unit.center[:, :, None]) / unit.scale[:, :, None], -LIMIT, LIMIT)


def _context_tokens(recent: Histories, unit: Unit, seasons: Seasons, shape: Shape) -> np.ndarray:
    """Return the tokens of the context: (B, L / P, 3 P + 5)."""
    level = np.arcsinh((recent.values - unit.center) / unit.scale) * recent.known
    seasonal, both = _differences(recent, seasons.short)
    change = np.arcsinh(np.where(both, seasonal, 0.0) / unit.scale)
    patches = len(level), shape.context // shape.patch, shape.patch
    parts = [array.reshape(patches) for array in (level, change, recent.known.astype(float))]
    places = shape.patch * np.arange(patches[1]) - shape.context + (shape.patch - 1) / 2
    age = np.broadcast_to((places / shape.patch / AGE)[None, :, None], (*patches[:2], 1))
    return np.concatenate([*parts, _phases(places, seasons), age], axis=2)


def _future_tokens(forecasts: np.ndarray, seasons: Seasons, shape: Shape) -> np.ndarray:
    """Return the tokens of the horizon: (B, F / P, K P + 5)."""
    count, kinds, horizon = forecasts.shape
    patches = horizon // shape.patch
    by_patch = np.arcsinh(forecasts).reshape(count, kinds, patches, shape.patch).transpose(0, 2, 1, 3)
    places = shape.patch * np.arange(patches) + (shape.patch - 1) / 2
    age = np.broadcast_to((places / shape.patch / AGE)[None, :, None], (count, patches, 1))
    return np.concatenate([by_patch.reshape(count, patches, -1), _phases(places, seasons), age], axis=2)


def _phases(places: np.ndarray, seasons: Seasons) -> np.ndarray:
    """Return sine and cosine (B, C, 4) of the places (C,) in both seasons; zeros for a season that there is not."""
    angles = [2 * np.pi * places / season[:, None] for season in seasons]
    there = [seasons.short > 1, seasons.long != seasons.short]
    waves = [wave(angle) * use[:, None] for angle, use in zip(angles, there, strict=True) for wave in (np.sin, np.cos)]
    return np.stack(waves, axis=2)


def _numbers(series: Histories, recent: Histories, unit: Unit, seasons: Seasons) -> np.ndarray:
    """Return eleven numbers (B, 11) of each window: level, spread, length, seasons, gaps and least value."""
    two = seasons.long != seasons.short
    observed, span = recent.known.sum(axis=1), np.minimum(series.steps - series.first, recent.known.shape[1])
    least = np.where(recent.known, recent.values, np.inf).min(axis=1)
    least = np.where(np.isfinite(least), least, 0.0)
    return np.stack(
        [
            np.arcsinh(unit.center / unit.scale)[:, 0] / 5,
            np.log(unit.deviation / unit.scale + 1e-3)[:, 0],
            np.log(unit.step / unit.scale + 1e-3)[:, 0],
            np.log(np.maximum(observed, 1) / 128),
            np.log(seasons.short) / 3,
            np.log(seasons.long) / 3 * two,
            (seasons.short <= 1).astype(float),
            two.astype(float),
            1 - observed / np.maximum(span, 1),
            np.minimum((series.steps - series.first) / seasons.short, SEASONS_SEEN) / 3,
            np.arcsinh((least[:, None] - unit.center) / unit.scale)[:, 0] / 5,
        ],
        axis=1,
    )


def _judged(series: Histories, unit: Unit, seasons: Seasons, shape: Shape) -> np.ndarray:
    """Return how well each simple forecast would have done (B, 2 (K + 2)), for both numbers of held-out steps.

    For each number: the logarithm of each forecast's mean absolute error over the mean of all, that of the mean, and 1;
    zeros for a series that is too short to judge.
    """
    parts = []
    for held in shape.held:
        before, known = series.steps - held, series.known[:, -held:]
        enough = (before - series.first >= np.maximum(LEAST_STEPS, seasons.short + 2)) & known.any(axis=1)
        cut = Histories(
            series.values[:, :before],
            series.known[:, :before],
            np.minimum(series.first, before - 1),
            series.sums[:, : before + 1],
            series.counts[:, : before + 1],
        )
        ahead = bases(cut, seasons.short, seasons.long, held)
        size = np.abs(ahead - series.values[:, None, -held:]) * known[:, None] / unit.scale[:, :, None]
        error = size.sum(axis=2) / np.maximum(known.sum(axis=1), 1)[:, None] + ERROR_FLOOR
        error = np.minimum(error, LIMIT)
        mean = error.mean(axis=1, keepdims=True)
        found = np.concatenate([np.log(error / mean), np.log(mean), np.ones_like(mean)], axis=1)
        parts.append(np.where(enough[:, None], found, 0.0))
    return np.concatenate(parts, axis=1)


def _single(array: np.ndarray) -> np.ndarray:
    """Return finite numbers of float32."""
    return np.nan_to_num(array, posinf=0.0, neginf=0.0).astype(np.float32)
