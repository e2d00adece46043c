"""The series that get a chart, and the length of their histories: as much as keeps the page small."""

from typing import NamedTuple

import numpy as np

BUDGET = 1_000_000  # numbers in all charts: about 4 MB of the page
MOST_HISTORY = 2_000  # steps; more than a screen has pixels for
RECENT_HORIZONS, RECENT_SEASONS, RECENT_LEAST = 4, 4, 48  # a forecast looks small beside a longer history


class Selection(NamedTuple):
    """The charts of a page.

    Attributes:
        rows: the series with a chart, as rows of the panel, ascending.
        history: how many steps of history a chart has at most.
        recent: how many of them a chart shows at first.
    """

    rows: np.ndarray
    history: int
    recent: int


def choose(lengths: np.ndarray, drawn: np.ndarray, *, horizon: int, season: int, ranked: np.ndarray) -> Selection:
    """Fit the charts into the budget: first by shorter histories, then by fewer series.

    Of too many series a third are the worst, a third the best, and the rest evenly between them.

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
    """Return ``count`` of the rows: the worst, the best, and some between."""
    third = count // 3
    middle = ranked[third : len(ranked) - third]
    between = middle[np.linspace(0, len(middle) - 1, count - 2 * third).astype(int)]
    return np.concatenate([ranked[:third], between, ranked[len(ranked) - third :]])
