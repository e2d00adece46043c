"""Growth: logistic, Gompertz and exponential curves, waves of new cases, and their sums."""

import numpy as np

from throughtime.pretraining.generators.draws import Rng, Seasons, log_uniform, noise
from throughtime.pretraining.generators.profiles import repeated, seasonal_profile


def growth(rng: Rng, count: int, steps: int, seasons: Seasons) -> np.ndarray:
    """Draw series (B, T) that grow from 0 to 1, or are sums of what was added at each step, some rounded to counts.

    Logistic curves (Verhulst 1838), Gompertz's (1825), exponentials that grow by a factor of 1.6 to 150, or two waves.
    The middle of the growth is from 10 % of the series before its beginning to 40 % after its end; the width is 3 to
    40 % of the series. What was added varies by 5 to 80 %; counts end at 3 to 100,000.
    """
    curve = CURVES[rng.integers(len(CURVES))](rng, count, np.linspace(0, 1, steps))
    if rng.random() < 0.4:
        return curve + noise(rng, count, steps) * 0.02
    added = np.maximum(np.diff(curve, axis=1, prepend=0), 0) * np.exp(noise(rng, count, steps) * rng.uniform(0.05, 0.8))
    if seasons.short > 1 and rng.random() < 0.6:
        season = repeated(seasonal_profile(rng, count, seasons.short), steps)
        added = added * np.exp(season * rng.uniform(0.1, 0.6))
    total = np.cumsum(added, axis=1)
    if rng.random() < 0.5:
        total = np.round(total / (total[:, -1:] + 1e-9) * log_uniform(rng, 3, 1e5, (count, 1)))
    return total


def _middle_and_width(rng: Rng, count: int) -> tuple[np.ndarray, np.ndarray]:
    return rng.uniform(-0.1, 1.4, (count, 1)), log_uniform(rng, 0.03, 0.4, (count, 1))


def _logistic(rng: Rng, count: int, time: np.ndarray) -> np.ndarray:
    middle, width = _middle_and_width(rng, count)
    return 1 / (1 + np.exp(-(time - middle) / width))


def _gompertz(rng: Rng, count: int, time: np.ndarray) -> np.ndarray:
    middle, width = _middle_and_width(rng, count)
    return np.exp(-np.exp(-(time - middle) / width))


def _exponential(rng: Rng, count: int, time: np.ndarray) -> np.ndarray:
    return np.exp((time - 1) * rng.uniform(0.5, 5, (count, 1)))


def _waves(rng: Rng, count: int, time: np.ndarray) -> np.ndarray:
    """Draw the sum of two waves of new cases."""
    middle, width = _middle_and_width(rng, count)
    second = (time - rng.random((count, 1))) / width
    total = np.cumsum(np.exp(-(((time - middle) / width) ** 2) / 2) + np.exp(-(second**2) / 2) / 2, axis=1)
    return total / (total[:, -1:] + 1e-9)


CURVES = (_logistic, _gompertz, _exponential, _waves)
