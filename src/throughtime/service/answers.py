"""The answers of a stream: the last value of a series, its quantile, and the forecast, or why there is none."""

from typing import Any, NamedTuple

import numpy as np

from throughtime._errors import InputError
from throughtime.data import Panel, future_steps, require_future
from throughtime.forecasting import Fitted, judge_next
from throughtime.service.forecasts import forecast_objects, quantiles_ahead, time_texts
from throughtime.service.kept import Appended


class StreamSettings(NamedTuple):
    """The content of the answers.

    Attributes:
        horizon: the steps to forecast.
        levels: coverage of the intervals in per cent.
        flag: the share of values inside of the interval whose outside is flagged; None to judge no values.
        after: the last row that is answered already.
    """

    horizon: int
    levels: tuple[int | float, ...] = ()
    flag: float | None = None
    after: int = 0


def answers_of(
    fitted: Fitted, step: Appended, ahead: dict[int, np.ndarray], settings: StreamSettings
) -> list[dict[str, Any]]:
    """Return an object for each series that grew, or whose future covariates became known.

    Args:
        fitted: the forecaster before the row.
        step: the row.
        ahead: the quantiles (F, Q) that were forecast last for a series; those of these series are kept.
        settings: the content of the answers.
    """
    step = _with_known_future(fitted, step)
    panel = step.fitted.panel.of_series(step.series)
    frequency = panel.frequency
    values = panel.values[panel.offsets[1:] - 1]
    times = time_texts(frequency.times(panel.starts + frequency.multiple * (panel.lengths - 1)), frequency)
    observed = [None if np.isnan(value) else value for value in values.tolist()]
    answers: list[dict[str, Any]] = [
        {"unique_id": name, "ds": time, "y": value}
        for name, time, value in zip(panel.ids.tolist(), times, observed, strict=True)
    ]
    if settings.flag is not None:
        for answer, quantile in zip(answers, _quantiles(fitted, step, values, ahead).tolist(), strict=True):
            known = not np.isnan(quantile)
            answer["quantile"] = quantile if known else None
            answer["flag"] = abs(quantile - 0.5) > settings.flag / 2 if known else None
    forecasts = _forecasts(step, panel, ahead, settings)
    return [answer | forecast for answer, forecast in zip(answers, forecasts, strict=True)]


def _with_known_future(fitted: Fitted, step: Appended) -> Appended:
    """Return the step with the series too that did not grow, but whose future rows completed."""
    before, panel, horizon = fitted.panel, step.fitted.panel, fitted.plan.design.horizon
    if panel.read_ahead is None:
        return step
    known = future_steps(panel, horizon) == horizon
    known[: len(before)] &= future_steps(before, horizon) < horizon
    known[step.series] = False
    series = np.append(step.series, np.flatnonzero(known))
    return step._replace(series=series, added=np.append(step.added, np.zeros(known.sum(), np.int64)))


def _forecasts(
    step: Appended, panel: Panel, ahead: dict[int, np.ndarray], settings: StreamSettings
) -> list[dict[str, Any]]:
    """Return the forecast of each series of the step, or why there is none, and keep its quantiles."""
    ready = _ready(step.fitted, panel)
    known = panel.of_series(np.flatnonzero(ready))
    quantiles = quantiles_ahead(step.fitted, known)
    if settings.flag is not None and panel.read_ahead is None:  # rows may change the future that it was made from
        ahead.update(zip(step.series.tolist(), quantiles, strict=True))
    objects = iter(forecast_objects(step.fitted, known, quantiles, settings.levels, settings.horizon))
    return [
        _without_name(next(objects)) if there else _absent(step.fitted, panel.of_series(np.array([place])))
        for place, there in enumerate(ready.tolist())
    ]


def _without_name(forecast: dict[str, Any]) -> dict[str, Any]:
    return {"forecast": {name: values for name, values in forecast.items() if name != "unique_id"}}


def _absent(fitted: Fitted, panel: Panel) -> dict[str, Any]:
    """Return why a series has no forecast: future covariates are missing."""
    try:
        require_future(panel, panel.lengths, fitted.plan.design.horizon)
    except InputError as error:
        return {"forecast": None, "error": str(error), "code": error.code}
    raise AssertionError("a series with a known future has a forecast")


def _ready(fitted: Fitted, panel: Panel) -> np.ndarray:
    """Return flags (N,) of the series whose future covariates are known, if there are any, for the whole horizon."""
    horizon = fitted.plan.design.horizon
    return future_steps(panel, horizon) == horizon


def _quantiles(fitted: Fitted, step: Appended, values: np.ndarray, ahead: dict[int, np.ndarray]) -> np.ndarray:
    """Return the quantile (R,) of the last value of each series that grew, under the forecast before it, or NaN."""
    found = np.full(len(step.series), np.nan)
    before = (step.series < len(fitted.panel)) & (step.added > 0) & (step.added <= fitted.plan.design.horizon)
    before[before] = _ready(fitted, fitted.panel.of_series(step.series[before]))
    places = np.flatnonzero(before)
    if not len(places):
        return found
    series = step.series[places]
    panel = fitted.panel.of_series(series)
    if all(number in ahead for number in series.tolist()):
        quantiles = np.stack([ahead[number] for number in series.tolist()])
    else:
        quantiles = quantiles_ahead(fitted, panel)
    forecast = quantiles[np.arange(len(series)), step.added[places] - 1]
    found[places] = judge_next(fitted, panel, values[places], forecast)
    return found
