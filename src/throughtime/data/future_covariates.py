"""The time to come: which values of the future covariates a forecast needs, and which came."""

from dataclasses import replace

import narwhals as nw
import numpy as np
import pandas as pd
import polars as pl
from numpy.typing import NDArray

from throughtime._errors import InputError
from throughtime.data.columns import listed
from throughtime.data.covariates import Column, Covariates, read_column
from throughtime.data.frames import as_polars, collected, format_times
from throughtime.data.panel import Panel
from throughtime.data.source import Source
from throughtime.data.timestamps import parse_times

SHOWN = 5  # series in a table of dates
HOW = (
    "Give them in rows whose value to forecast is empty, or by predict(future=frame), on the command line --future-file"
)


def require_future(panel: Panel, cutoffs: NDArray[np.int64], horizon: int) -> None:
    """Refuse a forecast for which rows of the future covariates are missing.

    Inside a series a step without a row is a missing value, of its covariates too. Where nothing is known of a series
    before its cutoff, nothing is forecast.

    Args:
        panel: the series, with or without covariates.
        cutoffs: (N,) the first step of each series that is forecast.
        horizon: F.

    Raises:
        InputError: with a table of the dates that each series needs and those that came.
    """
    given = panel.covariates
    if given is None or not given.future:
        return
    inside = cutoffs[:, None] + np.arange(horizon) < panel.lengths[:, None]
    came = _came(panel, given, cutoffs, horizon) | inside | (cutoffs == 0)[:, None]
    if not came.all():
        names = listed([column.name for column in given.future])
        short = np.flatnonzero(~came.all(axis=1))
        raise InputError(
            f"the future covariates {names} are missing for steps to be forecast. {HOW}.\n"
            f"{_dates(panel, short, cutoffs, came)}"
        )


