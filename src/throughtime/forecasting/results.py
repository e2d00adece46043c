"""Records of a backtest: its settings, the forecasts of a window, and the result."""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from throughtime._arguments import truth_value, whole_number
from throughtime._numbers import Truth, Whole
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

    @classmethod
    def checked(
        cls, windows: Whole, step: Whole | None, refit: Truth, train_size: Whole | None, baselines: str | Sequence[str]
    ) -> "BacktestSettings":
        """Return the settings of a user, with NumPy's numbers as Python's.

        Raises:
            InputError: for a number of windows or of steps that is not whole.
        """
        return cls(
            whole_number("windows", windows, least=None, code="bad-windows"),
            None if step is None else whole_number("step", step, least=None, code="bad-step"),
            truth_value("refit", refit, code="bad-refit"),
            None if train_size is None else whole_number("train_size", train_size, least=None, code="bad-train-size"),
            [baselines] if isinstance(baselines, str) else list(baselines),
        )


class WindowForecast(NamedTuple):
    """The network's forecasts in one window of a backtest.

    Attributes:
        rows: (R,) the series that take part, as rows of the panel.
        cutoffs: (N,) how many steps of each series are known.
        starts: (N,) the first step of the history that baselines see.
        quantiles: (R * F, Q) the forecasts.
        positive: (R,) if no forecast of the series goes below zero.
        season: the period in steps that the network found.
    """

    rows: np.ndarray
    cutoffs: np.ndarray
    starts: np.ndarray
    quantiles: np.ndarray
    positive: np.ndarray
    season: int


class BacktestResult(NamedTuple):
    """The forecasts of a backtest.

    Attributes:
        rows: (S,) columns ``unique_id, ds, cutoff, y, throughtime, throughtime-lo-80, ..., seasonal_naive, ...``, one
            row for each window, series and step; ``cutoff`` is the last time stamp that the forecast knew.
        crps: (S,) of each model: see :func:`~throughtime.forecasting.metrics.decile_crps`.
        seconds: the time that each model took; the network's includes its training and compilation.
        season: the period in steps that the baselines and the scores use.
        filled: the baselines that cannot handle missing values and got filled histories.
        failures: for each baseline that failed, the forecasts that seasonal naive made instead.
        forecasts: how many horizons each model forecast.
        naive: (S,) the naive forecasts of the other seasons that the network uses: see
            :func:`~throughtime.forecasting.rivals.naive_points`. They have no columns, but part in the verdict.
    """

    rows: dict[str, np.ndarray]
    crps: dict[str, np.ndarray]
    seconds: dict[str, float]
    season: int
    filled: Sequence[str] = ()
    failures: Mapping[str, int] = MappingProxyType({})
    forecasts: int = 0
    naive: Mapping[str, np.ndarray] = MappingProxyType({})

    @property
    def notes(self) -> list[str]:
        """Return a sentence on filled gaps and one on each baseline that failed."""
        gaps = f"Missing values are filled for {', '.join(self.filled)}: by the last value of the same season."
        return [
            *([gaps] if self.filled else []),
            *(
                f"{name} failed on {failed:,} of {self.forecasts:,} forecasts: seasonal naive replaces these."
                for name, failed in self.failures.items()
            ),
        ]


def model_names(columns: Iterable[str]) -> list[str]:
    """Return the models among the columns of a backtest: neither labels nor bounds of intervals."""
    return [name for name in columns if name not in LABELS and "-lo-" not in name and "-hi-" not in name]
