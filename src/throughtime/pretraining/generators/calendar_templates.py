"""Series of daily, weekly and yearly profiles that multiply or add, with holidays and changing amplitudes."""

import numpy as np

from throughtime.pretraining.generators.draws import (
    Rng,
    Seasons,
    autoregressive,
    log_uniform,
    noise,
    standardized,
    walk,
)
from throughtime.pretraining.generators.profiles import repeated, seasonal_profile


def calendar_template(rng: Rng, count: int, steps: int, seasons: Seasons) -> np.ndarray:
    """Draw series (B, T) around 1 of the profiles of one or two seasons; the trend is a walk, for half with a line.

    Trend, seasons and noise multiply, as in ForecastPFN (Dooley et al. 2023, arXiv 2311.01933), or add. The short
    profile moves a series by 10 to 90 %, the long one by 5 to 80 %, and a walk scales both for 40 % of the groups; the
    trend moves by 2 to 100 %; autoregressive noise of 2 to 60 %. Some groups have one to four holidays at 30 to 130 %.
    """
    multiply = rng.random() < 0.6
    shape = 1 + rng.uniform(0.1, 0.9, (count, 1)) * _of_size_one(seasonal_profile(rng, count, seasons.short), steps)
    if seasons.long > 1:
        second = rng.uniform(0.05, 0.8, (count, 1)) * _of_size_one(_long_profile(rng, count, seasons), steps)
        shape = shape * (1 + second) if multiply else shape + second
    if rng.random() < 0.4:
        shape = 1 + (shape - 1) * np.exp(walk(rng, count, steps) * 0.5)
    trend = walk(rng, count, steps) * log_uniform(rng, 0.02, 1, (count, 1))
    if rng.random() < 0.5:
        trend = trend + 0.7 * rng.standard_normal((count, 1)) * np.linspace(0, 1, steps)
    errors = standardized(autoregressive(rng.uniform(0, 0.98), noise(rng, count, steps)))
    errors = errors * log_uniform(rng, 0.02, 0.6, (count, 1))
    series = shape * np.exp(0.7 * (trend + errors)) if multiply else shape + trend + 0.6 * errors
    return _with_holidays(rng, series, seasons.short) if seasons.short > 1 and rng.random() < 0.25 else series


def _long_profile(rng: Rng, count: int, seasons: Seasons) -> np.ndarray:
    """Draw a profile of the long season: mostly one level for each short season in it, such as each day of a week."""
    if seasons.short < 2 or seasons.long % seasons.short:
        return seasonal_profile(rng, count, seasons.long)
    levels = np.repeat(seasonal_profile(rng, count, seasons.long // seasons.short), seasons.short, axis=1)
    levels = levels if levels.shape[1] == seasons.long else seasonal_profile(rng, count, seasons.long)
    return levels + 0.4 * seasonal_profile(rng, count, seasons.long) if rng.random() < 0.3 else levels


def _of_size_one(profile: np.ndarray, steps: int) -> np.ndarray:
    return repeated(profile / (np.abs(profile).max(axis=1, keepdims=True) + 1e-9), steps)


def _with_holidays(rng: Rng, series: np.ndarray, season: int) -> np.ndarray:
    """Return series in which some whole short seasons are lower or higher."""
    for row in series:
        for cycle in rng.integers(0, max(len(row) // season, 1), rng.integers(1, 5)):
            row[cycle * season : (cycle + 1) * season] *= rng.uniform(0.3, 1.3)
    return series