def with_future(panel: Panel, table: nw.DataFrame | nw.LazyFrame, source: Source, horizon: int) -> Panel:
    """The panel with the rows of a table as what is known of the ``horizon`` steps after each series.

    Rows for other time stamps and for series that the panel does not have are left alone.

    Args:
        panel: the series, with future covariates.
        table: the columns of ids and of time under the names that they had, and the future covariates.
        source: names the table in messages.
        horizon: F.

    Raises:
        InputError: for a table that cannot be used, with the dates that are needed.
    """
    given = panel.covariates
    if given is None or not given.future:
        raise source.error("no future covariates were named before: name them with future=, or --future NAME")
    names = [name for name in (given.id, given.time, *(column.name for column in given.future)) if name is not None]
    there = table.collect_schema().names()
    absent = [name for name in names if name not in there]
    if absent:
        raise source.error(f"no column {listed(absent)}, expected {listed(names)}.\n{_needed(panel, given, horizon)}")
    frame = collected(table.select(names))
    row, series, step = _rows_ahead(panel, given, frame, source, horizon)
    given = given.lengthened((panel.starts - given.starts) // panel.frequency.multiple + panel.lengths + horizon)
    ordinals = panel.starts[series] + panel.frequency.multiple * step
    places = given.places(series, ordinals, panel.frequency.multiple)
    _check_once(places, row, source, given)
    known = given.has_row.copy()
    known[places] = True
    future = []
    for column in given.future:
        categorical = column.categories is not None
        came = read_column(as_polars(frame[column.name]), source, categorical=categorical)
        future.append(_filled(column, came, places, row))
    return replace(panel, covariates=replace(given, future=tuple(future), has_row=known))


def _rows_ahead(
    panel: Panel, given: Covariates, frame: nw.DataFrame, source: Source, horizon: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """The rows of a frame that lie in the horizon of a series, those series, and the steps in them."""
    stamps = parse_times(as_polars(frame[given.time]), source)
    frequency = panel.frequency
    if (stamps.values.dtype.kind == "M") != (frequency.unit != "integer") or (stamps.zone is None) != (
        frequency.zone is None
    ):
        raise source.error(
            f"time stamps of another kind than those of the series.\n{_needed(panel, given, horizon)}",
            column=given.time,
        )
    ordinals = frequency.ordinals(stamps.values)
    on_grid = replace(frequency, stamp=str(stamps.values.dtype)).times(ordinals) == stamps.values
    row, series = _pairs(given, frame)
    distance = ordinals[row] - panel.starts[series]
    step, rest = np.divmod(distance, frequency.multiple)
    ahead = on_grid[row] & (rest == 0) & (step >= panel.lengths[series]) & (step < panel.lengths[series] + horizon)
    return row[ahead], series[ahead], step[ahead]


def _pairs(given: Covariates, frame: nw.DataFrame) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Every row with each series that it speaks of: several where they are columns of one table."""
    count = len(given.sources)
    if given.id is None:
        return np.repeat(np.arange(len(frame)), count), np.tile(np.arange(count), len(frame))
    names = as_polars(frame[given.id]).cast(pl.String).to_numpy()
    rows = pd.DataFrame({"id": names, "row": np.arange(len(frame))})
    pairs = rows.merge(pd.DataFrame({"id": given.sources.astype(str), "series": np.arange(count)}), on="id")
    return pairs["row"].to_numpy(), pairs["series"].to_numpy()


def _check_once(places: NDArray[np.int64], row: NDArray[np.int64], source: Source, given: Covariates) -> None:
    order = np.argsort(places, kind="stable")
    twice = np.flatnonzero(np.diff(places[order]) == 0)
    if len(twice):
        before, after = (int(row[order[twice[0] + k]]) for k in (0, 1))
        raise source.error(
            f"two rows for one series and time, the other is {source.place(before)}: expected one for each",
            row=after,
            column=given.time,
        )


def _filled(column: Column, came: Column, places: NDArray[np.int64], row: NDArray[np.int64]) -> Column:
    """The column with what came of it at places of the grid."""
    values, fresh = column.values.copy(), came.values[row]
    if column.categories is None or came.categories is None:
        values[places] = fresh
        return replace(column, values=values)
    names = tuple(dict.fromkeys((*column.categories, *came.categories)))
    code = np.array([names.index(name) for name in came.categories] + [np.nan])
    values[places] = code[np.where(np.isnan(fresh), -1, fresh).astype(int)]
    return replace(column, values=values, categories=names)


def _came(panel: Panel, given: Covariates, cutoffs: NDArray[np.int64], horizon: int) -> NDArray[np.bool_]:
    """(N, F) whether a row came for each step after the cutoffs."""
    steps = cutoffs[:, None] + np.arange(horizon)
    ordinals = panel.starts[:, None] + panel.frequency.multiple * steps
    row = np.broadcast_to(np.arange(len(panel))[:, None], steps.shape)
    places = given.places(row, ordinals, panel.frequency.multiple)
    return np.append(given.has_row, False)[places]  # the last one is that of -1


def _needed(panel: Panel, given: Covariates, horizon: int) -> str:
    came = _came(panel, given, panel.lengths, horizon)
    return _dates(panel, np.arange(len(panel)), panel.lengths, came)


def _dates(panel: Panel, rows: NDArray[np.int64], cutoffs: NDArray[np.int64], came: NDArray[np.bool_]) -> str:
    """A table of the dates that series need, and of those that came."""
    horizon = came.shape[1]
    table = [("series", "needs from", "to", "came from", "to", "steps missing")]
    for row in rows[:SHOWN]:
        steps = cutoffs[row] + np.arange(horizon)
        ordinals = panel.starts[row] + panel.frequency.multiple * steps
        due = format_times(panel.frequency.times(ordinals), panel.frequency.zone)
        here = [time for time, there in zip(due, came[row], strict=True) if there] or ["none"]
        missing = f"{int((~came[row]).sum())} of {horizon}"
        table.append((str(panel.ids[row]), due[0], due[-1], here[0], here[-1], missing))
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = ["  ".join(map(str.ljust, line, widths)).rstrip() for line in table]
    return "\n".join([*lines, *([f"and {len(rows) - SHOWN:,} more series"] if len(rows) > SHOWN else [])])
