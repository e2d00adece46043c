"""Series of stationary Gaussian processes whose kernels are sums and products of simple ones, with a trend."""

import numpy as np

from throughtime.pretraining.generators.draws import Rng, Seasons, log_uniform


def gaussian_process(rng: Rng, count: int, steps: int, seasons: Seasons) -> np.ndarray:
    """Draw series (B, T) of one Gaussian process, and for some groups a line for each series.

    One to four kernels: periodic, squared exponential, rational quadratic, exponential, Matern 3/2 (Rasmussen &
    Williams 2006, chapter 4), joined by sums and products, as in KernelSynth (Ansari et al. 2024, arXiv 2403.07815).
    Length scales from 2 % of the series to all of it, 0.3 to 1.5 within a season; noise of 0.1 to 60 % of the variance;
    the line moves by about 2 deviations.
    """
    lags = np.arange(2 * steps)
    lags = np.minimum(lags, 2 * steps - lags)  # on a circle
    kernel = _kernel(rng, lags, steps, seasons)
    for _ in range(rng.integers(0, 4)):
        other = _kernel(rng, lags, steps, seasons)
        kernel = kernel + other * log_uniform(rng, 0.1, 3) if rng.random() < 0.6 else kernel * other
    series = _sampled(rng, kernel / kernel[0], count)[:, :steps]
    if rng.random() < 0.8:
        series = series + np.sqrt(log_uniform(rng, 0.001, 0.6)) * rng.standard_normal((count, steps))
    if rng.random() < 0.4:
        series = series + 2 * rng.standard_normal((count, 1)) * np.linspace(0, 1, steps)
    return series


def _kernel(rng: Rng, lags: np.ndarray, steps: int, seasons: Seasons) -> np.ndarray:
    """Return the covariance at each lag of one random kernel."""
    kind = rng.choice(5, p=[0.36, 0.2, 0.14, 0.14, 0.16])
    if kind == 0 and seasons.short > 1:
        long = 1 < seasons.long < steps and rng.random() < 0.35
        season = seasons.long if long else seasons.short
        return np.exp(-2 * np.sin(np.pi * lags / season) ** 2 / rng.uniform(0.3, 1.5) ** 2)
    distance = lags / (steps * log_uniform(rng, 0.02, 1))
    if kind <= 1:
        return np.exp(-(distance**2) / 2)
    if kind == 2:
        return (1 + distance**2) ** -0.5
    if kind == 3:
        return np.exp(-distance)
    return (1 + np.sqrt(3) * distance) * np.exp(-np.sqrt(3) * distance)


def _sampled(rng: Rng, covariance: np.ndarray, count: int) -> np.ndarray:
    """Draw series from the covariances on a circle (Dietrich & Newsam 1997); negative spectral densities become 0."""
    density = np.maximum(np.fft.fft(covariance).real, 0)
    white = rng.standard_normal((count, len(covariance)))
    return np.fft.ifft(np.fft.fft(white, axis=1) * np.sqrt(density), axis=1).real
