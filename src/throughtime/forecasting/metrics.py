"""Scores of a backtest, by the definitions of utilsforecast and scoringrules, which tests compare them with.

Shapes: S observed values of all windows and series, M models, N series.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import narwhals as nw
import numpy as np
import polars as pl

from throughtime._errors import InputError
from throughtime.data import Panel, from_native, to_native
from throughtime.forecasting.baselines import BASELINE, NAIVE2
from throughtime.forecasting.intervals import QUANTILES
from throughtime.forecasting.numpy_losses import mean_by_series, pinball_loss, seasonal_naive_errors
from throughtime.forecasting.results import MODEL, BacktestResult, model_names

DECILES = tuple(i for i, q in enumerate(QUANTILES) if round(10 * q, 9) == round(10 * q))
OF_SERIES = ("mase", "rmsse", "smape", "msis")  # without units: overall, the mean over series; others pool all values


def decile_crps(y: np.ndarray, quantiles: np.ndarray) -> np.ndarray:
    """Return twice the mean pinball loss of the nine deciles, which approximates the CRPS (Berrisch & Ziel 2023).

    Only deciles count, as they are evenly spaced: with the outer quantiles the tails would weigh more than the middle.

    Args:
        y: (S,) the observed values.
        quantiles: (S, Q) at the levels ``QUANTILES``.
    """
    return 2 * pinball_loss(quantiles[:, DECILES], y, [QUANTILES[place] for place in DECILES])


def score_table(result: BacktestResult, panel: Panel, *, levels: Sequence[int | float]) -> pl.DataFrame:
    """Return all metrics of all models over all windows: overall, then of each series.

    Missing values are not counted. A series has no row of a metric that is not defined for it, and no part in the
    overall one: MASE, RMSSE and MSIS need a positive error of seasonal naive on the history, the weighted quantile loss
    a value other than zero.

    * ``mase``, ``rmsse``: errors over those of seasonal naive on the history before the first window (Hyndman & Koehler
      2006); ``smape``: 0 to 200, as in the M4 competition
    * ``owa``: the mean of sMAPE and MASE over Naive2's (Makridakis, Spiliotis & Assimakopoulos 2020), overall, if
      Naive2 is among the models
    * ``mae``, ``rmse``
    * ``crps``: twice the mean pinball loss of the nine deciles; ``wql``: its sum over that of the absolute values
    * ``coverage-80``: the share of values inside the interval; ``msis-80``: the mean interval score, scaled as MASE

    Args:
        result: the backtest.
        panel: the series.
        levels: coverage of the intervals in per cent.

    Returns:
        ``unique_id`` (empty overall), ``metric`` and one column for each model.
    """
    models = list(result.crps)
    known = ~np.isnan(result.rows["y"])
    rows = {name: column[known] for name, column in result.rows.items()}
    errors = _value_scores(rows, models, levels) | {"crps": np.stack([result.crps[name][known] for name in models])}
    series = _rows_of(panel, rows["unique_id"])
    means = {
        name: np.stack([mean_by_series(column, series, len(panel)) for column in values])
        for name, values in errors.items()
    }
    size = mean_by_series(np.abs(rows["y"]), series, len(panel))
    by_series = _scaled(means, size, *_history_errors(panel, result))
    overall = _overall(by_series, errors, rows["y"])
    if NAIVE2 in models and {"smape", "mase"} <= set(overall):
        overall |= _owa(overall, models.index(NAIVE2))
    parts = [_frame([""], name, models, values[:, None]) for name, values in overall.items()]
    for name, values in by_series.items():
        defined = np.isfinite(values).all(axis=0)
        parts.append(_frame(panel.ids[defined], name, models, values[:, defined]))
    return pl.concat(parts)


def mase_by_series(table: pl.DataFrame) -> pl.DataFrame:
    """Return ``unique_id`` and the MASE of each model, one row for each series that has one, of a table of scores."""
    return table.filter((pl.col("metric") == "mase") & (pl.col("unique_id") != "")).drop("metric")


def coverage(rows: Mapping[str, np.ndarray], level: float | int, model: str = MODEL) -> float:
    """Return the share of a backtest's observed values inside a model's interval of ``level`` per cent."""
    return float(_inside(rows, level, model)[~np.isnan(rows["y"])].mean())


def scores(rows: Any) -> Any:
    """Return the metrics of each model in the frame of a backtest, over all windows and series.

    Missing values are not counted.

    * ``mae``, ``rmse``: over all values
    * ``smape``: 0 to 200, as in the M4 competition; the mean over series of each series' mean
    * ``rmae``: the MAE over that of seasonal naive, if it is among the models; below 1 is better than seasonal naive
      (Hyndman & Koehler 2006, section 2.4)
    * ``coverage-80``: the share of values inside the interval, and ``mis-80``, the mean interval score (Gneiting &
      Raftery 2007, eq. 43), for each level whose bounds all models have

    MASE, MSIS and OWA need the history before the windows: ``throughtime backtest`` writes them to ``scores.csv``.

    Args:
        rows: ``unique_id, y, throughtime, throughtime-lo-80, throughtime-hi-80, ..., seasonal_naive, ...``, as
            :meth:`Forecaster.backtest` returns them.

    Returns:
        ``metric`` and one column for each model, as a frame of the same kind.

    Raises:
        InputError: if it is no dataframe, a column is missing, or no value is known.

    Example:
        >>> tt.scores(model.backtest(frame, windows=2, level=[80], baselines=["drift"]))
    """
    columns = _columns(rows)
    models = sorted(model_names(columns), key=lambda name: name != MODEL)  # stable: the others keep their order
    known = ~np.isnan(columns["y"])
    if not models or not known.any():
        missing = "a model's forecasts" if not models else "a known value in the column y"
        raise InputError(
            f"the frame has the columns {', '.join(columns)}, and lacks {missing}: expected the frame of a backtest",
            code="no-scores",
            found=list(columns),
            expected=missing,
        )
    columns = {name: column[known] for name, column in columns.items()}
    values = _value_scores(columns, models, _levels(columns, models))
    ids, series = np.unique(columns["unique_id"], return_inverse=True)
    smape = [mean_by_series(column, series, len(ids)).mean() for column in values["smape"]]
    table = {"mae": values["absolute"].mean(axis=1), "rmse": np.sqrt(values["squared"].mean(axis=1)), "smape": smape}
    if BASELINE in models and table["mae"][models.index(BASELINE)] > 0:
        table["rmae"] = table["mae"] / table["mae"][models.index(BASELINE)]
    table |= {name: column.mean(axis=1) for name, column in values.items() if name.startswith(("coverage-", "mis-"))}
    by_model = np.array(list(table.values())).T
    return to_native({"metric": np.array(list(table)), **dict(zip(models, by_model, strict=True))}, rows)


def _columns(frame: Any) -> dict[str, np.ndarray]:
    """Return the ids and all columns of numbers of a backtest's frame as arrays, apart from the times."""
    table = from_native(frame).lazy()
    schema = table.collect_schema()
    numbers = [name for name, kind in schema.items() if kind.is_numeric() and name not in ("unique_id", "ds", "cutoff")]
    for name, kind in (("unique_id", ""), ("y", " of numbers")):
        if name not in schema or (kind and name not in numbers):
            raise InputError(
                f"the frame has no column {name!r}{kind}, only {', '.join(schema)}: expected the frame of a backtest",
                code="missing-column",
                column=name,
                found=list(schema),
            )
    chosen = table.select(nw.col("unique_id").cast(nw.String), nw.col(*numbers).cast(nw.Float64))
    return {column.name: column.to_numpy() for column in chosen.collect().iter_columns()}


