"""Where the errors of a backtest lie: by step ahead, by window, too high or too low, and whether they go together.

An error of a series is divided by the mean absolute error of the first baseline on it, so that all series count alike.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import polars as pl

from throughtime.forecasting import MODEL
from throughtime.report.reach import Line

MOST_LAGS, LEAST_PAIRS = 24, 20
WINDOW = ("unique_id", "cutoff")
BINS = (7, 25)  # of the histogram
CLEAR = 2.0  # standard errors
NEGLIGIBLE = 0.02  # of the unit


class Errors(NamedTuple):
    """The errors of all models over the windows of a backtest, in units of the first baseline's mean absolute error.

    Attributes:
        unit: that baseline's column.
        by_step: a line for each model: its mean absolute error by step ahead, from 1.
        by_window: the same by window, the earliest is 1; none of a single window.
        edges: (K + 1,) of the bins of the network's errors, values minus forecasts.
        counts: (K,) the errors in each bin.
        bias: their mean.
        doubt: its standard error over series and windows; None of a single one.
        together: the correlation of errors a number of steps apart, by that number; None if there are too few.
    """

    unit: str
    by_step: tuple[Line, ...]
    by_window: tuple[Line, ...]
    edges: np.ndarray
    counts: np.ndarray
    bias: float
    doubt: float | None
    together: Line | None

    @property
    def leaning(self) -> str:
        """A sentence: if forecasts are too low or too high."""
        if abs(self.bias) < NEGLIGIBLE or (self.doubt is not None and abs(self.bias) < CLEAR * self.doubt):
            return "On average the forecasts are neither too low nor too high."
        side = "low" if self.bias > 0 else "high"
        so = "" if self.doubt is not None else ", over one window of one series, which proves nothing"
        return f"On average the forecasts are too {side}, by {abs(self.bias):.2f} of a mean error{so}."


def errors_of(rows: Mapping[str, np.ndarray], models: Sequence[str]) -> Errors | None:
    """Return where the errors lie; None without a known value, and without a baseline that errs.

    Args:
        rows: a backtest: ``unique_id, cutoff, y`` and a column for each model, in the order of time in each window.
        models: the models' columns, throughtime first.
    """
    if "y" not in rows or len(models) < 2:
        return None
    unit = models[1]
    table = pl.DataFrame({name: rows[name] for name in (*WINDOW, "y", *models)})
    table = table.with_columns(
        pl.int_range(1, pl.len() + 1).over(WINDOW).alias("step"),
        pl.col("cutoff").rank("dense").over("unique_id").alias("window"),
        *((pl.col("y") - pl.col(name)).alias(name) for name in models),
    )
    table = table.with_columns(pl.col(unit).fill_nan(None).abs().mean().over("unique_id").alias("scale"))
    table = table.filter(pl.col("scale") > 0).with_columns(pl.col(name) / pl.col("scale") for name in models)
    known = table.filter(pl.col(MODEL).is_finite())
    if known.is_empty():
        return None
    own = known[MODEL].to_numpy()
    counts, edges = np.histogram(own, int(np.clip(np.sqrt(len(own)), *BINS)))
    means = known.group_by(WINDOW).agg(pl.col(MODEL).mean())[MODEL]
    doubt = float(means.std() / np.sqrt(len(means))) if len(means) > 1 else None
    by_window = _means(known, "window", models) if known["window"].n_unique() > 1 else ()
    return Errors(
        unit, _means(known, "step", models), by_window, edges, counts, float(own.mean()), doubt, _together(table)
    )


def _means(known: pl.DataFrame, place: str, models: Sequence[str]) -> tuple[Line, ...]:
    """Return the mean absolute error of each model by step or by window."""
    found = known.group_by(place).agg(pl.col(models).fill_nan(None).abs().mean()).sort(place)
    x = found[place].to_numpy().astype(float)
    return tuple(Line(name, x, found[name].cast(pl.Float64).fill_null(np.nan).to_numpy()) for name in models)


def _together(table: pl.DataFrame) -> Line | None:
    """Return the autocorrelation of the network's errors within windows, at lags with pairs enough."""
    own = table[MODEL].to_numpy()
    own = own - np.nanmean(own)
    centered = table.select(*WINDOW, pl.Series(MODEL, own))
    power, longest = np.nanmean(own**2), int(table["step"].to_numpy().max())
    lags, shares = [], []
    for lag in range(1, min(longest, MOST_LAGS + 1)):
        products = own * centered.select(pl.col(MODEL).shift(lag).over(WINDOW))[MODEL].to_numpy()
        if np.isfinite(products).sum() < LEAST_PAIRS or not power > 0:
            break
        lags.append(float(lag))
        shares.append(float(np.nanmean(products) / power))
    return Line(MODEL, np.array(lags), np.array(shares)) if lags else None
