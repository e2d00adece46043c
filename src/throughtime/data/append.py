"""New rows at the end of a panel's series, and new series behind them."""

from dataclasses import replace

import narwhals as nw
import numpy as np
import polars as pl
from numpy.typing import NDArray

from throughtime.data.append_covariates import with_rows
from throughtime.data.arrange import read_covariates
from throughtime.data.columns import ColumnNames, listed
from throughtime.data.covariates import Covariates
from throughtime.data.far_rows import NEAR, check_near
from throughtime.data.frames import format_times
from throughtime.data.future_covariates import id_keys, joined_ids
from throughtime.data.missing import without_leading_gaps
from throughtime.data.panel import Panel
from throughtime.data.rows import Rows, to_grid
from throughtime.data.source import Source
from throughtime.data.steps import on_steps, read_rows

FEW = 16  # series of which rows come that are looked up one by one: a table of all names costs more than one row


def append_rows(panel: Panel, table: nw.DataFrame | nw.LazyFrame, source: Source, names: ColumnNames) -> Panel:
    """Return the panel with the rows of a table after the ends of its series, and with the table's other series.

    Steps between the end of a series and a row are missing values. With future covariates, a series ends with its last
    value: rows after it wait for theirs, and bring the covariates of its future. The values of the panel are copied
    once, and those of covariates a few times; everything else takes time in proportion to the rows and the number of
    series.

    Args:
        panel: N series.
        table: rows in any order, for some of the series and for others, with the covariates of the panel.
        source: names the table in messages.
        names: the columns that the user names.

    Raises:
        InputError: for a table that cannot be used; with the row, if it is not after the end of its series, or so far
            after it that its time is a mistake; and for other covariates than those of the panel.
    """
    table, source, rows = read_rows(table, source, names, panel.former)
    rows = on_steps(rows, source, panel.former)[0]
    series = _places(panel, rows, source)
    steps = _steps_after(panel, rows, series, source)
    covariates = _with_covariates(panel, table, source, rows, series)
    if rows.columns.future:
        kept = ~_after_last_value(rows)
        rows, series, steps = _rows_at(rows, kept), series[kept], steps[kept]
    longer = _lengthened(panel, rows, series, steps, covariates)
    if (series >= 0).all():
        return longer
    others = _others(panel, rows, series)
    return replace(
        longer,
        ids=joined_ids(panel.ids, others.ids),
        values=np.append(longer.values, others.values),
        offsets=np.append(longer.offsets, longer.offsets[-1] + others.offsets[1:]),
        starts=np.append(longer.starts, others.starts),
    )


def _with_covariates(
    panel: Panel,
    table: nw.DataFrame | nw.LazyFrame,
    source: Source,
    rows: Rows,
    series: NDArray[np.int64],
) -> Covariates | None:
    """Return the covariates of the panel with those of rows; of new series, only those with a value are kept.

    Raises:
        InputError: for other covariates than those of the panel.
    """
    columns, known = rows.columns, panel.covariates
    names = (*columns.static, *columns.past, *columns.future)
    expected = () if known is None else known.names
    if names != expected:
        raise source.error(
            f"the rows have the covariates {listed(names) or 'none'}, the series {listed(expected)}",
            code="other-covariates",
            found=names,
            expected=expected,
        )
    if known is None:
        return None
    begins = rows.bounds()[:-1]
    numbers = series[begins]
    (new,) = np.nonzero((numbers < 0) & np.logical_or.reduceat(~np.isnan(rows.values), begins))
    numbers[new] = len(panel) + np.arange(len(new))
    (kept,) = np.nonzero(numbers >= 0)
    grid = to_grid(rows, panel.frequency)
    found = read_covariates(table, source, rows, grid, panel.former.columns).of_series(kept)
    firsts = np.array([rows.table_row(begin) for begin in begins[kept].tolist()], np.int64)
    return with_rows(known, found, numbers[kept], firsts, panel.frequency.multiple, source)


def _after_last_value(rows: Rows) -> NDArray[np.bool_]:
    """Return a mask of the rows after the last value of their series, (R,)."""
    observed, bounds = np.append(0, np.cumsum(~np.isnan(rows.values))), rows.bounds()
    return observed[:-1] == np.repeat(observed[bounds[1:]], np.diff(bounds))


def _rows_at(rows: Rows, kept: NDArray[np.bool_]) -> Rows:
    """Return some of the rows, under the same numbers of series."""
    stamps = replace(rows.stamps, values=rows.stamps.values[kept])
    return rows._replace(series=rows.series[kept], stamps=stamps, values=rows.values[kept])


