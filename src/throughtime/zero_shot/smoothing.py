"""Exponential smoothing of B series at once: levels, and damped trends whose smoothing is chosen on a grid."""

from functools import lru_cache
from itertools import product

import numpy as np

START = 6  # observations whose mean is the first level
TAIL = 160  # steps at the end that choose the smoothing of a trend
MEMORY = 0.985  # weight of the errors so far, from step to step
LEVELS = (0.08, 0.25, 0.5, 0.85)
TRENDS = ((0.0, 0.0), (0.1, 0.9), (0.3, 0.97), (0.0, 1.0))  # smoothing of the slope over that of the level, damping
GRID = np.array([(alpha, share * alpha, damping) for alpha, (share, damping) in product(LEVELS, TRENDS)])


def first_level(values: np.ndarray, first: np.ndarray) -> np.ndarray:
    """Return the mean (B,) of the first six steps of each series."""
    steps = np.arange(values.shape[1])
    begins = (steps >= first[:, None]) & (steps < first[:, None] + START)
    return np.where(begins, values, 0.0).sum(axis=1) / np.maximum(begins.sum(axis=1), 1)


def last_level(values: np.ndarray, start: np.ndarray, alpha: float) -> np.ndarray:
    """Return the level (B, 1) after simple exponential smoothing (Hyndman & Athanasopoulos 2021, eq. 8.1).

    Args:
        values: (B, N), equal to ``start`` before a series begins.
        start: (B,) the level before the first step.
        alpha: the weight of each new value.
    """
    steps = values.shape[1]
    weights = alpha * (1 - alpha) ** np.arange(steps - 1, -1, -1)
    return values @ weights[:, None] + (1 - alpha) ** steps * start[:, None]


def damped_trend(values: np.ndarray, known: np.ndarray, first: np.ndarray, horizon: int) -> np.ndarray:
    """Forecast (B, F) by Holt's damped trend, with the smoothing that has the least errors one step ahead.

    Gardner & McKenzie 1985; Hyndman & Athanasopoulos 2021, section 8.2. The errors of all settings of ``GRID`` are
    those of the last 160 steps, newer ones with more weight.

    Args:
        values: (B, N).
        known: (B, N) if a value was observed; the errors of others do not count.
        first: (B,) the step at which each series begins.
        horizon: F.
    """
    cut = max(0, values.shape[1] - TAIL)
    values, known, first = values[:, cut:], known[:, cut:], np.maximum(first - cut, 0)
    steps, rows = np.arange(values.shape[1]), np.arange(len(values))
    slopes = _first_slopes(values, first)
    driven = [_driven(values, first, slope, damping) for slope, (_, damping) in zip(slopes, TRENDS, strict=True)]
    weight = known * (steps > first[:, None]) * MEMORY ** (steps[-1] - steps)
    responses = _responses()[:, : len(steps), : len(steps)]
    errors = [driven[place % len(TRENDS)] @ response for place, response in enumerate(responses)]
    sizes = np.stack([np.einsum("bn,bn->b", np.abs(error), weight) for error in errors])
    best = sizes.argmin(axis=0)
    alpha, beta, damping = GRID[best].T
    error = np.stack([errors[setting][row] for row, setting in enumerate(best)])
    level = values[:, -1] - (1 - alpha) * error[:, -1]
    old = slopes[best % len(TRENDS), rows] * damping ** (steps[-1] - first)
    trend = old + beta * (error * damping[:, None] ** (steps[-1] - steps)).sum(axis=1)
    return level[:, None] + trend[:, None] * np.cumsum(damping[:, None] ** np.arange(1, horizon + 1), axis=1)


def _driven(values: np.ndarray, first: np.ndarray, slope: np.ndarray, damping: float) -> np.ndarray:
    """Return what drives the errors (B, N): ``d_t - phi d_(t-1)``, 0 up to the first step of each series."""
    rows, steps = np.arange(len(values)), np.arange(values.shape[1])
    differences = np.diff(values, axis=1, prepend=values[:, :1])
    differences[rows, first] = slope
    differences[:, 1:] -= damping * differences[:, :-1].copy()
    return np.where(steps > first[:, None], differences, 0.0)


@lru_cache(maxsize=1)
def _responses() -> np.ndarray:
    """Return for each setting the matrix (TAIL, TAIL) that turns what drives the errors into the errors.

    That of fewer steps is its upper left part.
    """
    lag = np.arange(TAIL) - np.arange(TAIL)[:, None]
    matrices = np.where(lag >= 0, _impulse_responses()[:, np.maximum(lag, 0)], 0.0)
    return np.ascontiguousarray(matrices)  # NumPy has put the settings last: products would take 10 times as long


def _impulse_responses() -> np.ndarray:
    """Return the responses (settings, TAIL) of the errors to an impulse.

    The damped trend is an ARIMA(1, 1, 2) (Hyndman & Athanasopoulos 2021, section 9.10): with the differences d of the
    values, ``e_t = d_t - phi d_(t-1) + (1 + phi - alpha - phi beta) e_(t-1) - (1 - alpha) phi e_(t-2)``, where the
    difference before the second step is the first slope.
    """
    alpha, beta, phi = GRID.T
    response = np.zeros((len(GRID), TAIL))
    response[:, 0] = 1.0
    for step in range(1, TAIL):
        response[:, step] = (1 + phi - alpha - phi * beta) * response[:, step - 1]
        if step > 1:
            response[:, step] -= (1 - alpha) * phi * response[:, step - 2]
    return response


def _first_slopes(values: np.ndarray, first: np.ndarray) -> np.ndarray:
    """Return the first slope (trends, B): a smoothed slope starts with half of that of the first third."""
    rows, steps = np.arange(len(values)), values.shape[1]
    third = np.minimum(first + np.maximum((steps - first) // 3, 4), steps - 1)
    begin = values[rows, first]
    early = (values[rows, third] - begin) / np.maximum(third - first, 1)
    whole = (values[:, -1] - begin) / np.maximum(steps - 1 - first, 1)
    return np.stack([0 * early, early / 2, early / 2, whole])
