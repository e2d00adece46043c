"""Records of a backtest: what is asked, and what comes out."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from throughtime.forecasting.baselines import BASELINE

if TYPE_CHECKING:
    pass

MODEL = "throughtime"


class BacktestSettings(NamedTuple):
    """How a backtest is carried out.

    Attributes:
        windows: K, how many horizons are forecast.
        step: between neighboring cutoffs; the horizon where it is None.
        refit: whether the network is trained anew for each window, or once on what lies before them all.
        train_size: how many steps before its first cutoff training sees; all where it is None.
        baselines: names of ``named_baselines``.
    """

    windows: int
    step: int | None = None
    refit: bool = False
    train_size: int | None = None
    baselines: Sequence[str] = (BASELINE,)


class BacktestResult(NamedTuple):
    """What a backtest gave.

    Attributes:
        rows: ``unique_id, ds, cutoff, y, throughtime, throughtime-lo-80, ..., seasonal_naive, ...``, one row for each
            window, series and step; ``cutoff`` is the last time stamp that the forecast knew.
        crps: (rows,) of each model: see :func:`decile_crps`.
        seconds: that each model took, the network's compilation with its training.
        season: the period in steps that the baselines and the scores use.
        notes: which baselines know no missing values, and which failed where.
    """

    rows: dict[str, np.ndarray]
    crps: dict[str, np.ndarray]
    seconds: dict[str, float]
    season: int
    notes: list[str]


class WindowForecast(NamedTuple):
    """What the network forecasts in one window.

    Attributes:
        rows: (R,) the series of the panel that take part.
        cutoffs: (N,) how many steps of each series are known.
        starts: (N,) where the history that baselines see begins.
        quantiles: (R * F, Q) the forecasts.
        positive: whether nothing is forecast below zero.
        season: the period in steps that was found.
    """

    rows: np.ndarray
    cutoffs: np.ndarray
    starts: np.ndarray
    quantiles: np.ndarray
    positive: bool
    season: int
