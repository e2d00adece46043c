"""Scores of a backtest, by the definitions of utilsforecast and scoringrules."""

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl
import scoringrules
from utilsforecast import losses

from throughtime.data import Panel
from throughtime.forecasting.baselines import NAIVE2
from throughtime.forecasting.intervals import QUANTILES
from throughtime.forecasting.results import BacktestResult

DECILES = tuple(i for i, q in enumerate(QUANTILES) if round(10 * q, 9) == round(10 * q))


def decile_crps(y: np.ndarray, quantiles: np.ndarray) -> np.ndarray:
    """Twice the mean pinball loss of the nine deciles, which approximates the CRPS (Berrisch & Ziel 2023).

    Of the deciles, as they are evenly spaced: with the outer quantiles too, the tails would weigh more than the middle.

    Args:
        y: (S,) what came.
        quantiles: (S, Q) at the levels ``QUANTILES``.
    """
    levels = np.array([QUANTILES[i] for i in DECILES])
    return np.asarray(scoringrules.crps_quantile(y, quantiles[:, DECILES], levels, backend="numpy"))


OF_SERIES = ("mase", "rmsse", "smape", "msis")  # without units: overall, the mean over series; others pool all values


def score_table(tested: BacktestResult, panel: Panel, *, levels: Sequence[int | float]) -> pl.DataFrame:
    """All metrics of all models, over all windows: overall, then of each series.

    Missing truths are not counted. A series that a metric does not exist for (MASE, RMSSE and MSIS need a seasonal
    naive error on the history, the weighted quantile loss a value other than zero) has no row of it, and no part in the
    overall one.

    * ``mase``, ``rmsse``: errors over those of seasonal naive on the history before the first window (Hyndman & Koehler
      2006); ``smape``: 0 to 200, as in the M4 competition
    * ``owa``: the mean of sMAPE and MASE over Naive2's (Makridakis, Spiliotis & Assimakopoulos 2020), overall, where
      Naive2 is among the models
    * ``mae``, ``rmse``
    * ``crps``: twice the mean pinball loss of the nine deciles; ``wql``: its sum over that of the absolute values
    * ``coverage-80``: the share of values inside the interval; ``msis-80``: the mean interval score, scaled as MASE

    Args:
        tested: the backtest.
        panel: the series.
        levels: coverage of the intervals in per cent.

    Returns:
        ``unique_id`` (empty overall), ``metric`` and one column for each model.
    """
    models = list(tested.crps)
    by_series = _by_series(tested, panel, levels)
    overall = _overall(tested, by_series, levels)
    parts = [_labeled(pl.DataFrame({"unique_id": "", **values}), name, models) for name, values in overall.items()]
    parts += [_labeled(frame, name, models) for name, frame in by_series.items()]
    return pl.concat(parts)


def mase_by_series(table: pl.DataFrame) -> pl.DataFrame:
    """``unique_id`` and the MASE of each model, by series, from a table of scores."""
    return table.filter((pl.col("metric") == "mase") & (pl.col("unique_id") != "")).drop("metric")


def coverage(rows: Mapping[str, np.ndarray], level: float | int, model: str = "throughtime") -> float:
    """The share of a backtest's observed values that lie inside a model's interval of ``level`` per cent."""
    y = rows["y"]
    return float(_inside(rows, level, model)[~np.isnan(y)].mean())


def _labeled(frame: pl.DataFrame, metric: str, models: Sequence[str]) -> pl.DataFrame:
    columns = [pl.col("unique_id").cast(pl.String), pl.lit(metric).alias("metric")]
    return frame.select(*columns, *(pl.col(model).cast(pl.Float64) for model in models))


def _by_series(tested: BacktestResult, panel: Panel, levels: Sequence[int | float]) -> dict[str, pl.DataFrame]:
    """Each metric's frame: ``unique_id``, one column for each model, the series that it exists for."""
    models, rows = list(tested.crps), tested.rows
    frame = _observed(rows, {name: rows[name] for name in models})
    scales = _scales(panel, rows, tested.season)
    mae, mse = (pl.DataFrame(loss(frame, models=models)) for loss in (losses.mae, losses.mse))
    crps = _means(rows, tested.crps)
    sizes = _means(rows, {"scale": np.abs(rows["y"])})
    table = {
        "mase": _over(mae, scales.select("unique_id", scale="absolute"), models),
        "rmsse": _over(mse, scales.select("unique_id", scale="squared"), models).with_columns(pl.col(models).sqrt()),
        "smape": pl.DataFrame(losses.smape(frame, models=models)).with_columns(pl.col(models) * 200),
        "mae": mae,
        "rmse": mse.with_columns(pl.col(models).sqrt()),
        "wql": _over(crps, sizes, models),
        "crps": crps,
    }
    for level in levels:
        inside = {name: _inside(rows, level, name).astype(float) for name in models}
        table[f"coverage-{level:g}"] = _means(rows, inside)
    for level in levels:
        scores = _means(rows, {name: _interval_score(rows, level, name) for name in models})
        table[f"msis-{level:g}"] = _over(scores, scales.select("unique_id", scale="absolute"), models)
    order = pl.DataFrame({"unique_id": panel.ids}).with_row_index("place")
    return {
        name: scored.filter(pl.all_horizontal(pl.col(models).is_finite()))
        .join(order, on="unique_id")
        .sort("place")
        .drop("place")
        for name, scored in table.items()
    }


