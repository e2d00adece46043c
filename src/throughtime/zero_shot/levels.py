"""The levels of the quantiles that all forecasts have."""

from functools import cache
from statistics import NormalDist

import numpy as np

LEVELS = (0.025, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.975)
MIDDLE = len(LEVELS) // 2


@cache
def normal_scores(levels: tuple[float, ...]) -> np.ndarray:
    """Return the quantiles (Q,) of the standard normal distribution at these levels."""
    return np.array([NormalDist().inv_cdf(level) for level in levels])
