"""Records of a backtest: its settings, the forecasts of a window, and the result."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from throughtime.forecasting.baselines import BASELINE

MODEL = "throughtime"  # the column of the network's forecasts
LABELS = ("unique_id", "ds", "cutoff", "y")  # the columns of a backtest that hold no forecasts


class BacktestSettings(NamedTuple):
    """The settings of a backtest.

    Attributes:
        windows: K, how many horizons are forecast.
        step: steps between neighboring cutoffs; the horizon if None.
        refit: True to train anew for each window, False to train once, before the first window.
        train_size: how many steps before its cutoff training sees; all if None.
        baselines: names of :func:`~throughtime.forecasting.named_baselines`.
    """

    windows: int
    step: int | None = None
    refit: bool = False
    train_size: int | None = None
    baselines: Sequence[str] = (BASELINE,)


class WindowForecast(NamedTuple):
    """The network's forecasts in one window of a backtest.

    Attributes:
        rows: (R,) the series that take part, as rows of the panel.
        cutoffs: (N,) how many steps of each series are known.
        starts: (N,) the first step of the history that baselines see.
        quantiles: (R * F, Q) the forecasts.
        positive: True if no forecast goes below zero.
        season: the period in steps that the network found.
    """

    rows: np.ndarray
    cutoffs: np.ndarray
    starts: np.ndarray
    quantiles: np.ndarray
    positive: bool
    season: int


class BacktestResult(NamedTuple):
    """The forecasts of a backtest.

    Attributes:
        rows: (S,) columns ``unique_id, ds, cutoff, y, throughtime, throughtime-lo-80, ..., seasonal_naive, ...``, one
            row for each window, series and step; ``cutoff`` is the last time stamp that the forecast knew.
        crps: (S,) of each model: see :func:`~throughtime.forecasting.metrics.decile_crps`.
        seconds: the time that each model took; the network's includes its training and compilation.
        season: the period in steps that the baselines and the scores use.
        notes: sentences: the baselines that got filled gaps, and the ones that failed.
    """

    rows: dict[str, np.ndarray]
    crps: dict[str, np.ndarray]
    seconds: dict[str, float]
    season: int
    notes: list[str]


def model_names(columns: Iterable[str]) -> list[str]:
    """Return the models among the columns of a backtest: neither labels nor bounds of intervals."""
    return [name for name in columns if name not in LABELS and "-lo-" not in name and "-hi-" not in name]
