"""Counts: frequent ones, intermittent demand, and amounts with closed days."""

import numpy as np

from throughtime.pretraining.generators.draws import Rng, Seasons, log_uniform, maybe, walk
from throughtime.pretraining.generators.profiles import repeated, seasonal_profile


def counts(rng: Rng, count: int, steps: int, seasons: Seasons) -> np.ndarray:
    """Draw series (B, T) of Poisson or negative binomial counts, of demand now and then, or of gamma amounts.

    The mean is 0.03 to 60; its logarithm moves with the seasons and a random walk, by up to 0.8 each, 0.5 for the long
    season. Negative binomial counts have a shape of 0.3 to 10, gamma amounts one of 0.4 to 5, some with one or two
    closed days in seven. Demand now and then, as in Croston 1972, comes at 3 to 70 % of the steps.
    """
    logs = _logarithms(rng, count, steps, seasons)
    mean = log_uniform(rng, 0.03, 60, (count, 1)) * np.exp(np.clip(logs, -4, 4))
    kind = rng.choice(4, p=[0.35, 0.3, 0.25, 0.1])
    if kind == 0:
        return rng.poisson(mean).astype(float)
    if kind == 1:
        shape = log_uniform(rng, 0.3, 10, (count, 1))
        return rng.poisson(rng.gamma(shape, mean / shape)).astype(float)
    if kind == 2:
        return _intermittent(rng, logs)
    amounts = rng.gamma(log_uniform(rng, 0.4, 5, (count, 1)), mean)
    closed = (np.arange(steps) + rng.integers(0, 7, (count, 1))) % 7 < rng.integers(1, 3, (count, 1))
    return np.where(maybe(rng, 0.3, count) & closed, 0, amounts)


def _logarithms(rng: Rng, count: int, steps: int, seasons: Seasons) -> np.ndarray:
    """Draw the logarithm (B, T) of the mean over its usual value."""
    logs = walk(rng, count, steps) * rng.uniform(0, 0.8, (count, 1))
    logs += repeated(seasonal_profile(rng, count, seasons.short), steps) * rng.uniform(0, 0.8, (count, 1))
    logs += repeated(seasonal_profile(rng, count, seasons.long), steps) * rng.uniform(0, 0.5, (count, 1))
    if rng.random() < 0.2:
        logs += np.linspace(-1, 1, steps) * rng.standard_normal((count, 1)) * 0.8
    return logs


def _intermittent(rng: Rng, logs: np.ndarray) -> np.ndarray:
    """Draw demand at 3 to 70 % of the steps, of geometric or lognormal size."""
    count = len(logs)
    share = np.clip(rng.uniform(0.03, 0.7, (count, 1)) * np.exp(np.clip(logs, -4, 4) / 2), 0, 0.98)
    there = rng.random(logs.shape) < share
    if rng.random() < 0.6:
        return there * rng.geometric(rng.uniform(0.15, 0.95, (count, 1)), logs.shape).astype(float)
    sizes = np.exp(rng.standard_normal(logs.shape) * rng.uniform(0.2, 1)) * log_uniform(rng, 1, 20, (count, 1))
    return there * np.round(sizes)
