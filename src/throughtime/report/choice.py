"""Which series a page has pictures of, and how much of their history: as much as keeps the page small."""

from typing import NamedTuple

import numpy as np

BUDGET = 1_000_000  # numbers in all pictures: about 4 MB of the page
MOST_HISTORY = 2_000  # steps; more than a screen has pixels for
RECENT_HORIZONS, RECENT_SEASONS, RECENT_LEAST = 4, 4, 48


class Selection(NamedTuple):
    """What is shown.

    Attributes:
        rows: the series with a picture, as rows of the panel, ascending.
        history: how many steps of history a picture goes back at most.
        recent: how many of them are seen at first.
    """

    rows: np.ndarray
    history: int
    recent: int


def choose(lengths: np.ndarray, drawn: np.ndarray, *, horizon: int, season: int, ranked: np.ndarray) -> Selection:
    """Fit the pictures into the budget: first by shorter histories, then by fewer series.

    Of too many series a third are the worst, a third the best, and the rest lie evenly between.

    Args:
        lengths: (N,) steps of each series.
        drawn: (N,) numbers in the forecasts and the backtest of each.
        horizon: the steps from the first backtest window to the end of the series, or those of a forecast.
        season: the period in steps.
        ranked: (N,) rows of the panel, the worst first.
    """
    recent = int(max(RECENT_HORIZONS * horizon, RECENT_SEASONS * season, RECENT_LEAST))
    most = max(MOST_HISTORY, recent)
    if np.minimum(lengths, most).sum() + drawn.sum() <= BUDGET:
        return Selection(np.arange(len(lengths)), most, recent)
    costs = np.minimum(lengths, recent) + drawn
    if costs.sum() <= BUDGET:
        spare = (BUDGET - drawn.sum()) // len(lengths)
        return Selection(np.arange(len(lengths)), int(np.clip(spare, recent, most)), recent)
    count = int(np.clip(BUDGET // costs.mean(), 1, len(lengths)))
    return Selection(np.sort(_sample(ranked, count)), recent, recent)


def _sample(ranked: np.ndarray, count: int) -> np.ndarray:
    """So many of the rows: worst, best and those between."""
    third = count // 3
    middle = ranked[third : len(ranked) - third]
    between = middle[np.linspace(0, len(middle) - 1, count - 2 * third).astype(int)]
    return np.concatenate([ranked[:third], between, ranked[len(ranked) - third :]])
