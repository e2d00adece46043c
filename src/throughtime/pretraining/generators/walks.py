"""Random walks, with volatility that changes, and smooth trends."""

import numpy as np

from throughtime.pretraining.generators.draws import (
    Rng,
    Seasons,
    autoregressive,
    log_uniform,
    maybe,
    noise,
    standardized,
)
from throughtime.pretraining.generators.profiles import repeated, seasonal_profile

BURN_IN = 60


def random_walk(rng: Rng, count: int, steps: int, seasons: Seasons) -> np.ndarray:
    """Draw random walks (B, T) with drift, for most groups with stochastic volatility (Taylor 1986).

    The drift is none or 0.05 to 1.5 deviations of a step, the logarithm of the volatility varies by 0.1 to 0.9. Some
    groups have noise of observation of 0.1 to 3, or a season of 0.2 to 6 deviations of a step.
    """
    errors = noise(rng, count, steps)
    if rng.random() < 0.6:
        logs = standardized(autoregressive(rng.uniform(0.8, 0.995), rng.standard_normal((count, steps))))
        errors = errors * np.exp(logs * rng.uniform(0.1, 0.9))
    drift = rng.standard_normal((count, 1)) * log_uniform(rng, 0.05, 1.5, (count, 1)) * maybe(rng, 0.65, count)
    series = np.cumsum(errors + drift, axis=1)
    if rng.random() < 0.4:
        series = series + rng.standard_normal((count, steps)) * log_uniform(rng, 0.1, 3, (count, 1))
    if seasons.short > 1 and rng.random() < 0.3:
        season = repeated(seasonal_profile(rng, count, seasons.short), steps)
        series = series + season * log_uniform(rng, 0.2, 6, (count, 1))
    return series


def smooth_trend(rng: Rng, count: int, steps: int, seasons: Seasons) -> np.ndarray:
    """Draw series (B, T) whose slope wanders or returns slowly to its mean, with noise and a small season upon it.

    After the smooth trends of Harvey 1989. The slope forgets 0.3 to 30 % of its distance from the mean with each step;
    for half of the series it moves at every step, for the others at 15 % of the steps. Its mean is up to 1.5 deviations
    away from 0. Upon it a random walk of 0.03 to 2 deviations of the slope a step, noise of 0.05 to 3, and a season of
    0.3 to 8.
    """
    errors = noise(rng, count, steps + BURN_IN)
    errors = errors * np.where(maybe(rng, 0.5, count), 1, rng.random(errors.shape) < 0.15)
    kept = 1 - log_uniform(rng, 0.003, 0.3, count)
    slopes = np.concatenate([autoregressive(share, row[None]) for share, row in zip(kept, errors, strict=True)])
    slopes = standardized(slopes) + rng.standard_normal((count, 1)) * rng.uniform(0, 1.5, (count, 1))
    series = np.cumsum(slopes[:, BURN_IN:], axis=1)
    series = series + np.cumsum(noise(rng, count, steps), axis=1) * log_uniform(rng, 0.03, 2, (count, 1))
    if rng.random() < 0.6:
        series = series + noise(rng, count, steps) * log_uniform(rng, 0.05, 3, (count, 1))
    if seasons.short > 1 and rng.random() < 0.8:
        season = repeated(seasonal_profile(rng, count, seasons.short), steps)
        series = series + season * log_uniform(rng, 0.3, 8, (count, 1))
    return series
