"""Naive forecasts of each season, which a network must beat besides seasonal naive, and the doubt about a difference.

Shapes: S values of all windows and series, N series.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import polars as pl

from throughtime.data import fill_forward
from throughtime.forecasting.baselines import seasonal_naive
from throughtime.forecasting.numpy_losses import mean_by_series

NAIVE = "naive"
LONGER = "seasonal_naive_"  # and the steps of the season


def naive_points(histories: Iterator[np.ndarray], seasons: Sequence[int], horizon: int) -> dict[str, np.ndarray]:
    """Return the last value and, for each season but the first, the value one season before, as forecasts (S,).

    Args:
        histories: the values (T,) before each window of each series, NaN where missing.
        seasons: the periods in steps that the network uses; the first is that of seasonal naive.
        horizon: F.
    """
    named = {NAIVE: 1} | {f"{LONGER}{season}": season for season in seasons[1:]}
    named = {name: season for name, season in named.items() if season != seasons[0]}
    points: dict[str, list[np.ndarray]] = {name: [] for name in named}
    for history in histories if named else ():
        ends = np.array([0, len(history)])
        for name, season in named.items():
            filled = fill_forward(history, ends, season)
            points[name].append(seasonal_naive(filled, ends[:1], ends[1:], season=season, horizon=horizon)[0])
    return {name: np.concatenate([np.empty(0), *forecasts]) for name, forecasts in points.items()}


class Errors(NamedTuple):
    """The errors of the models in the windows, in units that can be averaged over series.

    Attributes:
        absolute: (S,) of each model, divided by the scale of its series.
        series: (S,) the number of each value's series among the N that count.
        total: N.
        windows: (S,) the number of each value's window, from the last one; None if it is not known.
    """

    absolute: dict[str, np.ndarray]
    series: np.ndarray
    total: int
    windows: np.ndarray | None

    def by_series(self, model: str) -> np.ndarray:
        """Return the mean error (N,) of each series."""
        return mean_by_series(self.absolute[model], self.series, self.total)

    def standard_error(self, a: str, b: str) -> float | None:
        """Return the standard error, over the windows, of the difference of two models; None for fewer than two."""
        if self.windows is None or len(np.unique(self.windows)) < 2:
            return None
        difference = self.absolute[a] - self.absolute[b]
        means = []
        for window in np.unique(self.windows):
            inside = self.windows == window
            _, series = np.unique(self.series[inside], return_inverse=True)
            means.append(mean_by_series(difference[inside], series, int(series.max()) + 1).mean())
        return float(np.std(means, ddof=1) / np.sqrt(len(means)))


def scaled_errors(scores: pl.DataFrame, rows: Mapping[str, np.ndarray], points: Mapping[str, np.ndarray]) -> Errors:
    """Return the absolute errors of models over the scale of MASE, or as they are if no series has one.

    Args:
        scores: ``unique_id`` and the MASE of each model, of the series that have one.
        rows: the forecasts of the backtest.
        points: (S,) the forecasts of each model that is compared.
    """
    known = ~np.isnan(rows["y"])
    ids = rows["unique_id"].astype(str)
    if not scores.is_empty():
        known &= np.isin(ids, scores["unique_id"].to_numpy().astype(str))
    names, series = np.unique(ids[known], return_inverse=True)
    absolute = {name: np.abs(point - rows["y"])[known] for name, point in points.items()}
    if not scores.is_empty():
        scale = _scales(scores, names, {name: mean_by_series(e, series, len(names)) for name, e in absolute.items()})
        absolute = {name: error / scale[series] for name, error in absolute.items()}
    windows = _windows(rows["cutoff"][known], series) if "cutoff" in rows else None
    return Errors(absolute, series, len(names), windows)


def _scales(scores: pl.DataFrame, names: np.ndarray, means: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return the scale (N,) of the MASE of each series: of the model with the largest error over its MASE."""
    order = {name: row for row, name in enumerate(scores["unique_id"].cast(pl.String).to_list())}
    rows = [order[name] for name in names.tolist()]
    models = [name for name in scores.columns if name in means]
    largest = np.argmax(np.stack([means[name] for name in models]), axis=0)
    place = np.arange(len(names))
    mean = np.stack([means[name] for name in models])[largest, place]
    mase = np.stack([scores[name].to_numpy()[rows] for name in models])[largest, place]
    return np.divide(mean, mase, out=np.ones_like(mean), where=mase > 0)


def _windows(cutoffs: np.ndarray, series: np.ndarray) -> np.ndarray:
    """Return the number (S,) of each value's window: 1 for the last of its series."""
    _, places = np.unique(cutoffs, return_inverse=True)
    frame = pl.DataFrame({"series": series, "place": places})
    return frame.select(pl.col("place").rank("dense", descending=True).over("series"))["place"].to_numpy()
