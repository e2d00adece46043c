"""The scores of a page: over all series as a table, by series as arrays."""

import math
import re
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import polars as pl

from throughtime.report.content import ForecastContent, model_label

NAMES = {
    "mase": "MASE",
    "rmsse": "RMSSE",
    "smape": "sMAPE",
    "owa": "OWA",
    "crps": "CRPS",
    "wql": "weighted quantile loss",
    "msis": "MSIS",
    "mae": "MAE",
    "rmse": "RMSE",
    "pinball": "pinball loss",
    "scaled_pinball": "scaled pinball",
    "coverage": "coverage",
}
MEANINGS = {
    "mase": "absolute error, over that of seasonal naive within the history",
    "rmsse": "root of the squared error, scaled the same way",
    "smape": "absolute error, over the mean of forecast and value",
    "owa": "sMAPE and MASE together, over those of Naive 2 (the M4 competition's)",
    "crps": "distance of the whole forecast distribution from the value",
    "msis": "width of an interval, and the distance of values outside it, scaled",
    "scaled_pinball": "loss of the quantiles, scaled",
    "coverage": "share of the values inside an interval: the nearer to its level, the better",
}
# The first row of a metric without a name is the overall one: a series may have an empty name, too.
_OVERALL = (pl.col("unique_id") == "") & pl.struct("unique_id", "metric").is_first_distinct()
SHOWN = ("crps", "coverage")  # in the leaderboard, beside the error
UNKNOWN = "\N{EN DASH}"
LEVEL = re.compile(r"[-_@ ](\d+(?:\.\d+)?)$")


class ScoreRow(NamedTuple):
    """A row of the table of scores.

    Attributes:
        name: of the metric.
        meaning: in a few words; may be empty.
        cells: for each model the text, and True if it is the best.
    """

    name: str
    meaning: str
    cells: list[tuple[str, bool]]


def overall_rows(content: ForecastContent) -> list[ScoreRow]:
    """Return a row for each metric over all series, then one with the time that each model took."""
    models = content.models
    rows = []
    if not content.scores.is_empty():
        overall = content.scores.filter(_OVERALL)
        rows = [_row(str(record["metric"]), [record[name] for name in models]) for record in overall.to_dicts()]
        naive = model_label("seasonal_naive", content.season)
        rows = [row._replace(meaning=row.meaning.replace("seasonal naive", naive)) for row in rows]
    if content.seconds:
        times = [(_duration(content.seconds.get(name)), False) for name in models]
        rows.append(ScoreRow("time", "training and forecasting", times))
    return rows


class Leader(NamedTuple):
    """A line of the leaderboard.

    Attributes:
        model: its column.
        error: in the metric of the verdict.
        behind: how much larger that is than the best; empty for the best.
        others: the other cells.
    """

    model: str
    error: str
    behind: str
    others: list[str]


def leaderboard(content: ForecastContent) -> tuple[list[str], list[Leader]]:
    """Return the names of the columns and a line for each model, the best first; none if nothing was compared."""
    rows = content.scores.filter(_OVERALL).to_dicts() if not content.scores.is_empty() else []
    shown = [row for row in rows if _parts(str(row["metric"]))[0] in SHOWN]
    mase = next((row for row in rows if row["metric"] == "mase"), None)
    means = content.means or {name: mase[name] for name in content.models if mase and mase[name] is not None}
    order = sorted((name for name in means if math.isfinite(means[name])), key=means.__getitem__)
    columns = [*(metric_name(str(row["metric"])) for row in shown), *(["time"] if content.seconds else [])]
    leaders = []
    for name in order:
        behind = means[name] / means[order[0]] - 1 if means[order[0]] > 0 else math.inf
        cells = [_number(math.nan if row.get(name) is None else row[name], _parts(row["metric"])[0]) for row in shown]
        cells += [_duration(content.seconds.get(name))] if content.seconds else []
        leaders.append(Leader(name, _number(means[name], ""), f"+{behind:.0%}" if 0 < behind < math.inf else "", cells))
    return [NAMES["mase" if mase else "mae"], "behind the best", *columns], leaders


def key_rows(rows: Sequence[ScoreRow], levels: Collection[int | float]) -> list[ScoreRow]:
    """Return the rows that say most: of the error, of the whole distribution, and of the narrowest interval."""
    wanted = [NAMES["mase"], NAMES["crps"], *(metric_name(f"coverage_{level:g}") for level in sorted(levels)[:1])]
    by_name = {row.name: row for row in rows}
    return [by_name[name] for name in wanted if name in by_name]


def _row(metric: str, values: list[float | None]) -> ScoreRow:
    """Return a metric's row; the best value is the nearest to 0, or to the level if it is a coverage."""
    base, level = _parts(metric)
    numbers = [math.nan if value is None else float(value) for value in values]
    goal = level / 100 if base == "coverage" and level is not None else 0.0
    distances = [abs(number - goal) for number in numbers]
    known = [distance for distance in distances if math.isfinite(distance)]
    least = min(known) if len(known) > 1 else None  # a single value is not marked
    cells = [(_number(number, base), distance == least) for number, distance in zip(numbers, distances, strict=True)]
    return ScoreRow(metric_name(metric), MEANINGS.get(base, ""), cells)


def metric_name(metric: str) -> str:
    """Turn mase into MASE and coverage_80 into coverage 80 %; an unknown name stays."""
    base, level = _parts(metric)
    return NAMES.get(base, base) + ("" if level is None else f" {level:g} %")


def _parts(metric: str) -> tuple[str, float | None]:
    """Return the metric's name and the level in per cent at its end, if it has one."""
    match = LEVEL.search(metric)
    return (metric[: match.start()], float(match[1])) if match else (metric, None)


def _number(value: float, base: str) -> str:
    if not math.isfinite(value):
        return UNKNOWN
    return f"{value:.1%}" if base == "coverage" else f"{value:.4g}" if abs(value) >= 100 else f"{value:.3f}"


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return UNKNOWN
    if seconds >= 100:
        return f"{seconds / 60:.1f} min"
    return f"{seconds:.2g} s" if seconds < 10 else f"{seconds:.0f} s"


def scores_by_series(content: ForecastContent) -> dict[str, dict[str, np.ndarray]]:
    """Return for each metric and model the score of each series (N,), NaN if it has none; MASE is the first metric."""
    scores = content.scores
    if scores.is_empty():
        return {}
    by_series = scores.filter(~_OVERALL)
    ids = pl.DataFrame({"unique_id": [str(name) for name in content.panel.ids]})
    arrays = {}
    for metric in sorted(by_series["metric"].unique(maintain_order=True), key=lambda name: name != "mase"):
        of_metric = by_series.filter(pl.col("metric") == metric).unique("unique_id", keep="first")
        joined = ids.join(of_metric, on="unique_id", how="left", maintain_order="left")
        arrays[str(metric)] = {
            name: joined[name].cast(pl.Float64).fill_null(np.nan).to_numpy() for name in content.models
        }
    return arrays


def rank(content: ForecastContent, scores: Mapping[str, Mapping[str, np.ndarray]]) -> np.ndarray:
    """Return the rows of the panel (N,), the worst by the first metric first, series without a score last."""
    if not scores:
        return np.arange(len(content.panel))
    of_first_model = next(iter(scores.values()))[content.models[0]]
    return np.argsort(-np.nan_to_num(of_first_model, nan=-np.inf), kind="stable")
