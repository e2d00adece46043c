"""Scores of a backtest, by utilsforecast's definitions."""

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl
from utilsforecast import losses

from throughtime.data.panel import Panel


def mase_by_series(
    backtest: Mapping[str, np.ndarray], panel: Panel, *, season: int, models: Sequence[str]
) -> pl.DataFrame:
    """The mean absolute scaled error of each series, over all windows (Hyndman & Koehler 2006, eq. 3).

    The scale is the mean absolute error of the seasonal naive forecast inside the history before the first window. A
    series whose scale cannot be had (it is constant, or shorter than a season) has no score and is left out.

    Args:
        backtest: columns ``unique_id, ds, cutoff, y`` and one for each of the models.
        panel: the series.
        season: the period in steps.
        models: names of the columns to score.

    Returns:
        ``unique_id`` and one column for each of the models.
    """
    frame = pl.DataFrame({name: np.asarray(backtest[name]) for name in ("unique_id", "ds", "y", *models)})
    frame = frame.filter(pl.col("y").is_not_nan())
    history = _history(panel, backtest)
    scores = losses.mase(frame, models=list(models), seasonality=season, train_df=history)
    return pl.DataFrame(scores).filter(pl.all_horizontal(pl.col(*models).is_finite())).sort("unique_id")


def coverage(backtest: Mapping[str, np.ndarray], level: float | int) -> float:
    """The share of a backtest's observed values that lie inside the interval of ``level`` per cent."""
    y = backtest["y"]
    inside = (y >= backtest[f"throughtime-lo-{level:g}"]) & (y <= backtest[f"throughtime-hi-{level:g}"])
    return float(inside[~np.isnan(y)].mean())


def _history(panel: Panel, backtest: Mapping[str, np.ndarray]) -> pl.DataFrame:
    """Each series up to the first cutoff, step by step."""
    cutoffs = pl.DataFrame({"unique_id": backtest["unique_id"], "cutoff": backtest["cutoff"]})
    first = cutoffs.group_by("unique_id").agg(pl.col("cutoff").min())
    place = np.arange(len(panel.values)) - np.repeat(panel.offsets[:-1], panel.lengths)
    ordinals = np.repeat(panel.starts, panel.lengths) + panel.frequency.multiple * place
    frame = pl.DataFrame(
        {
            "unique_id": np.repeat(panel.ids, panel.lengths),
            "ds": panel.frequency.times(ordinals),
            "y": panel.values,
        }
    )
    known = frame.join(first, on="unique_id").filter(pl.col("ds") <= pl.col("cutoff"))
    # A missing value keeps its row: the differences over a season are those of rows.
    return known.select("unique_id", "ds", pl.col("y").fill_nan(None))
