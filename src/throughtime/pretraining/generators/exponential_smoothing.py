"""Series of exponential smoothing's state space models: level, trend and seasons that innovations move."""

from typing import NamedTuple

import numpy as np

from throughtime.pretraining.generators.draws import Rng, Seasons, log_uniform, noise
from throughtime.pretraining.generators.profiles import repeated, seasonal_profile


class Smoothing(NamedTuple):
    """The parameters (B,) of B series: smoothing of level, trend and season, and the damping of the trend."""

    alpha: np.ndarray
    beta: np.ndarray
    gamma: np.ndarray
    phi: np.ndarray


def exponential_smoothing(rng: Rng, count: int, steps: int, seasons: Seasons) -> np.ndarray:
    """Draw series (B, T) of ETS(A, Ad, A) with a second fixed season (Hyndman & Athanasopoulos 2021, section 8.5).

    Alpha is 0 or the square of a uniform number, beta at most half of alpha, gamma at most 0.6 (1 - alpha), phi is 1 or
    between 0.8 and 1. A season is 0.15 to 12 times as large as the noise, or there is none; the second one 0.15 to 6
    times. The first slope is none, one that moves the level by about 3 to 3 (1 + sqrt(T)) deviations of the noise over
    the series, or 0.02 to 1 of them a step.
    """
    smoothing = _parameters(rng, count, seasons.short)
    level, slope = 2 * rng.standard_normal(count), _slopes(rng, count, steps, smoothing.alpha)
    season = seasonal_profile(rng, count, seasons.short) * _amplitudes(rng, count)[:, None]
    innovations = noise(rng, count, steps)
    series = np.empty((count, steps))
    for step in range(steps):
        place = step % season.shape[1]
        error = innovations[:, step]
        ahead = level + smoothing.phi * slope
        series[:, step] = ahead + season[:, place] + error
        level = ahead + smoothing.alpha * error
        slope = smoothing.phi * slope + smoothing.beta * error
        season[:, place] += smoothing.gamma * error
    if seasons.long > 1 and rng.random() < 0.8:
        size = log_uniform(rng, 0.15, 6, (count, 1)) * (rng.random((count, 1)) < 0.8)
        series += repeated(seasonal_profile(rng, count, seasons.long) * size, steps)
    return series


def _parameters(rng: Rng, count: int, season: int) -> Smoothing:
    alpha = np.where(rng.random(count) < 0.1, 0, rng.random(count) ** 2)
    beta = alpha * rng.random(count) ** 2 * np.where(rng.random(count) < 0.5, 0, 0.5)
    gamma = np.where(rng.random(count) < 0.4, 0, (1 - alpha) * rng.random(count) ** 2 * 0.6)
    phi = np.where(rng.random(count) < 0.5, 1.0, rng.uniform(0.8, 1, count))
    return Smoothing(alpha, beta, gamma if season > 1 else np.zeros(count), phi)


def _slopes(rng: Rng, count: int, steps: int, alpha: np.ndarray) -> np.ndarray:
    """Draw the first slope: by the change over the whole series, or, for strong trends, by the change of one step."""
    over_all = rng.standard_normal(count) * 3 * (1 + np.sqrt(steps) * alpha * rng.random(count)) / steps
    over_all = np.where(rng.random(count) < 0.35, 0, over_all)
    strong = rng.standard_normal(count) * log_uniform(rng, 0.02, 1, count)
    return np.where(rng.random(count) < 0.4, strong, over_all)


def _amplitudes(rng: Rng, count: int) -> np.ndarray:
    """Draw the size of the season over that of the noise; 0 for all of some groups, and for some series of others."""
    size = np.where(rng.random(count) < 0.12, 0, log_uniform(rng, 0.15, 12, count))
    return size * (rng.random() < 0.9)
