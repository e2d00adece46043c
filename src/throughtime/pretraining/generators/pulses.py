"""Steps, pulses, saw teeth and spikes upon small noise."""

import numpy as np

from throughtime.pretraining.generators.draws import Rng, Seasons, autoregressive, log_uniform, noise


def pulses(rng: Rng, count: int, steps: int, seasons: Seasons) -> np.ndarray:
    """Draw series (B, T) of one kind: levels that change, pulses or teeth with a period, or spikes that decay.

    Kinds as in TempoPFN (Moroshan et al. 2025, arXiv 2510.25502). Two to twelve levels; a pulse takes 5 to 60 % of its
    period, which is the season, or from 8 steps to a quarter of the series; spikes come at 0.3 to 5 % of the steps.
    Noise of 0.01 to 0.6, where levels differ by about 2 and pulses and teeth have a height of 0.5 to 3.
    """
    shape = KINDS[rng.integers(len(KINDS))](rng, count, steps, seasons.short)
    series = shape + noise(rng, count, steps) * log_uniform(rng, 0.01, 0.6, (count, 1))
    if rng.random() < 0.3:
        series = series + np.cumsum(rng.standard_normal((count, steps)), axis=1) * 0.02
    return series


def _levels(rng: Rng, count: int, steps: int, season: int) -> np.ndarray:
    """Draw 2 to 12 levels, each for a while."""
    rows = []
    for breaks in rng.integers(1, 12, count):
        widths = np.diff(np.r_[0, np.sort(rng.integers(0, steps, breaks)), steps])
        rows.append(np.r_[0, 2 * rng.standard_normal(breaks)].repeat(widths))
    return np.stack(rows)


def _pulses(rng: Rng, count: int, steps: int, season: int) -> np.ndarray:
    """Draw a part of each period that is on."""
    period = season if season > 3 else int(rng.integers(8, max(9, steps // 6)))
    width = max(1, int(period * rng.uniform(0.05, 0.6)))
    return (_places(rng, count, steps, period) < width) * rng.uniform(0.5, 3, (count, 1))


def _teeth(rng: Rng, count: int, steps: int, season: int) -> np.ndarray:
    """Draw rising or triangular teeth."""
    period = season if season > 3 else int(rng.integers(8, max(9, steps // 4)))
    place = _places(rng, count, steps, period) / period
    return 3 * place if rng.random() < 0.5 else 3 * np.abs(2 * place - 1)


def _spikes(rng: Rng, count: int, steps: int, season: int) -> np.ndarray:
    """Draw rare spikes that decay."""
    rare = rng.random((count, steps)) < log_uniform(rng, 0.003, 0.05)
    return autoregressive(rng.uniform(0, 0.95), rare * rng.exponential(3, (count, steps)))


def _places(rng: Rng, count: int, steps: int, period: int) -> np.ndarray:
    """Return the place in its period of each step, from a random one on."""
    return (np.arange(steps) + rng.integers(0, period, (count, 1))) % period


KINDS = (_levels, _pulses, _teeth, _spikes)
