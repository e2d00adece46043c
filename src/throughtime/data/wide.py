"""Wide tables, with several values in a row, made long: one row for each series and time.

Either each row is a series, and names of columns are time stamps; or each row is a year, a month or a date, and names
of columns are the parts of it.
"""

from dataclasses import replace

import narwhals as nw
import numpy as np
import polars as pl

from throughtime.data.columns import ALL, JOINED, ColumnNames
from throughtime.data.frames import as_polars, collect, column_names, first_rows, polars_column
from throughtime.data.source import Source, without_missing_words
from throughtime.data.split_time import part_of_time
from throughtime.data.timestamps import share_of_dates
from throughtime.data.wide_names import numbered_names, part_names, time_names

ID, TIME, VALUE = "unique_id", "ds", "y"
# The parts that names of columns may be, and the columns whose rows they are parts of.
OF_ROWS = {
    "month": ("year",),
    "quarter": ("year",),
    "week": ("year",),
    "day": ("year", "month"),
    "hour": ("date",),
    "clock": ("date",),
}
SAMPLE = 100  # rows, enough to know what a column holds

Table = nw.DataFrame | nw.LazyFrame


def to_long(table: Table, source: Source, names: ColumnNames) -> tuple[Table, Source, ColumnNames]:
    """Return a wide table as a long one, with the names of its columns; a long one as it is.

    A series is named by the column that the user names, or by the first one of text that has a different value in each
    row (in each row of one year or date), or by all columns of text together. Columns beside the time stamps may be
    static covariates.
    """
    present = column_names(table)
    if names.time is not None or names.target not in (None, ALL) or {TIME, VALUE} & set(present):
        return table, source, names
    head = first_rows(table, SAMPLE)
    if crossed := _crossed(head):
        of_rows, kind, labels = crossed[0]
        return _unpivoted(collect(table), source, names, labels, kind=kind, of_rows=of_rows)
    times = time_names(present) or _numbered(head)
    if not times:
        return table, source, names
    return _unpivoted(collect(table), source, names, times, kind=TIME, of_rows=())


def _crossed(head: nw.DataFrame) -> list[tuple[tuple[str, ...], str, dict[str, str]]]:
    """Return the columns of years, months or dates, and the part of them that names of columns are, with numbers."""
    kinds: dict[str, str] = {}
    for name in head.columns:
        kinds.setdefault(part_of_time(polars_column(head, name)) or "", name)
    found = []
    for kind, labels in part_names(head.columns).items():
        partners = OF_ROWS[kind]
        if kind not in kinds and all(partner in kinds for partner in partners):
            found.append((tuple(kinds[partner] for partner in partners), kind, labels))
    years = time_names(head.columns)
    if "month" in kinds and "year" not in kinds and years and all(time.isdigit() for time in years.values()):
        found.append(((kinds["month"],), "year", years))
    return found


def _numbered(head: nw.DataFrame) -> dict[str, str]:
    """Return columns of numbers with numbered names, if no column holds dates."""
    columns = {name: polars_column(head, name) for name in head.columns}
    if any(share_of_dates(column.drop_nulls()) > 0.5 for column in columns.values()):
        return {}
    return numbered_names([name for name, column in columns.items() if not _is_text(column)])


def _unpivoted(
    frame: nw.DataFrame,
    source: Source,
    names: ColumnNames,
    labels: dict[str, str],
    *,
    kind: str,
    of_rows: tuple[str, ...],
) -> tuple[Table, Source, ColumnNames]:
    """Return the frame with a row for each cell of the columns ``labels``, under their times or parts of times.

    A row that is a year has a cell for each month, also for those to come: missing ones make no rows.
    """
    others = [name for name in frame.columns if name not in labels]
    id = names.id or (ID if ID in others else None)
    if id is None and set(others) > set(of_rows) and not (of_rows and _is_distinct(frame, of_rows)):
        frame, id = _with_id(frame, others, of_rows)
        others = [*others, *([id] if id not in others else [])]
    unclear = (*source.unclear, *([VALUE] if set(labels) & set(source.unclear) else []))
    repairs = replace(source.repairs, wide_columns=len(labels), wide_part=kind if of_rows else None)
    long = frame.unpivot(list(labels), index=others, variable_name=kind, value_name=VALUE)
    texts = np.repeat(list(labels.values()), len(frame)).tolist()
    long = long.with_columns(nw.new_series(kind, texts, nw.String, backend=frame.implementation))
    lines = None if source.lines is None else np.tile(source.lines, len(labels))
    if of_rows:
        known = ~_is_missing(as_polars(long[VALUE]))
        long = long.filter(known.to_list())
        lines = None if lines is None else lines[known.to_numpy()]
    time = JOINED.join((kind, *of_rows) if kind == "year" else (*of_rows, kind))
    source = replace(source, lines=lines, files=(), unclear=unclear, repairs=repairs)
    return long, source, replace(names, id=id, time=time, target=VALUE)


def _is_missing(values: pl.Series) -> pl.Series:
    if values.dtype == pl.String:
        return without_missing_words(values).is_null()
    return values.is_null() | values.is_nan() if values.dtype.is_float() else values.is_null()


def _is_distinct(frame: nw.DataFrame, columns: tuple[str, ...]) -> bool:
    """Return if the columns tell the rows apart."""
    return not pl.DataFrame([polars_column(frame, name).cast(pl.String) for name in columns]).is_duplicated().any()


def _with_id(frame: nw.DataFrame, others: list[str], of_rows: tuple[str, ...]) -> tuple[nw.DataFrame, str]:
    """Return the frame with a column that names its rows, or those of one time, and the column's name."""
    columns = [polars_column(frame, name) for name in others if name not in of_rows]
    text = [column for column in columns if _is_text(column)]
    whole = [column for column in columns if not _is_text(column) and not column.dtype.is_float()]
    for column in (*text, *(() if text else whole)):
        if not column.has_nulls() and _is_distinct(frame, (*of_rows, column.name)):
            return frame, column.name
    parts = pl.DataFrame([column.cast(pl.String) for column in text or columns])
    ids = parts.select(pl.concat_str(pl.all(), separator="/", ignore_nulls=True)).to_series().to_list()
    return frame.with_columns(nw.new_series(ID, ids, nw.String, backend=frame.implementation)), ID


def _is_text(column: pl.Series) -> bool:
    """Return if a column holds text, most of which is no number."""
    if column.dtype not in (pl.String, pl.Categorical, pl.Enum):
        return False
    known = without_missing_words(column.cast(pl.String)).drop_nulls()
    return bool(known.cast(pl.Float64, strict=False).null_count() > len(known) / 2)
