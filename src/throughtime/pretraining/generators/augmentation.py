"""Changes of drawn series: breaks, shocks, limits, other scales, outliers, few levels."""

import numpy as np

from throughtime.pretraining.generators.draws import Rng, log_uniform, maybe, noise


def augmented(rng: Rng, series: np.ndarray) -> np.ndarray:
    """Return series (B, T), standardized and changed; what happens is drawn for the group, how much for each series."""
    spread = series.std(axis=1, keepdims=True) + 1e-9
    series = (series - series.mean(axis=1, keepdims=True)) / spread
    for share, change in CHANGES:
        if rng.random() < share:
            series = change(rng, series)
    series = _on_a_scale(rng, series)
    for share, change in (0.12, _with_outliers), (0.12, _of_few_levels):
        if rng.random() < share:
            series = change(rng, series)
    return series


def _with_breaks(rng: Rng, series: np.ndarray) -> np.ndarray:
    """Move the level of most series from a random step on."""
    count, steps = series.shape
    after = np.arange(steps) >= rng.integers(0, steps, (count, 1))
    return series + after * maybe(rng, 0.6, count) * rng.standard_normal((count, 1)) * rng.uniform(0.3, 2, (count, 1))


def _of_two_amplitudes(rng: Rng, series: np.ndarray) -> np.ndarray:
    """Make the part after a random step larger or smaller."""
    count, steps = series.shape
    return series * np.where(np.arange(steps) < rng.integers(0, steps, (count, 1)), 1, rng.uniform(0.4, 2, (count, 1)))


def _with_shock(rng: Rng, series: np.ndarray) -> np.ndarray:
    """Add a shock that decays."""
    count, steps = series.shape
    since = np.arange(steps) - rng.integers(0, steps, (count, 1))
    decay = np.exp(-np.maximum(since, 0) / (steps * rng.uniform(0.02, 0.25, (count, 1))))
    return series + np.where(since >= 0, decay, 0) * 2 * rng.standard_normal((count, 1))


def _with_bend(rng: Rng, series: np.ndarray) -> np.ndarray:
    """Change the slope from a random step on."""
    count, steps = series.shape
    since = np.maximum(np.arange(steps) - rng.integers(0, steps, (count, 1)), 0)
    return series + since / steps * 4 * rng.standard_normal((count, 1))


def _noisier(rng: Rng, series: np.ndarray) -> np.ndarray:
    return series + noise(rng, *series.shape) * log_uniform(rng, 0.02, 1, (len(series), 1))


def _limited(rng: Rng, series: np.ndarray) -> np.ndarray:
    """Cut all values below a quantile, or above one."""
    if rng.random() < 0.6:
        return np.maximum(series, np.quantile(series, rng.uniform(0, 0.3), axis=1, keepdims=True))
    return np.minimum(series, np.quantile(series, rng.uniform(0.7, 1), axis=1, keepdims=True))


def _on_a_scale(rng: Rng, series: np.ndarray) -> np.ndarray:
    """Return exponentials, values around a positive level, softened positive values, or the series as it is."""
    count, kind = len(series), rng.random()
    if kind < 0.38:
        series = np.exp(series * rng.uniform(0.05, 0.9, (count, 1)))
        closed = rng.random() < 0.1
        return np.maximum(series - np.quantile(series, 0.1, axis=1, keepdims=True), 0) if closed else series
    if kind < 0.75:
        series = series * log_uniform(rng, 0.02, 1, (count, 1)) + rng.uniform(0, 2, (count, 1))
    elif kind < 0.83:
        series = np.logaddexp(0, 3 * series)
    return -series if rng.random() < 0.3 else series


def _with_outliers(rng: Rng, series: np.ndarray) -> np.ndarray:
    spread = series.std(axis=1, keepdims=True)
    return series + (rng.random(series.shape) < 0.01) * rng.standard_normal(series.shape) * 5 * spread


def _of_few_levels(rng: Rng, series: np.ndarray) -> np.ndarray:
    step = log_uniform(rng, 0.02, 0.4, (len(series), 1)) * (series.std(axis=1, keepdims=True) + 1e-9)
    return np.round(series / step) * step


CHANGES = (
    (0.18, _with_breaks),
    (0.1, _of_two_amplitudes),
    (0.1, _with_shock),
    (0.1, _with_bend),
    (0.25, _noisier),
    (0.12, _limited),
)
