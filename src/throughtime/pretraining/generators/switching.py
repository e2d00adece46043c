"""Series that revert to a mean, in two regimes that take turns."""

import numpy as np

from throughtime.pretraining.generators.draws import Rng, Seasons, log_uniform, noise
from throughtime.pretraining.generators.profiles import repeated, seasonal_profile


def switching_reversion(rng: Rng, count: int, steps: int, seasons: Seasons) -> np.ndarray:
    """Draw series (B, T) of Ornstein-Uhlenbeck processes with two regimes of their own speed, mean and size of noise.

    Uhlenbeck & Ornstein 1930; regimes after Hamilton 1989. A regime goes on with a probability of 0.9 to 0.999 a step;
    40 % of the groups have one regime. A step removes 5 to 80 % of the distance from the mean in the one, 0.5 to 30 %
    in the other; noise of 0.05 to 0.6 and of 0.2 to 2. The means are about 1 to 6 apart, and move with a season of up
    to 2.
    """
    stay = rng.uniform(0.9, 0.999, count) if rng.random() < 0.6 else np.ones(count)
    speed = np.stack([rng.uniform(0.05, 0.8, count), log_uniform(rng, 0.005, 0.3, count)])
    mean = (rng.standard_normal((2, count)) + np.array([[-1.0], [1.0]])) * rng.uniform(0.5, 3)
    size = np.stack([log_uniform(rng, 0.05, 0.6, count), log_uniform(rng, 0.2, 2, count)])
    season = repeated(seasonal_profile(rng, count, seasons.short), steps) * rng.uniform(0, 2)
    errors, switches = noise(rng, count, steps), rng.random((count, steps)) > stay[:, None]
    regimes = (np.cumsum(switches, axis=1) + rng.integers(0, 2, (count, 1))) % 2
    rows, state, series = np.arange(count), np.zeros(count), np.empty((count, steps))
    for step in range(steps):
        regime = regimes[:, step]
        pull = mean[regime, rows] + season[:, step] - state
        state = state + speed[regime, rows] * pull + size[regime, rows] * errors[:, step]
        series[:, step] = state
    return series