def _overall(
    tested: BacktestResult, by_series: Mapping[str, pl.DataFrame], levels: Sequence[int | float]
) -> dict[str, Mapping[str, float]]:
    """Each metric over all series; one that exists for none is left out."""
    models, rows = list(tested.crps), tested.rows
    known = ~np.isnan(rows["y"])
    y = rows["y"][known]
    errors = {name: rows[name][known] - y for name in models}
    crps = {name: values[known] for name, values in tested.crps.items()}
    pooled = {
        "mae": {name: np.abs(error).mean() for name, error in errors.items()},
        "rmse": {name: np.sqrt(np.mean(error**2)) for name, error in errors.items()},
        "wql": {name: values.sum() / np.abs(y).sum() for name, values in crps.items()} if (y != 0).any() else {},
        "crps": {name: values.mean() for name, values in crps.items()},
        **{f"coverage-{level:g}": {name: coverage(rows, level, name) for name in models} for level in levels},
    }
    overall: dict[str, Mapping[str, float]] = {}
    for metric, frame in by_series.items():
        means = frame.select(models).mean().row(0, named=True) if not frame.is_empty() else {}
        overall[metric] = means if metric.partition("-")[0] in OF_SERIES else pooled[metric]
    if (owa := _owa(overall, models)) is not None:
        overall["owa"] = owa
    return {metric: values for metric, values in overall.items() if values}


def _owa(overall: Mapping[str, Mapping[str, float]], models: Sequence[str]) -> dict[str, float] | None:
    """The overall weighted average of sMAPE and MASE, where Naive2 has both."""
    pairs = [overall["smape"], overall["mase"]]
    if NAIVE2 not in models or not all(pair and pair[NAIVE2] > 0 for pair in pairs):
        return None
    return {name: float(np.mean([pair[name] / pair[NAIVE2] for pair in pairs])) for name in models}


def _inside(rows: Mapping[str, np.ndarray], level: int | float, model: str) -> np.ndarray:
    return (rows["y"] >= rows[f"{model}-lo-{level:g}"]) & (rows["y"] <= rows[f"{model}-hi-{level:g}"])


def _interval_score(rows: Mapping[str, np.ndarray], level: int | float, model: str) -> np.ndarray:
    low, high = (rows[f"{model}-{side}-{level:g}"] for side in ("lo", "hi"))
    return scoringrules.interval_score(rows["y"], low, high, 1 - level / 100, backend="numpy")


def _observed(rows: Mapping[str, np.ndarray], columns: Mapping[str, np.ndarray]) -> pl.DataFrame:
    """``unique_id, y`` and the columns where the truth is known."""
    frame = pl.DataFrame({"unique_id": rows["unique_id"], "y": rows["y"], **columns})
    return frame.filter(pl.col("y").is_not_nan())


def _means(rows: Mapping[str, np.ndarray], columns: Mapping[str, np.ndarray]) -> pl.DataFrame:
    """The mean of each column by series."""
    return _observed(rows, columns).group_by("unique_id", maintain_order=True).agg(pl.col(list(columns)).mean())


def _over(scores: pl.DataFrame, scales: pl.DataFrame, models: Sequence[str]) -> pl.DataFrame:
    """Scores by series in units of a scale; a series without one is left out."""
    known = scales.filter(pl.col("scale") > 0)
    scaled = scores.join(known, on="unique_id").with_columns(pl.col(models) / pl.col("scale"))
    return scaled.select("unique_id", *models)


def _scales(panel: Panel, rows: Mapping[str, np.ndarray], season: int) -> pl.DataFrame:
    """``unique_id, absolute, squared``: the mean errors of seasonal naive on each history before its first cutoff."""
    history = _history(panel, rows).with_columns(naive=pl.col("y").shift(season).over("unique_id"))
    absolute, squared = (
        pl.DataFrame(loss(history, models=["naive"])).rename({"naive": name})
        for loss, name in ((losses.mae, "absolute"), (losses.mse, "squared"))
    )
    return absolute.join(squared, on="unique_id")


def _history(panel: Panel, rows: Mapping[str, np.ndarray]) -> pl.DataFrame:
    """Each series up to its first cutoff, step by step."""
    cutoffs = pl.DataFrame({"unique_id": rows["unique_id"], "cutoff": rows["cutoff"]})
    first = cutoffs.group_by("unique_id").agg(pl.col("cutoff").min())
    ordinals = np.repeat(panel.starts, panel.lengths) + panel.frequency.multiple * panel.steps
    frame = pl.DataFrame(
        {
            "unique_id": np.repeat(panel.ids, panel.lengths),
            "ds": panel.frequency.times(ordinals),
            "y": panel.values,
        }
    )
    known = frame.join(first, on="unique_id", maintain_order="left").filter(pl.col("ds") <= pl.col("cutoff"))
    # A missing value keeps its row: the differences over a season are those of rows.
    return known.select("unique_id", "ds", pl.col("y").fill_nan(None))