def _levels(columns: Iterable[str], models: Sequence[str]) -> list[float]:
    """Return the levels whose bounds all models have, in the order of the columns."""
    names, prefix = list(columns), f"{models[0]}-lo-"
    levels = [float(name.removeprefix(prefix)) for name in names if name.startswith(prefix)]
    return [
        level
        for level in levels
        if all(f"{model}-{side}-{level:g}" in names for model in models for side in ("lo", "hi"))
    ]


def _value_scores(
    rows: Mapping[str, np.ndarray], models: Sequence[str], levels: Sequence[int | float]
) -> dict[str, np.ndarray]:
    """Return the elementwise scores (M, S) of forecasts whose truth is known: errors, and those of the intervals."""
    point, y = np.stack([rows[name] for name in models]), rows["y"]
    absolute, size = np.abs(point - y), np.abs(y) + np.abs(point)
    table = {
        "absolute": absolute,
        "squared": (point - y) ** 2,
        "smape": 200 * np.divide(absolute, size, out=np.zeros_like(size), where=size != 0),
    }
    for level in levels:
        table[f"coverage-{level:g}"] = np.stack([_inside(rows, level, name) for name in models]).astype(float)
    for level in levels:
        table[f"mis-{level:g}"] = np.stack([_interval_score(rows, level, name) for name in models])
    return table


