"""What was observed of a panel before its cutoffs, and the rules for series that are too short to learn from."""

from dataclasses import replace

import numpy as np

from throughtime.data import Panel
from throughtime.forecasting.config import QUANTILE_HEAD, ForecasterConfig
from throughtime.forecasting.plan import Plan

LEAST_OBSERVED = 3  # observations; with fewer there is nothing to measure a scale with
LEAST_HORIZONS, LEAST_WINDOWS = 2, 8  # on shorter random walks, intervals of 95 % covered 0 to 80 % of values


def learnable(panel: Panel, cutoffs: np.ndarray, horizon: int) -> np.ndarray:
    """Return (N,) flags of the series that the network serves: longer than the horizon, with some values observed."""
    return long_enough(cutoffs, observed_counts(panel, cutoffs), horizon)


def long_enough(cutoffs: np.ndarray, observed: np.ndarray, horizon: int) -> np.ndarray:
    """Return the same for series with these numbers of observed values (N,)."""
    return (cutoffs > horizon) & (observed >= LEAST_OBSERVED)


def window_count(panel: Panel, cutoffs: np.ndarray, horizon: int) -> int:
    """Return how many different windows, with a whole horizon after each, training can draw from all series."""
    return int((cutoffs - horizon)[learnable(panel, cutoffs, horizon)].sum())


def least_windows(horizon: int) -> int:
    """Return how many windows a network needs."""
    return max(LEAST_HORIZONS * horizon, LEAST_WINDOWS)


def trainable(panel: Panel, cutoffs: np.ndarray, horizon: int) -> bool:
    """Return True if there are windows enough for a network.

    Neighboring windows share all but one step of their future, so only a horizon of windows shows a second future. A
    network that has seen one future knows it by heart, and its intervals have no width.
    """
    return window_count(panel, cutoffs, horizon) >= least_windows(horizon)


def windows_needed(config: ForecasterConfig, panel: Panel) -> int:
    """Return how many windows must precede a test: those of a training, or one if the pretrained network forecasts."""
    trains = config.trains(int(observed_counts(panel, panel.lengths).sum()))
    trains = trains and trainable(panel, panel.lengths, config.horizon)
    return least_windows(config.horizon) if trains or config.head != QUANTILE_HEAD else 1


def observed_counts(panel: Panel, cutoffs: np.ndarray) -> np.ndarray:
    """Return (N,) the number of values of each series that were observed before its cutoff."""
    counts = np.concatenate([[0], np.cumsum(~np.isnan(panel.values))])
    return counts[panel.offsets[:-1] + cutoffs] - counts[panel.offsets[:-1]]


def known_values(panel: Panel, cutoffs: np.ndarray) -> np.ndarray:
    """Return (K,) all values observed before the cutoffs, one series after the other."""
    values = panel.values[panel.steps < np.repeat(cutoffs, panel.lengths)]
    return values[~np.isnan(values)]


def nonnegative(panel: Panel, cutoffs: np.ndarray, plan: Plan) -> np.ndarray:
    """Return (N,) flags of the series whose forecasts stop at zero: no value before the cutoff is negative.

    Series without a known value are such if no value of the training data was negative.
    """
    return never_negative(smallest_known(panel, cutoffs), plan)


def never_negative(smallest: np.ndarray, plan: Plan) -> np.ndarray:
    """Return the same for series with these smallest known values (N,); infinity without one."""
    return np.where(smallest < np.inf, smallest >= 0, plan.positive)


def moving(panel: Panel, cutoffs: np.ndarray) -> np.ndarray:
    """Return (N,) flags of the series with two different values before the cutoff."""
    return smallest_known(panel, cutoffs) < -smallest_known(replace(panel, values=-panel.values), cutoffs)


def smallest_known(panel: Panel, cutoffs: np.ndarray) -> np.ndarray:
    """Return (N,) the smallest observed value before each cutoff; infinity without one."""
    begins = panel.offsets[:-1]
    bounds = np.array([begins, begins + cutoffs]).T.ravel()
    ended = np.concatenate([panel.values, [np.inf]])  # the last series ends before the infinite value
    smallest = np.fmin.reduceat(ended, bounds)[::2]
    return np.where((cutoffs > 0) & ~np.isnan(smallest), smallest, np.inf)
