"""Series of seasonal ARIMA models with one or two seasons."""

import numpy as np
from scipy.signal import lfilter

from throughtime.pretraining.generators.draws import Rng, Seasons, autoregressive, log_uniform, noise, standardized
from throughtime.pretraining.generators.profiles import repeated, seasonal_profile

LEAST_BURN_IN = 100


def seasonal_arima(rng: Rng, count: int, steps: int, seasons: Seasons) -> np.ndarray:
    """Draw series (B, T) of one seasonal ARIMA model (Box & Jenkins 1970), or of a fast and a slow one together.

    The poles of the short lags are uniform by area within 0.9 or 0.97, orders up to 6 and 3. The season comes from a
    seasonal difference whose pole is 1 or 0.8 to 0.999, from a seasonal autoregression of 0.2 to 0.95, from a profile
    of 0.2 to 5 deviations, or from two of them. The order of integration is 0, fractional up to 0.95 (Hosking 1981), 1
    or 2; with a season, a random walk of 0.02 to 0.5 deviations a step is added instead. The slow one's steps are whole
    short seasons; both are added, the slow one 0.2 to 3 times as large, or the slow one scales the fast one by up to
    100 %: carrier times envelope, after SarSim0 (2026).
    """
    if seasons.long <= 1:
        return _one_season(rng, count, steps, seasons.short)
    fast = standardized(_one_season(rng, count, steps, seasons.short))
    cycles = steps // seasons.short + 2
    slow = standardized(_one_season(rng, count, cycles, max(seasons.long // seasons.short, 1)))
    slow = np.repeat(slow, seasons.short, axis=1)[:, :steps]
    if rng.random() < 0.5:
        width = max(2, seasons.short // 4)
        slow = lfilter(np.full(width, 1 / width), 1, slow, axis=1)
    if rng.random() < 0.5:
        return fast + slow * log_uniform(rng, 0.2, 3, (count, 1))
    envelope = slow / (np.abs(slow).max(axis=1, keepdims=True) + 1e-9)
    return (1 + rng.uniform(0, 1, (count, 1)) * envelope) * (fast + rng.uniform(0, 4, (count, 1)))


def _one_season(rng: Rng, count: int, steps: int, season: int) -> np.ndarray:
    length = steps + max(LEAST_BURN_IN, 3 * season)
    above = _polynomial(rng, int(rng.integers(0, 4)), 0.9)
    below = _polynomial(rng, int(rng.integers(0, 7)), 0.97 if rng.random() < 0.4 else 0.9)
    if season > 1:
        above, below = _with_season(rng, above, below, season)
    series = lfilter(above, below, noise(rng, count, length), axis=1)
    if season > 1 and rng.random() < 0.6:
        size = log_uniform(rng, 0.2, 5, (count, 1))
        series = standardized(series) + repeated(seasonal_profile(rng, count, season), length) * size
    return _integrated(rng, series, season)[:, -steps:]


def _polynomial(rng: Rng, order: int, radius: float) -> np.ndarray:
    """Return the coefficients of a polynomial in the lag whose roots' inverses are uniform in a disk."""
    roots: list[complex] = []
    while order - len(roots) >= 2 and rng.random() < 0.6:
        root = radius * np.sqrt(rng.random()) * np.exp(1j * np.pi * rng.random())
        roots += [root, root.conjugate()]
    for _ in range(order - len(roots)):
        roots.append(radius * np.sqrt(rng.random()) * (1 if rng.random() < 0.75 else -1))
    return np.real(np.poly(roots)) if roots else np.ones(1)


def _with_season(rng: Rng, above: np.ndarray, below: np.ndarray, season: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the polynomials with a seasonal difference and moving average, a seasonal autoregression, or unchanged."""
    kind = rng.random()
    if kind < 0.65:
        if rng.random() < 0.5:
            below = _polynomial(rng, int(rng.integers(0, 3)), 0.9)
        pole = 1.0 if rng.random() < 0.6 else rng.uniform(0.8, 0.999)
        above = np.convolve(above, _at_lag(season, rng.uniform(0.2, 0.97)))
        return above, np.convolve(below, _at_lag(season, pole))
    if kind < 0.85:
        return above, np.convolve(below, _at_lag(season, rng.uniform(0.2, 0.95)))
    return above, below


def _at_lag(season: int, coefficient: float) -> np.ndarray:
    """Return ``1 - c L^m``."""
    return np.r_[1.0, np.zeros(season - 1), -coefficient]


def _integrated(rng: Rng, series: np.ndarray, season: int) -> np.ndarray:
    """Return the series, integrated in part, once or twice; with a season, a random walk is added instead."""
    order = rng.choice(4, p=[0.35, 0.25, 0.33, 0.07])
    if order == 0:
        return series
    if order == 1:
        return _fractionally(series, rng.uniform(0, 0.95))
    count, length = series.shape
    series = standardized(series)
    if season > 1:
        walks = np.cumsum(noise(rng, count, length), axis=1) * log_uniform(rng, 0.02, 0.5, (count, 1))
        return series + walks * (1 if order == 2 else 0.5)
    walks = np.cumsum(series + rng.standard_normal((count, 1)) * rng.uniform(0, 0.6), axis=1)
    if order == 2:
        return walks
    return autoregressive(rng.uniform(0.7, 0.97), np.diff(walks, axis=1, prepend=walks[:, :1])).cumsum(axis=1)


def _fractionally(series: np.ndarray, order: float) -> np.ndarray:
    """Return ``(1 - L)^(-d)`` of series (B, T) (Hosking 1981, eq. 2.4)."""
    length = series.shape[1]
    lags = np.arange(1, length)
    weights = np.r_[1.0, np.cumprod((lags - 1 + order) / lags)]
    size = 2 ** int(np.ceil(np.log2(2 * length)))
    return np.fft.irfft(np.fft.rfft(series, size, axis=1) * np.fft.rfft(weights, size), size, axis=1)[:, :length]