def _inside(rows: Mapping[str, np.ndarray], level: int | float, model: str) -> np.ndarray:
    return (rows["y"] >= rows[f"{model}-lo-{level:g}"]) & (rows["y"] <= rows[f"{model}-hi-{level:g}"])


def _interval_score(rows: Mapping[str, np.ndarray], level: int | float, model: str) -> np.ndarray:
    low, high = (rows[f"{model}-{side}-{level:g}"] for side in ("lo", "hi"))
    missed = 1 - level / 100
    bounds = pinball_loss(np.stack([low, high], axis=-1), rows["y"], (missed / 2, 1 - missed / 2))
    return 4 / missed * bounds  # the sum of both losses is twice their mean


def _rows_of(panel: Panel, ids: np.ndarray) -> np.ndarray:
    """Return the row of the panel (S,) of each id."""
    order = np.argsort(panel.ids)
    return order[np.searchsorted(panel.ids, ids, sorter=order)]


def _history_errors(panel: Panel, result: BacktestResult) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean absolute and squared error (N,) of seasonal naive on each history before its first cutoff."""
    series = _rows_of(panel, result.rows["unique_id"])
    last = panel.frequency.ordinals(result.rows["cutoff"])
    known = panel.lengths.copy()
    np.minimum.at(known, series, (last - panel.starts[series]) // panel.frequency.multiple + 1)
    errors, of = seasonal_naive_errors(panel, known, result.season)
    return mean_by_series(np.abs(errors), of, len(panel)), mean_by_series(errors**2, of, len(panel))


def _scaled(
    means: Mapping[str, np.ndarray], size: np.ndarray, absolute: np.ndarray, squared: np.ndarray
) -> dict[str, np.ndarray]:
    """Return the metrics (M, N) of each series; NaN where a metric is not defined.

    Args:
        means: (M, N) each series' mean of the elementwise scores.
        size: (N,) the mean absolute value.
        absolute: (N,) the mean absolute error of seasonal naive on the history.
        squared: (N,) its mean squared error.
    """
    size, absolute, squared = (np.where(scale > 0, scale, np.nan) for scale in (size, absolute, squared))
    table = {
        "mase": means["absolute"] / absolute,
        "rmsse": np.sqrt(means["squared"] / squared),
        "smape": means["smape"],
        "mae": means["absolute"],
        "rmse": np.sqrt(means["squared"]),
        "wql": means["crps"] / size,
        "crps": means["crps"],
    }
    table |= {name: values for name, values in means.items() if name.startswith("coverage-")}
    return table | {f"msi{name[2:]}": values / absolute for name, values in means.items() if name.startswith("mis-")}


def _overall(
    by_series: Mapping[str, np.ndarray], errors: Mapping[str, np.ndarray], y: np.ndarray
) -> dict[str, np.ndarray]:
    """Return each metric (M,) over all series; one that is defined for no series is left out, all without a value."""
    if not len(y):
        return {}
    size = np.abs(y).sum()
    pooled = {
        "mae": errors["absolute"].mean(axis=1),
        "rmse": np.sqrt(errors["squared"].mean(axis=1)),
        "crps": errors["crps"].mean(axis=1),
        **{name: values.mean(axis=1) for name, values in errors.items() if name.startswith("coverage-")},
    }
    if size > 0:
        pooled["wql"] = errors["crps"].sum(axis=1) / size
    overall = {}
    for name, values in by_series.items():
        defined = np.isfinite(values).all(axis=0)
        if name.partition("-")[0] in OF_SERIES and defined.any():
            overall[name] = np.array([column[defined].mean() for column in values])
        elif name in pooled:
            overall[name] = pooled[name]
    return overall


def _owa(overall: Mapping[str, np.ndarray], naive2: int) -> dict[str, np.ndarray]:
    """Return the overall weighted average (M,) of sMAPE and MASE; nothing if Naive2 is exact."""
    smape, mase = overall["smape"], overall["mase"]
    if not (smape[naive2] > 0 and mase[naive2] > 0):
        return {}
    return {"owa": (smape / smape[naive2] + mase / mase[naive2]) / 2}


def _frame(ids: Sequence[str] | np.ndarray, metric: str, models: Sequence[str], values: np.ndarray) -> pl.DataFrame:
    """Return a metric's rows of the table: an id and the values (M, R) of the models for each."""
    columns = {name: pl.Series(column, dtype=pl.Float64) for name, column in zip(models, values, strict=True)}
    frame = pl.DataFrame({"unique_id": ids, **columns}).with_columns(pl.col("unique_id").cast(pl.String))
    return frame.select("unique_id", pl.lit(metric).alias("metric"), *models)
