"""The baselines by name: each forecasts quantiles of one series from its history alone."""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from throughtime.data.gaps import fill_forward
from throughtime.errors import InputError
from throughtime.forecasting.baselines import drift_quantiles, naive_quantiles, seasonal_naive
from throughtime.forecasting.intervals import QUANTILES
from throughtime.forecasting.naive2 import naive2_quantiles
from throughtime.forecasting.statistical import CLASSES, statistical_model

BASELINE = "seasonal_naive"
NAIVE2 = "naive2"
OF_FILLED = (NAIVE2, *CLASSES)  # those that know no missing values
BASELINES = (BASELINE, "drift", *OF_FILLED)

Baseline = Callable[[np.ndarray, int, int], np.ndarray]
"""``baseline(history, season, horizon)``: quantiles (F, Q) at ``QUANTILES`` after a history (T,), NaN where missing."""


def named_baselines(names: Sequence[str]) -> dict[str, Baseline]:
    """The baselines of these names, seasonal naive always first among them.

    Raises:
        InputError: for a name that is none of ``BASELINES``, and where one needs a package that is missing.
    """
    if isinstance(names, str):
        names = [names]
    for name in names:
        if name not in BASELINES:
            raise InputError(f"unknown baseline {name!r}: expected one or more of {', '.join(BASELINES)}")
    simple: dict[str, Baseline] = {
        BASELINE: seasonal_naive_baseline,
        "drift": _drift,
        NAIVE2: partial(_of_filled, naive2_quantiles),
    }
    wanted = dict.fromkeys([BASELINE, *names])
    return {name: simple.get(name) or partial(_of_filled, statistical_model(name)) for name in wanted}


def seasonal_naive_baseline(history: np.ndarray, season: int, horizon: int) -> np.ndarray:
    """Also what stands in where another baseline fails."""
    ends = np.array([0, len(history)])
    point = seasonal_naive(fill_forward(history, ends, season), ends[:1], ends[1:], season=season, horizon=horizon)[0]
    return naive_quantiles(history, point, season=season, quantiles=QUANTILES)


def _drift(history: np.ndarray, season: int, horizon: int) -> np.ndarray:
    del season  # a line has none
    return drift_quantiles(history, horizon=horizon, quantiles=QUANTILES)


def _of_filled(forecast: Callable[..., np.ndarray], history: np.ndarray, season: int, horizon: int) -> np.ndarray:
    """Of a model that knows no missing values."""
    filled = fill_forward(history, np.array([0, len(history)]), season)
    return forecast(filled, season=season, horizon=horizon, quantiles=QUANTILES)
