"""Intervals of any level from the quantiles that a network predicts."""

from collections.abc import Iterable, Sequence
from statistics import NormalDist
from typing import Any

import numpy as np
from typing_extensions import TypeAliasType

from throughtime._arguments import plain
from throughtime._errors import InputError
from throughtime._numbers import Real
from throughtime.zero_shot import LEVELS, MIDDLE, normal_scores

# The widest pair makes a 95 % interval; between and beyond, levels are interpolated.
QUANTILES, MEDIAN = LEVELS, MIDDLE
SCORES = normal_scores(QUANTILES)


Levels = TypeAliasType("Levels", Iterable[Real] | Real | np.ndarray | None)
"""Coverage of intervals in per cent: numbers, or one number."""


def as_levels(levels: Any) -> list[int | float]:
    """Return :data:`Levels` as a list of Python's numbers; 80 is [80], and None is none.

    Raises:
        InputError: for a level outside (0, 100), for a share such as 0.8, and for text.
    """
    if levels is None:
        return []
    alone = isinstance(levels, str) or not isinstance(levels, Iterable) or getattr(levels, "ndim", 1) == 0
    return [_as_level(level) for level in ([levels] if alone else levels)]


def _as_level(level: Any) -> int | float:
    """Return a level as Python's number."""
    number = plain(level)
    if isinstance(number, int | float) and not isinstance(number, bool) and 1 <= number < 100:
        return number
    raise InputError(
        f"level {number!r} is impossible: expected a coverage between 0 and 100 per cent, such as 80{_meant(number)}",
        code="impossible-level",
        found=level,
        expected=(0, 100),
    )


def _meant(level: Any) -> str:
    """Return a question for a share such as 0.8, and for a number that is text."""
    try:
        number = float(level)
    except (TypeError, ValueError):
        return ""
    if 0 < number < 1:
        number = round(100 * number, 9)
    return f". Did you mean {number:g}?" if 1 <= number < 100 and number != level else ""


def interval_columns(
    quantiles: np.ndarray,
    levels: Levels,
    name: str = "throughtime",
    *,
    positive: bool | np.ndarray = False,
) -> dict[str, np.ndarray]:
    """Return the point forecast and the bounds of each interval, under the names that Nixtla's libraries use.

    Args:
        quantiles: (S, Q) ascending along Q, at the levels ``QUANTILES``.
        levels: coverage in per cent, such as 80 and 95.
        name: the model's.
        positive: True, or flags (S,), to end bounds at zero; levels beyond the widest pair are extrapolated, also below
            it.

    Returns:
        ``throughtime`` (S,), the median, then ``throughtime-lo-80`` and ``throughtime-hi-80`` (S,) for each level.

    Raises:
        InputError: for a level outside (0, 100).
    """
    columns = {name: quantiles[:, MEDIAN]}
    for level in as_levels(levels):
        score = NormalDist().inv_cdf((1 - level / 100) / 2)
        for side, place in (("lo", score), ("hi", -score)):  # near 100 %, one less the tail would be one
            bound = quantiles @ _weights(place)
            columns[f"{name}-{side}-{level:g}"] = np.where(positive, np.maximum(bound, 0), bound)
    return columns


def stretched(quantiles: np.ndarray, factors: Sequence[float]) -> np.ndarray:
    """Move quantiles (..., Q) away from their median by factors (Q,), and sort them; the median stays."""
    median = quantiles[..., MEDIAN, None]
    return np.sort(median + np.asarray(factors) * (quantiles - median), axis=-1)


def sampled_quantiles(quantiles: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Draw values (..., count) from distributions with these quantiles (..., Q), linear in the normal score."""
    upper, share = _between(rng.standard_normal((*quantiles.shape[:-1], count)))
    below, above = (np.take_along_axis(quantiles, place, axis=-1) for place in (upper - 1, upper))
    return below + share * (above - below)


def shares_below(values: np.ndarray, quantiles: np.ndarray) -> np.ndarray:
    """Return the share of a distribution that is below each value (R,), from its quantiles (R, Q), ascending.

    Linear in the normal score, as the bounds of :func:`interval_columns` are. The share of a value that is several
    quantiles is the middle of theirs.
    """
    from scipy.special import ndtr  # for this function alone: it loads slowly

    below, upto = ((compare(quantiles, values[:, None])).sum(axis=1) for compare in (np.less, np.less_equal))
    upper = np.clip(below, 1, len(SCORES) - 1)
    left, right = (np.take_along_axis(quantiles, place[:, None], axis=1)[:, 0] for place in (upper - 1, upper))
    with np.errstate(divide="ignore", invalid="ignore"):  # beyond quantiles without width the score is infinite
        between = SCORES[upper - 1] + (values - left) / (right - left) * (SCORES[upper] - SCORES[upper - 1])
    middle = (SCORES[np.minimum(below, len(SCORES) - 1)] + SCORES[np.maximum(upto, 1) - 1]) / 2
    return ndtr(np.where(upto > below, middle, between))


def _between(score: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the quantile above normal scores (...), and the share of the way to it from the one below."""
    upper = np.clip(np.searchsorted(SCORES, score), 1, len(SCORES) - 1)
    return upper, (score - SCORES[upper - 1]) / (SCORES[upper] - SCORES[upper - 1])


def _weights(score: float) -> np.ndarray:
    """Return the weights (Q,) of a row of quantiles that make the one of a normal score, linear in it.

    For a normal distribution this is exact, also beyond the outermost quantiles.
    """
    upper, exact = (found.item() for found in _between(np.array([score])))
    share = round(exact, 12)  # exactly the quantile if the level is one of them
    weights = np.zeros(len(SCORES))
    weights[upper - 1 : upper + 1] = 1 - share, share
    return weights
