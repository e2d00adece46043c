"""Forecasts for a service: in groups of few sizes, so that a program is never compiled for a request; and as JSON."""

from collections.abc import Sequence
from dataclasses import replace
from math import isnan
from typing import Any

import numpy as np

from throughtime.data import Covariates, Frequency, Panel, format_times, slices_of
from throughtime.forecasting import Fitted, forecast_quantiles, interval_columns, nonnegative
from throughtime.service.kept import kept_steps

MOST_SERIES, MOST_STEPS = 64, 16384  # of a group: sizes that the device's arrays have anyway, see ``padded_size``
SERIES_TOLD_APART = (1, 4, 16, 64)  # with calendars, the sizes of the arrays depend on the number of series too
DATE = len("2024-01-01")


def quantiles_ahead(fitted: Fitted, panel: Panel) -> np.ndarray:
    """Return the quantiles (N, F, Q) of the F steps after the ends of the series, in the data's own units.

    Args:
        fitted: the plan, the networks and their calibration.
        panel: N series, none longer than twice the kept steps.

    Raises:
        InputError: if future covariates of the steps to forecast are missing.
    """
    design = fitted.plan.design
    quantiles = np.empty((len(panel), design.horizon, len(design.quantiles)))
    for group in slices_of(panel.lengths, most_series=MOST_SERIES, most_steps=MOST_STEPS):
        part = panel.of_series(np.arange(len(panel))[group])
        quantiles[group] = forecast_quantiles(fitted, part, part.lengths)
    return quantiles


def warm_up(fitted: Fitted) -> None:
    """Forecast once in each size that a group can have: programs are compiled here, and modules loaded."""
    least = fitted.plan.design.horizon + 3  # steps that the networks can forecast from
    sizes = [(1, least)]
    if fitted.networks:
        from throughtime.data import LEAST_STEPS  # loads JAX

        longest = max(MOST_STEPS, 2 * kept_steps(fitted))
        powers = range(longest.bit_length())
        ends = [size for power in powers if (size := LEAST_STEPS * 4**power) < longest]
        totals = [*ends, *(size + 1 for size in ends), longest]
        sizes = [(count, max(count * least, total)) for count in SERIES_TOLD_APART for total in (0, *totals)]
    for count, size in sizes:
        quantiles_ahead(fitted, _some_panel(fitted.panel, count, size, fitted.plan.design.horizon))


def _some_panel(like: Panel, count: int, size: int, horizon: int) -> Panel:
    """Return a panel of so many series and steps, with values that any head can have."""
    offsets = np.linspace(0, size, count + 1).astype(np.int64)
    values = np.arange(size, dtype=np.float64) % 5 + 1
    ids, starts = np.arange(count), np.zeros(count, np.int64)
    panel = replace(like, ids=ids, values=values, offsets=offsets, starts=starts, covariates=None)
    return (
        panel if like.covariates is None else replace(panel, covariates=_no_covariates(like.covariates, panel, horizon))
    )


def _no_covariates(like: Covariates, panel: Panel, horizon: int) -> Covariates:
    """Return covariates for a panel and the horizon after it, with rows for all steps and without values."""
    offsets = panel.offsets + horizon * np.arange(len(panel) + 1)
    steps, series = np.full(offsets[-1], np.nan), np.full(len(panel), np.nan)
    return replace(
        like,
        sources=panel.ids,
        static=tuple(replace(column, values=series) for column in like.static),
        past=tuple(replace(column, values=steps) for column in like.past),
        future=tuple(replace(column, values=steps) for column in like.future),
        starts=panel.starts,
        offsets=offsets,
        has_row=np.ones(len(steps), bool),
    )


def forecast_objects(
    fitted: Fitted, panel: Panel, quantiles: np.ndarray, levels: Sequence[int | float], horizon: int
) -> list[dict[str, Any]]:
    """Return the forecasts of N series as JSON values: ``unique_id``, and lists of ``ds, throughtime, ...``.

    Args:
        fitted: decides if forecasts may be negative.
        panel: N series.
        quantiles: (N, F, Q) as :func:`quantiles_ahead` returns them.
        levels: coverage of the intervals in per cent.
        horizon: H, the first steps to return.
    """
    count = len(panel)
    positive = np.repeat(nonnegative(panel, panel.lengths, fitted.plan), horizon)
    flat = quantiles[:, :horizon].reshape(-1, quantiles.shape[-1])
    columns = {name: _numbers(array) for name, array in interval_columns(flat, levels, positive=positive).items()}
    columns = {"ds": time_texts(panel.future(horizon)[1], panel.frequency), **columns}
    parts = [slice(horizon * number, horizon * (number + 1)) for number in range(count)]
    names = panel.ids.tolist()
    return [
        {"unique_id": name, **{column: values[part] for column, values in columns.items()}}
        for name, part in zip(names, parts, strict=True)
    ]


def time_texts(times: np.ndarray, frequency: Frequency) -> list[Any]:
    """Return time stamps as JSON values: integers, dates, or date-times, the same for all of one frequency."""
    if times.dtype.kind != "M":
        return times.tolist()
    texts = format_times(times, frequency.zone)
    elapsed = frequency.unit == "elapsed"
    return [f"{text}T00:00:00" if elapsed and len(text) == DATE else text for text in texts]


def _numbers(array: np.ndarray) -> list[float | None]:
    """Return numbers as JSON values, None for NaN."""
    return [None if isnan(number) else number for number in array.tolist()]
