"""Future covariates: the values that a forecast needs, and the rows that the user has given."""

from dataclasses import replace

import narwhals as nw
import numpy as np
import polars as pl
from numpy.typing import NDArray

from throughtime._errors import InputError
from throughtime.data.columns import listed
from throughtime.data.covariate_columns import as_text, covariate_series, read_as
from throughtime.data.covariates import Covariates, filled
from throughtime.data.frames import collect, column_names, format_times, polars_column
from throughtime.data.panel import Panel
from throughtime.data.source import Source
from throughtime.data.split_time import with_joined_time
from throughtime.data.timestamps import parse_times

LISTED = 5  # series in a table of dates
ADVICE = (
    "Give them in rows whose value to forecast is empty, or by predict(future=frame), on the command line --future-file"
)


def require_future(panel: Panel, cutoffs: NDArray[np.int64], horizon: int) -> None:
    """Refuse a forecast for which rows of the future covariates are missing.

    A step without a row inside a series is no error: its covariates are missing values. A series without a value before
    its cutoff is not forecast.

    Args:
        panel: the series, with or without covariates.
        cutoffs: (N,) the first step of each series that is forecast.
        horizon: F.

    Raises:
        InputError: with a table of the dates that each series needs and of those that have rows.
    """
    covariates = panel.read_ahead
    if covariates is None:
        return
    inside = cutoffs[:, None] + np.arange(horizon) < panel.lengths[:, None]
    has_row = _has_row(panel, covariates, cutoffs, horizon) | inside | (cutoffs == 0)[:, None]
    if not has_row.all():
        names = [column.name for column in covariates.future]
        short = np.flatnonzero(~has_row.all(axis=1))
        raise InputError(
            f"the future covariates {listed(names)} are missing for steps to be forecast. {ADVICE}.\n"
            f"{_date_table(panel, short, cutoffs, has_row)}",
            code="future-missing",
            found=f"{int((~has_row).sum())} steps without a row",
            expected=names,
        )


def future_steps(panel: Panel, horizon: int) -> NDArray[np.int64]:
    """Return how many of the ``horizon`` steps after each series can be forecast from its last one on, (N,).

    All of them without future covariates, else those up to the first one without a row.
    """
    covariates = panel.read_ahead
    if covariates is None:
        return np.full(len(panel), horizon)
    return np.logical_and.accumulate(_has_row(panel, covariates, panel.lengths, horizon), axis=1).sum(axis=1)


