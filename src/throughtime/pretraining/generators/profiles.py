"""Seasonal profiles of unit deviation: one season, drawn for each series of a group."""

import numpy as np

from throughtime.pretraining.generators.draws import Rng, log_uniform, standardized

SMALL = 14  # steps of a season whose places differ freely
SHARES_SMALL = (0.3, 0.3, 0.12, 0.12, 0.08, 0.08)
SHARES = (0.04, 0.4, 0.14, 0.2, 0.12, 0.1)


def seasonal_profile(rng: Rng, count: int, season: int) -> np.ndarray:
    """Draw profiles (B, m) of one of six shapes; zeros (B, 1) without a season."""
    if season < 2:
        return np.zeros((count, 1))
    shape = rng.choice(len(SHAPES), p=SHARES_SMALL if season <= SMALL else SHARES)
    drawn = SHAPES[shape](rng, count, season)
    if season > SMALL and rng.random() < 0.4:
        drawn = drawn + 0.15 * rng.standard_normal((count, season)) * drawn.std()
    return standardized(drawn)


def repeated(profile: np.ndarray, steps: int) -> np.ndarray:
    """Return a profile (B, m) again and again, for T steps."""
    return profile[:, np.arange(steps) % profile.shape[1]]


def _free(rng: Rng, count: int, season: int) -> np.ndarray:
    """Draw each place by itself."""
    return rng.standard_normal((count, season))


def _harmonics(rng: Rng, count: int, season: int) -> np.ndarray:
    """Draw up to eight harmonics whose amplitude falls with their number."""
    place, decay = np.arange(season) / season, rng.uniform(0.3, 1.8)
    numbers = np.arange(1, rng.integers(1, min(8, season // 2) + 1) + 1)
    angles = 2 * np.pi * numbers[:, None] * place
    cosines, sines = rng.standard_normal((2, count, len(numbers))) / numbers**decay
    return cosines @ np.cos(angles) + sines @ np.sin(angles)


def _special_places(rng: Rng, count: int, season: int) -> np.ndarray:
    """Draw one or two short spikes, mostly upward."""
    drawn = 0.2 * rng.standard_normal((count, season))
    width = max(1, season // 24)
    for row in drawn:
        for place in rng.integers(0, season, rng.integers(1, 3)):
            row[(place + np.arange(width)) % season] += rng.choice([-1, 1], p=[0.3, 0.7]) * rng.uniform(1, 4)
    return drawn


def _bumps(rng: Rng, count: int, season: int) -> np.ndarray:
    """Draw one to three smooth bumps."""
    drawn = np.zeros((count, season))
    for _ in range(rng.integers(1, 4)):
        height = rng.choice([-1, 1], (count, 1), p=[0.25, 0.75]) * rng.uniform(0.3, 1, (count, 1))
        drawn += height * np.exp(-((_distance(rng, count, season) / log_uniform(rng, 0.02, 0.25, (count, 1))) ** 2) / 2)
    return drawn


def _daylight(rng: Rng, count: int, season: int) -> np.ndarray:
    """Draw an arch over a part of the season, and zeros elsewhere, as of the sun or of offices."""
    distance, width = _distance(rng, count, season), rng.uniform(0.2, 0.45, (count, 1))
    arch = np.cos(np.pi * np.minimum(np.abs(distance) / width, 1) / 2)
    return np.maximum(arch, 0) ** rng.uniform(0.3, 2)


def _weekend(rng: Rng, count: int, season: int) -> np.ndarray:
    """Draw a block of lower values."""
    width = max(1, int(season * rng.uniform(0.15, 0.4)))
    inside = (np.arange(season) - rng.integers(0, season, (count, 1))) % season < width
    return np.where(inside, -1.0, 0.0) + 0.15 * rng.standard_normal((count, season))


def _distance(rng: Rng, count: int, season: int) -> np.ndarray:
    """Return the distance (B, m) of each place from a random one, in seasons, from -0.5 to 0.5."""
    return (np.arange(season) / season - rng.random((count, 1)) + 0.5) % 1 - 0.5


SHAPES = (_free, _harmonics, _special_places, _bumps, _daylight, _weekend)
