"""Scores by the definitions of the competition that a set comes from."""

import polars as pl
from utilsforecast import losses

from panels.sets import Set
from throughtime.forecasting import naive2_quantiles

KEYS = ["unique_id", "cutoff", "ds"]
LEVELS = (80, 95)
POINT, MEAN = "point", "mean"


def scores(given: Set, forecasts: pl.DataFrame) -> dict[str, float]:
    """Every figure of a set, by name.

    Args:
        given: the set.
        forecasts: ``unique_id, cutoff, ds, point``, the median where a model has one, and where it has them ``mean``,
            ``point-lo-80``, ``point-hi-80``, ``point-lo-95`` and ``point-hi-95``; it may have more rows than the truth.

    Returns:
        sMAPE (0 to 200) and MASE, both means over the series of each series' mean, and OWA for M4; MSE and MAE, means
        over all windows, steps and columns, for windows. ``coverage-80`` and ``coverage-95``, shares.

    Raises:
        ValueError: where a forecast is missing or not a number.
    """
    joined = join(given.truth, forecasts)
    if given.kind == "windows":
        found = window_scores(joined)
    else:
        found = {"sMAPE": smape(joined), "MASE": mase(joined, given)}
        if given.kind == "m4":
            found["OWA"] = owa(found, naive2_scores(given))
    return found | coverage(joined)


def join(truth: pl.DataFrame, forecasts: pl.DataFrame) -> pl.DataFrame:
    """Truth and forecasts side by side.

    Raises:
        ValueError: where a forecast is missing, comes twice or is not a number.
    """
    joined = truth.join(forecasts, on=KEYS, how="left", validate="1:1")
    lacking = joined.filter(pl.col(POINT).is_null() | ~pl.col(POINT).is_finite())
    if len(lacking):
        raise ValueError(
            f"{len(lacking)} of {len(truth)} forecasts are missing or not a number, first {lacking.row(0)}"
        )
    return joined


def smape(joined: pl.DataFrame) -> float:
    """Mean over series, 0 to 200: M4's, and that of the Monash archive."""
    return 200 * mean(losses.smape(by_series(joined), models=[POINT]), POINT)


def mase(joined: pl.DataFrame, given: Set) -> float:
    """Mean over the series that have a scale: on a constant history seasonal naive is exact, and there is none."""
    history = given.history.select("unique_id", "ds", "y")
    found = losses.mase(by_series(joined), models=[POINT], seasonality=given.scale_season, train_df=history)
    return mean(pl.DataFrame(found).filter(pl.col(POINT).is_finite()), POINT)


def owa(found: dict[str, float], naive: dict[str, float]) -> float:
    """The overall weighted average of M4: means over all series first, then over Naive2's, then their mean."""
    return (found["sMAPE"] / naive["sMAPE"] + found["MASE"] / naive["MASE"]) / 2


def naive2_scores(given: Set) -> dict[str, float]:
    """What OWA divides by: sMAPE and MASE of Naive2 on the same truth."""
    joined = join(given.truth, naive2_forecasts(given))
    return {"sMAPE": smape(joined), "MASE": mase(joined, given)}


def naive2_forecasts(given: Set) -> pl.DataFrame:
    """Naive2 of every series, with the season that its frequency has in M4: 24 hours, and 1 for weeks."""
    parts = []
    for (name,), series in given.history.group_by("unique_id", maintain_order=True):
        cutoff = series["ds"][-1]
        history = series["y"].to_numpy()
        forecast = naive2_quantiles(history, season=given.scale_season, horizon=given.horizon, quantiles=(0.5,))[:, 0]
        steps = cutoff + 1 + pl.int_range(given.horizon, eager=True)
        parts.append(pl.DataFrame({"unique_id": name, "cutoff": cutoff, "ds": steps, POINT: forecast}))
    return pl.concat(parts)


def window_scores(joined: pl.DataFrame) -> dict[str, float]:
    """Mean squared and absolute error over everything. The squared error asks for the mean where a model has one."""
    best = MEAN if MEAN in joined.columns else POINT
    frame = by_series(joined)
    return {"MSE": mean(losses.mse(frame, models=[best]), best), "MAE": mean(losses.mae(frame, models=[POINT]), POINT)}


def coverage(joined: pl.DataFrame) -> dict[str, float]:
    """The share of the truth inside each interval that the forecasts have, mean over series."""
    frame = by_series(joined)
    have = [level for level in LEVELS if f"{POINT}-lo-{level}" in joined.columns]
    return {f"coverage-{level}": mean(losses.coverage(frame, models=[POINT], level=level), POINT) for level in have}


def by_series(joined: pl.DataFrame) -> pl.DataFrame:
    """Without the cutoff, which would make utilsforecast score each window by itself."""
    return joined.drop("cutoff")


def mean(by_id: pl.DataFrame, column: str) -> float:
    return float(by_id[column].mean())
