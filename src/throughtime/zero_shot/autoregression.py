"""Autoregression of B series at once, by ridge regression."""

import numpy as np
from jaxtyping import Float

ORDER = 4
RIDGE = 0.5  # of the variance, for each coefficient: pulls the forecast to the mean if there is little data
FARTHEST = 1.5  # times the largest known distance from the mean that a forecast may be away from it


def autoregressive_forecast(
    values: Float[np.ndarray, "B N"], begun: Float[np.ndarray, "B N"], horizon: int
) -> Float[np.ndarray, "B F"]:
    """Forecast by an autoregression of order 4 around the mean (Hyndman & Athanasopoulos 2021, section 9.3).

    Args:
        values: B series of N steps.
        begun: 1 at the steps that count, 0 before a series begins.
        horizon: F.
    """
    count = np.maximum(begun.sum(axis=1, keepdims=True), 1)
    mean = (values * begun).sum(axis=1, keepdims=True) / count
    centered = (values - mean) * begun
    scale = np.maximum(np.sqrt((centered**2).sum(axis=1, keepdims=True) / count), 1e-12)
    centered = centered / scale
    farthest = FARTHEST * np.abs(centered).max(axis=1)
    coefficients = _coefficients(centered, begun)
    recent = centered[:, : -ORDER - 1 : -1]
    ahead = np.empty((len(values), horizon))
    for step in range(horizon):
        ahead[:, step] = np.clip((coefficients * recent).sum(axis=1), -farthest, farthest)
        recent = np.concatenate([ahead[:, step : step + 1], recent[:, :-1]], axis=1)
    return mean + scale * ahead


def _coefficients(values: np.ndarray, begun: np.ndarray) -> np.ndarray:
    """Return the coefficients (B, ORDER) of the values 1, 2, ... steps before, of standardized values (B, N)."""
    steps = values.shape[1]
    counts = begun[:, : steps - ORDER]
    lags = np.stack([values[:, ORDER - lag : steps - lag] for lag in range(1, ORDER + 1)], axis=1) * counts[:, None]
    gram = lags @ lags.transpose(0, 2, 1) + RIDGE * np.eye(ORDER)
    return np.linalg.solve(gram, lags @ (values[:, ORDER:] * counts)[:, :, None])[:, :, 0]
