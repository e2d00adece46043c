"""A pool of synthetic series, from which many windows are drawn."""

from typing import NamedTuple

import numpy as np

from throughtime.pretraining.generators.draws import Rng, Seasons
from throughtime.pretraining.generators.mixture import draw_group

GROUP = 32  # series of one structure
COARSE = 0.3  # share of groups that are means over some steps, if they may be
LARGEST_STEP = 12  # steps of a mean

SHORT_SEASONS = {
    Seasons(12): 0.31,
    Seasons(1): 0.27,
    Seasons(4): 0.13,
    Seasons(7): 0.12,
    Seasons(52): 0.05,
    Seasons(24): 0.04,
    Seasons(5): 0.03,
    Seasons(3): 0.01,
    Seasons(6): 0.01,
    Seasons(10): 0.01,
    Seasons(26): 0.01,
    Seasons(30): 0.01,
}
LONG_SEASONS = {
    Seasons(24, 168): 0.27,
    Seasons(7): 0.19,
    Seasons(24): 0.09,
    Seasons(288): 0.07,
    Seasons(12): 0.06,
    Seasons(48, 336): 0.06,
    Seasons(96): 0.06,
    Seasons(52): 0.05,
    Seasons(1): 0.05,
    Seasons(5): 0.04,
    Seasons(7, 365): 0.04,
    Seasons(144): 0.02,
    Seasons(60): 0.02,
}


class Pool(NamedTuple):
    """The M series of T steps.

    Attributes:
        series: (M, T) float32.
        short: (M,) their seasons, 1 for none.
        long: (M,) their longer seasons, 1 for none.
    """

    series: np.ndarray
    short: np.ndarray
    long: np.ndarray


def draw_pool(rng: Rng, count: int, steps: int, seasons: dict[Seasons, float], *, coarse: float = 0.0) -> Pool:
    """Draw a pool of M = ``count`` series.

    Args:
        rng: makes all of them.
        count: a multiple of ``GROUP``.
        steps: T.
        seasons: the weight of each pair of seasons.
        coarse: the share of groups whose steps are means of several.
    """
    weights = np.array(list(seasons.values()))
    groups = rng.choice(len(seasons), count // GROUP, p=weights / weights.sum())
    drawn = [_group(rng, steps, list(seasons)[place], coarse) for place in groups]
    short = np.repeat([group_seasons.short for _, group_seasons in drawn], GROUP)
    long = np.repeat([group_seasons.long for _, group_seasons in drawn], GROUP)
    return Pool(np.concatenate([series for series, _ in drawn]), short, long)


def _group(rng: Rng, steps: int, seasons: Seasons, coarse: float) -> tuple[np.ndarray, Seasons]:
    """Draw a group, for some the means over several steps: far horizons are forecast in such coarse steps."""
    size = _coarse_step(rng, seasons) if rng.random() < coarse else 1
    series = draw_group(rng, GROUP, steps * size, seasons).series
    means = series.reshape(GROUP, steps, size).mean(axis=2)
    return means, Seasons(max(seasons.short // size, 1), max(seasons.long // size, 1))


def _coarse_step(rng: Rng, seasons: Seasons) -> int:
    """Draw a number of steps that divides the seasons."""
    sizes = [size for size in range(2, LARGEST_STEP + 1) if seasons.short % size == 0 and seasons.long % size == 0]
    return int(rng.choice(sizes)) if sizes else 1
