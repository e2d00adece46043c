"""Scores by the definitions of each set's competition."""

import polars as pl
from utilsforecast import losses

from panels.sets import Set
from throughtime.forecasting import naive2_quantiles

KEYS = ["unique_id", "cutoff", "ds"]
LEVELS = (80, 95)
POINT, MEAN = "point", "mean"


def scores(given: Set, forecasts: pl.DataFrame) -> dict[str, float]:
    """Return every figure of a set, by name.

    Args:
        given: the set.
        forecasts: ``unique_id, cutoff, ds, point``, the median if a model has one, and optionally ``mean``,
            ``point-lo-80``, ``point-hi-80``, ``point-lo-95`` and ``point-hi-95``; it may have more rows than the truth.

    Returns:
        sMAPE (0 to 200) and MASE, both means over the series of each series' mean, and OWA for M4; MSE and MAE, means
        over all windows, steps and columns, for windows. ``coverage-80`` and ``coverage-95``, shares.

    Raises: ValueError: if a forecast is missing or not finite.
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
    """Join true values and forecasts.

    Raises: ValueError: if a forecast is missing, duplicate or not finite.
    """
    joined = truth.join(forecasts, on=KEYS, how="left", validate="1:1")
    lacking = joined.filter(pl.col(POINT).is_null() | ~pl.col(POINT).is_finite())
    if len(lacking):
        raise ValueError(f"{len(lacking)} of {len(truth)} forecasts are missing or not finite, first {lacking.row(0)}")
    return joined


def smape(joined: pl.DataFrame) -> float:
    """Return the mean over series, 0 to 200, as in M4 and the Monash archive."""
    return 200 * mean(losses.smape(by_series(joined), models=[POINT]), POINT)


def mase(joined: pl.DataFrame, given: Set) -> float:
    """Return the mean over the series with a positive scale; it is 0 if seasonal naive is exact on the history."""
    history = given.history.select("unique_id", "ds", "y")
    found = losses.mase(by_series(joined), models=[POINT], seasonality=given.scale_season, train_df=history)
    return mean(pl.DataFrame(found).filter(pl.col(POINT).is_finite()), POINT)


def owa(found: dict[str, float], naive: dict[str, float]) -> float:
    """Return M4's overall weighted average: means over all series, divided by Naive2's, then averaged."""
    return (found["sMAPE"] / naive["sMAPE"] + found["MASE"] / naive["MASE"]) / 2


def naive2_scores(given: Set) -> dict[str, float]:
    """Return the divisors of OWA: sMAPE and MASE of Naive2 on the same truth."""
    joined = join(given.truth, naive2_forecasts(given))
    return {"sMAPE": smape(joined), "MASE": mase(joined, given)}


def naive2_forecasts(given: Set) -> pl.DataFrame:
    """Return Naive2's forecasts of every series, with M4's season: 24 for hours, 1 for weeks."""
    parts = []
    for (name,), series in given.history.group_by("unique_id", maintain_order=True):
        cutoff = series["ds"][-1]
        history = series["y"].to_numpy()
        forecast = naive2_quantiles(history, season=given.scale_season, horizon=given.horizon, quantiles=(0.5,))[:, 0]
        steps = cutoff + 1 + pl.int_range(given.horizon, eager=True)
        parts.append(pl.DataFrame({"unique_id": name, "cutoff": cutoff, "ds": steps, POINT: forecast}))
    return pl.concat(parts)


def window_scores(joined: pl.DataFrame) -> dict[str, float]:
    """Return mean squared and absolute error over all values. The squared error uses the mean if a model has one."""
    best = MEAN if MEAN in joined.columns else POINT
    frame = by_series(joined)
    return {"MSE": mean(losses.mse(frame, models=[best]), best), "MAE": mean(losses.mae(frame, models=[POINT]), POINT)}


def coverage(joined: pl.DataFrame) -> dict[str, float]:
    """Return the share of true values inside each interval, as a mean over series."""
    frame = by_series(joined)
    have = [level for level in LEVELS if f"{POINT}-lo-{level}" in joined.columns]
    return {f"coverage-{level}": mean(losses.coverage(frame, models=[POINT], level=level), POINT) for level in have}


def by_series(joined: pl.DataFrame) -> pl.DataFrame:
    """Drop the cutoff, which would make utilsforecast score each window separately."""
    return joined.drop("cutoff")


def mean(by_id: pl.DataFrame, column: str) -> float:
    return float(by_id[column].mean())