def with_future(panel: Panel, table: nw.DataFrame | nw.LazyFrame, source: Source, horizon: int) -> Panel:
    """Return the panel with the future covariates of a table for the ``horizon`` steps after each series.

    Rows for other time stamps, and for series that the panel does not have, are ignored.

    Args:
        panel: the series, with future covariates.
        table: the columns of ids and of time under the names that they had, and the future covariates.
        source: names the table in messages.
        horizon: F.

    Raises:
        InputError: for a table that cannot be used, with the dates that are needed.
    """
    covariates = panel.read_ahead
    if covariates is None:
        raise source.error(
            "no future covariates were named before: name them with future=, or --future NAME",
            code="no-future-covariates",
            expected="--future NAME",
        )
    table = with_joined_time(table, covariates.time, source)
    frame = _needed_columns(panel, covariates, table, source, horizon)
    row, series, step = _rows_in_horizon(panel, covariates, frame, source, horizon)
    multiple = panel.frequency.multiple
    grid = covariates.lengthened((panel.starts - covariates.starts) // multiple + panel.lengths + horizon)
    places = grid.places(series, panel.starts[series] + multiple * step, multiple)
    _check_once(places, row, source, grid)
    has_row = grid.has_row.copy()
    has_row[places] = True
    future = []
    for column in grid.future:
        new = read_as(column, covariate_series(frame[column.name]), source)
        future.append(filled(column, replace(new, values=new.values[row]), places))
    return replace(panel, covariates=replace(grid, future=tuple(future), has_row=has_row))


def _needed_columns(
    panel: Panel, covariates: Covariates, table: nw.DataFrame | nw.LazyFrame, source: Source, horizon: int
) -> nw.DataFrame:
    future = (column.name for column in covariates.future)
    names = [name for name in (covariates.id, covariates.time, *future) if name is not None]
    present = column_names(table)
    absent = [name for name in names if name not in present]
    if absent:
        raise source.error(
            f"no column {listed(absent)}, expected {listed(names)}.\n{_needed_dates(panel, covariates, horizon)}",
            code="no-such-column",
            column=absent[0],
            found=present,
            expected=names,
        )
    return collect(table.select(names))


def _rows_in_horizon(
    panel: Panel, covariates: Covariates, frame: nw.DataFrame, source: Source, horizon: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return the rows of a frame in the horizon of a series, the numbers of these series, and the steps in them."""
    frequency = panel.frequency
    stamps = parse_times(polars_column(frame, covariates.time), source, like=panel.former.notation)
    dates, has_zone = stamps.values.dtype.kind == "M", stamps.zone is not None
    if dates != (frequency.unit != "integer") or has_zone != (frequency.zone is not None):
        raise source.error(
            f"time stamps of another kind than those of the series.\n{_needed_dates(panel, covariates, horizon)}",
            code="other-time-stamps",
            column=covariates.time,
            found=stamps.stamp if stamps.zone is None else f"{stamps.stamp} {stamps.zone}",
            expected=frequency.stamp if frequency.zone is None else f"{frequency.stamp} {frequency.zone}",
        )
    ordinals = frequency.ordinals(stamps.values)
    on_grid = frequency.instants(ordinals) == stamps.values
    row, series = _pairs(covariates, frame, source)
    step, rest = np.divmod(ordinals[row] - panel.starts[series], frequency.multiple)
    ahead = on_grid[row] & (rest == 0) & (step >= panel.lengths[series]) & (step < panel.lengths[series] + horizon)
    return row[ahead], series[ahead], step[ahead]


def _pairs(covariates: Covariates, frame: nw.DataFrame, source: Source) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return every row with each of its series: several if they are columns of one table."""
    count = len(covariates.sources)
    if covariates.id is None:
        return np.repeat(np.arange(len(frame)), count), np.tile(np.arange(count), len(frame))
    numbers = covariates.sources.dtype.kind in "iuf"
    sources = covariates.sources if numbers else covariates.sources.astype(str)
    ids = covariate_series(frame[covariates.id]).alias("id")
    rows = pl.DataFrame({"id": id_keys(ids, numbers), "row": np.arange(len(frame))})
    series = pl.DataFrame({"id": id_keys(pl.Series("id", sources), numbers), "series": np.arange(count)})
    pairs = rows.join(series, on="id").sort("row", "series")
    if not len(pairs):
        names = [list(dict.fromkeys(map(str, values))) for values in (ids.to_list(), covariates.sources.tolist())]
        raise source.error(
            f"no row is of a series: found {listed(names[0][:LISTED])}, the series are {listed(names[1][:LISTED])}",
            code="other-series",
            column=covariates.id,
            found=names[0][:LISTED],
            expected=names[1][:LISTED],
        )
    return pairs["row"].to_numpy(), pairs["series"].to_numpy()


def id_keys(ids: pl.Series, numbers: bool) -> pl.Series:
    """Return ids as text by which two tables agree: 1, 1.0, "1" and "1.0" are one series; of numbers "01" is too."""
    keys = as_text(ids).str.strip_chars().str.replace(r"^(-?\d+)\.0+$", "${1}")
    return keys.str.replace(r"^(-?)0+(\d)", "${1}${2}") if numbers else keys


def joined_ids(former: NDArray, new: NDArray) -> NDArray:
    """Return the names of all series: numbers, if they were and the new ones can be, such as text of CSV; else text."""
    if not len(new):
        return former
    if former.dtype.kind == "i" and new.dtype.kind != "i":
        numbers = id_keys(pl.Series(new.astype(str)), numbers=True).cast(pl.Int64, strict=False)
        new = new if numbers.has_nulls() else numbers.to_numpy()
    alike = former.dtype.kind == new.dtype.kind
    return np.concatenate([former, new] if alike else [former.astype(str), new.astype(str)])


def _check_once(places: NDArray[np.int64], row: NDArray[np.int64], source: Source, covariates: Covariates) -> None:
    order = np.argsort(places, kind="stable")
    twice = np.flatnonzero(np.diff(places[order]) == 0)
    if len(twice):
        before, after = (int(row[order[twice[0] + k]]) for k in (0, 1))
        raise source.error(
            f"two rows for one series and time, the other is {source.place(before)}: expected one for each",
            code="duplicate-time",
            row=after,
            column=covariates.time,
            found=source.place(before),
            expected="one row for each series and time",
        )


def _has_row(panel: Panel, covariates: Covariates, cutoffs: NDArray[np.int64], horizon: int) -> NDArray[np.bool_]:
    """Return a mask of the steps after the cutoffs that have a row in the user's table, (N, F)."""
    steps = cutoffs[:, None] + np.arange(horizon)
    ordinals = panel.starts[:, None] + panel.frequency.multiple * steps
    row = np.broadcast_to(np.arange(len(panel))[:, None], steps.shape)
    places = covariates.places(row, ordinals, panel.frequency.multiple)
    return np.append(covariates.has_row, False)[places]  # the appended False is at place -1


def _needed_dates(panel: Panel, covariates: Covariates, horizon: int) -> str:
    has_row = _has_row(panel, covariates, panel.lengths, horizon)
    return _date_table(panel, np.arange(len(panel)), panel.lengths, has_row)


def _date_table(panel: Panel, rows: NDArray[np.int64], cutoffs: NDArray[np.int64], has_row: NDArray[np.bool_]) -> str:
    """Return a table of the dates that series need, and of those that have rows."""
    horizon = has_row.shape[1]
    table = [("series", "needs from", "to", "has rows from", "to", "steps missing")]
    for row in rows[:LISTED]:
        steps = cutoffs[row] + np.arange(horizon)
        ordinals = panel.starts[row] + panel.frequency.multiple * steps
        needed = format_times(panel.frequency.times(ordinals), panel.frequency.zone)
        present = [time for time, there in zip(needed, has_row[row], strict=True) if there] or ["none"]
        missing = f"{int((~has_row[row]).sum())} of {horizon}"
        table.append((str(panel.ids[row]), needed[0], needed[-1], present[0], present[-1], missing))
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = ["  ".join(map(str.ljust, line, widths)).rstrip() for line in table]
    return "\n".join([*lines, *([f"and {len(rows) - LISTED:,} more series"] if len(rows) > LISTED else [])])
