"""The mixture of families from which a model is pretrained."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from throughtime.pretraining.generators.arima import seasonal_arima
from throughtime.pretraining.generators.augmentation import augmented
from throughtime.pretraining.generators.calendar_templates import calendar_template
from throughtime.pretraining.generators.counts import counts
from throughtime.pretraining.generators.draws import Rng, Seasons, log_uniform, standardized
from throughtime.pretraining.generators.exponential_smoothing import exponential_smoothing
from throughtime.pretraining.generators.gaussian_process import gaussian_process
from throughtime.pretraining.generators.growth import growth
from throughtime.pretraining.generators.pulses import pulses
from throughtime.pretraining.generators.switching import switching_reversion
from throughtime.pretraining.generators.walks import random_walk, smooth_trend

Generator = Callable[[Rng, int, int, Seasons], np.ndarray]
"""``generator(rng, count, steps, seasons)`` draws series (count, steps) of one structure."""


class Family(NamedTuple):
    """A family of series.

    Attributes:
        draw: the generator.
        share: its weight in the mixture.
        plain: if the series stay as they were drawn: counts and growth have a scale of their own.
        trending: if it gets double weight in groups of short seasons, where trends matter most.
        seasonal: if it needs a season.
    """

    draw: Generator
    share: float
    plain: bool = False
    trending: bool = False
    seasonal: bool = False


FAMILIES = {
    "exponential smoothing": Family(exponential_smoothing, 0.27),
    "ARIMA": Family(seasonal_arima, 0.22),
    "Gaussian process": Family(gaussian_process, 0.12),
    "calendar": Family(calendar_template, 0.14, seasonal=True),
    "switching reversion": Family(switching_reversion, 0.05),
    "random walk": Family(random_walk, 0.05, trending=True),
    "counts": Family(counts, 0.07, plain=True),
    "pulses": Family(pulses, 0.05),
    "growth": Family(growth, 0.04, plain=True, trending=True),
    "smooth trend": Family(smooth_trend, 0.10, trending=True),
}
SHORT_SEASON = 4  # steps, up to which a group counts as one without much season
MIXED = 0.2  # share of groups with a second family
REVERSED = 0.08  # share of groups that run backward
LARGEST = 1e7


class Group(NamedTuple):
    """A group of series of one structure.

    Attributes:
        series: (B, T) float32.
        seasons: the seasons they were drawn with.
        family: the name of the family.
    """

    series: np.ndarray
    seasons: Seasons
    family: str


def draw_group(rng: Rng, count: int, steps: int, seasons: Seasons) -> Group:
    """Draw a group of series (B, T) of one structure from the mixture of families.

    The structure is drawn once, the innovations for each series: one recursion makes the whole group. A series that is
    not finite or too large is replaced by another of the group.
    """
    while True:
        name, family = _drawn_family(rng, seasons)
        with np.errstate(all="ignore"):
            series = family.draw(rng, count, steps, seasons)
            if not family.plain:
                series = augmented(rng, _mixed(rng, series, seasons) if rng.random() < MIXED else series)
        if rng.random() < REVERSED and family.draw is not growth:
            series = series[:, ::-1]
        good = np.flatnonzero(np.isfinite(series).all(axis=1) & (np.abs(series).max(axis=1) < LARGEST))
        if len(good) > count / 2:
            return Group(series[np.resize(good, count)].astype(np.float32), seasons, name)


def _drawn_family(rng: Rng, seasons: Seasons) -> tuple[str, Family]:
    """Draw a family that fits the seasons."""
    fitting = {name: family for name, family in FAMILIES.items() if seasons.short > 1 or not family.seasonal}
    double = seasons.short <= SHORT_SEASON
    weights = np.array([family.share * (2 if double and family.trending else 1) for family in fitting.values()])
    name = list(fitting)[rng.choice(len(fitting), p=weights / weights.sum())]
    return name, fitting[name]


def _mixed(rng: Rng, series: np.ndarray, seasons: Seasons) -> np.ndarray:
    """Return series with those of a second family added."""
    _, other = _drawn_family(rng, seasons)
    if other.plain:
        return series
    count, steps = series.shape
    second = standardized(other.draw(rng, count, steps, seasons))
    return standardized(series) + second * log_uniform(rng, 0.1, 1.5, (len(series), 1))