def _places(panel: Panel, rows: Rows, source: Source) -> NDArray[np.int64]:
    """Return the number of each row's series in the panel, (R,); -1 for other series.

    Raises:
        InputError: for another series in a table without a column that names them.
    """
    if len(rows.ids) <= FEW and panel.ids.dtype.kind == rows.ids.dtype.kind:
        same = panel.ids == rows.ids[:, None]
        if same.any(axis=1).all():
            return same.argmax(axis=1)[rows.series]
    numbers = panel.ids.dtype.kind in "iuf"
    known, found = (
        id_keys(pl.Series("id", ids if ids.dtype.kind in "iuf" else ids.astype(str)), numbers)
        for ids in (panel.ids, rows.ids)
    )
    place = pl.DataFrame({"id": known, "place": np.arange(len(known))})
    places = pl.DataFrame({"id": found}).join(place, on="id", how="left", maintain_order="left")["place"]
    if rows.columns.id is None and places.has_nulls():
        raise source.error(
            f"no column names the series, and the values are in {listed(rows.ids.tolist())}: expected the series "
            f"{listed(panel.ids.tolist())}",
            code="other-series",
            found=rows.ids.tolist(),
            expected=panel.ids.tolist(),
        )
    return places.fill_null(-1).to_numpy()[rows.series]


def _steps_after(panel: Panel, rows: Rows, series: NDArray[np.int64], source: Source) -> NDArray[np.int64]:
    """Return how many steps after the end of its series each row is, (R,); 0 is the next step.

    Raises:
        InputError: for a row that is not after the end, or on no step, or far after the row before it.
    """
    frequency = panel.frequency
    ordinals = frequency.ordinals(rows.stamps.values)
    ends = panel.starts + frequency.multiple * panel.lengths
    known = series >= 0
    steps, rest = np.divmod(np.where(known, ordinals - ends[series], 0), frequency.multiple)
    if (rest != 0).any():
        _refuse(rows, int((rest != 0).argmax()), panel, series, source, code="other-frequency")
    if (steps < 0).any():
        _refuse(rows, int((steps < 0).argmax()), panel, series, source, code="row-before-end")
    if (steps >= NEAR).any() or not known.all():  # other rows are near the ends of their series
        check_near(panel, rows, ordinals, series, source)
    return steps


def _refuse(rows: Rows, position: int, panel: Panel, series: NDArray[np.int64], source: Source, *, code: str) -> None:
    """Raise the error for a row that is at no place where it could be appended."""
    number, frequency = series[position], panel.frequency
    end = panel.starts[number] + frequency.multiple * (panel.lengths[number] - 1)
    last = format_times(frequency.times(end[None]), frequency.zone)[0]
    time = format_times(rows.stamps.values[[position]], rows.stamps.zone)[0]
    name = str(rows.ids[rows.series[position]])
    reason = {
        "other-frequency": f"it is on no step of this series, {frequency.describe()} up to {last}",
        "row-before-end": f"the series has rows up to {last}; expected later ones",
    }[code]
    raise source.error(
        f"found {time} of series {name!r}: {reason}",
        code=code,
        row=rows.table_row(position),
        column=rows.columns.time,
        found=time,
        expected=frequency.describe(),
    )


def _lengthened(
    panel: Panel,
    rows: Rows,
    series: NDArray[np.int64],
    steps: NDArray[np.int64],
    covariates: Covariates | None,
) -> Panel:
    """Return the panel with the rows of its own series, and with these covariates."""
    known = series >= 0
    series, steps = series[known], steps[known]
    added = np.zeros(len(panel), np.int64)
    np.maximum.at(added, series, steps + 1)
    values = np.insert(panel.values, np.repeat(panel.offsets[1:], added), np.nan)
    offsets = panel.offsets + np.append(0, np.cumsum(added))
    values[offsets[series] + panel.lengths[series] + steps] = rows.values[known]
    return replace(panel, values=values, offsets=offsets, covariates=covariates)


def _others(panel: Panel, rows: Rows, series: NDArray[np.int64]) -> Panel:
    """Return a panel of the rows of new series, each from its first value on."""
    new = _rows_at(rows, series < 0)
    numbers, renumbered = np.unique(new.series, return_inverse=True)
    grid = to_grid(new._replace(ids=rows.ids[numbers], series=renumbered), panel.frequency)
    found = without_leading_gaps(
        replace(panel, ids=rows.ids[numbers], values=grid.values, offsets=grid.offsets, starts=grid.starts)
    )
    some = found.lengths > 0
    offsets = np.append(0, np.cumsum(found.lengths[some]))
    return replace(found, ids=found.ids[some], offsets=offsets, starts=found.starts[some])
