"""Which column is the time, which the series and which the values; and the values as numbers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

import narwhals as nw
import numpy as np
import polars as pl
from numpy.typing import NDArray

from throughtime.data.frames import as_polars, collected
from throughtime.data.source import MISSING, Source, first
from throughtime.data.timestamps import INTEGER, share_of_dates

# Names under which a column of integers is taken for the time; pandas writes its index under no name.
TIME_NAMES = ("ds", "date", "datetime", "time", "timestamp", "month", "year", "t", "period", "index", "")
# So many values tell what a column holds.
SAMPLE = 1000
LARGEST = 1e300  # beyond, differences and sums of values are no longer finite
LISTED = 20


@dataclass(frozen=True)
class ColumnNames:
    """The columns of a long table that a user names; what is None is found, and there are no other covariates.

    Attributes:
        id: names the series.
        time: the time stamps.
        target: the values to forecast; several columns make as many series of each.
        static: covariates that are constant for each series.
        past: covariates that are known up to the present.
        future: covariates that are known beyond it.
    """

    id: str | None = None
    time: str | None = None
    target: str | Sequence[str] | None = None
    static: str | Sequence[str] = ()
    past: str | Sequence[str] = ()
    future: str | Sequence[str] = ()


@dataclass(frozen=True)
class Columns:
    """The columns of a long table, by name; ``id`` is None where the table is one series.

    Attributes:
        id: names the series.
        time: the time stamps.
        targets: the values, one or more columns.
        static: covariates that are constant for each series; the id may be one.
        past: covariates that are known up to the present.
        future: covariates that are known beyond it.
        ignored: the table's other columns.
        texts: those of them that hold text.
    """

    id: str | None
    time: str
    targets: tuple[str, ...]
    static: tuple[str, ...]
    past: tuple[str, ...]
    future: tuple[str, ...]
    ignored: tuple[str, ...]
    texts: tuple[str, ...]

    @property
    def read_first(self) -> list[str]:
        """The columns that make the series; covariates are read one after the other, which bounds the memory."""
        return [name for name in (self.id, self.time, *self.targets) if name is not None]


def select_columns(
    table: nw.DataFrame | nw.LazyFrame, source: Source, named: ColumnNames
) -> tuple[nw.DataFrame, Columns]:
    """The ids, times and values, read into memory, and which columns they and the covariates are.

    Raises:
        InputError: for a table without rows, and as :func:`resolve_columns` does.
    """
    head = collected(table.head(SAMPLE))
    if not len(head):
        raise source.error("no rows below the names of the columns, expected one for each series and time")
    columns = resolve_columns(head, source, named)
    return collected(table.select(columns.read_first)), columns


def resolve_columns(head: nw.DataFrame, source: Source, named: ColumnNames) -> Columns:
    """The columns that were named; else unique_id, ds, y; else the only ones that can be meant.

    Args:
        head: the first rows of the table, which tell what a column holds.
        source: names the table in messages.
        named: what the user says.

    Raises:
        InputError: for a name that does not exist, and where no column or several could be meant.
    """
    names = list(head.columns)
    id, time, targets = named.id, named.time, several(named.target)
    covariates = {role: several(getattr(named, role)) for role in ("static", "past", "future")}
    roles = {"id": several(id), "time": several(time), "target": targets, **covariates}
    for role, wanted in roles.items():
        for name in wanted:
            _require_column(name, role, names, source)
    given = [name for wanted in roles.values() for name in wanted]
    if id is None and "unique_id" in names and "unique_id" not in (time, *targets):
        id = "unique_id"
    samples = {
        name: as_polars(head[name]).drop_nulls() for name in names if name != id and (name == time or name not in given)
    }
    if time is None:
        time = _time(samples, source)
    samples.pop(time, None)
    targets = targets or (_target(samples, source),)
    static = [name for name in covariates["static"] if name != id]  # which series it is may be a covariate of it
    chosen = [name for name in (id, time, *targets) if name is not None]
    chosen += [*static, *covariates["past"], *covariates["future"]]
    if len(set(chosen)) < len(chosen):
        twice = next(name for k, name in enumerate(chosen) if name in chosen[:k])
        raise source.error(
            f"series, time, values and covariates must be different columns, found {listed(chosen)}: {twice!r} twice"
        )
    ignored = tuple(name for name in names if name not in chosen)
    texts = tuple(name for name in ignored if head.schema[name] == nw.String)
    return Columns(id, time, targets, **covariates, ignored=ignored, texts=texts)


def several(names: str | Sequence[str] | None) -> tuple[str, ...]:
    """One name, several or none as a tuple."""
    return () if names is None else (names,) if isinstance(names, str) else tuple(names)


def _require_column(name: str, role: str, names: list[str], source: Source) -> None:
    if name not in names:
        close = get_close_matches(name, names, n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise source.error(f"no column {name!r} ({option(role)}): the columns are {listed(names)}.{hint}")


def as_numbers(column: pl.Series, source: Source) -> NDArray[np.float64]:
    """The values as float64, NaN where missing.

    Raises:
        InputError: for text, infinite and far too large values, with the place of the first.
    """
    if column.dtype == pl.String:
        numbers = _from_text(column, source)
    elif column.dtype.is_numeric():
        numbers = column.cast(pl.Float64)
    else:
        raise source.error(f"found the type {column.dtype}, expected numbers", column=column.name)
    wrong = numbers.fill_nan(None).abs() > LARGEST
    if wrong.any():
        row = first(wrong.fill_null(False))
        raise source.error(
            f"found {column[row]!r}, expected a finite number of at most {LARGEST:g} in size, or nothing where missing",
            row=row,
            column=column.name,
        )
    return numbers.fill_null(float("nan")).to_numpy()


def _from_text(column: pl.Series, source: Source) -> pl.Series:
    text = column.str.strip_chars()
    text = text.set(text.str.to_lowercase().is_in(MISSING).fill_null(False), None)
    numbers = text.cast(pl.Float64, strict=False)
    wrong = numbers.is_null() & text.is_not_null()
    if wrong.any():
        row = first(wrong)
        raise source.error(
            f"found {column[row]!r}, expected a number, or nothing where it is missing", row=row, column=column.name
        )
    return numbers


def _time(samples: dict[str, pl.Series], source: Source) -> str:
    if "ds" in samples:
        return "ds"
    dates = [name for name, sample in samples.items() if share_of_dates(sample) > 0.5]
    counts = [name for name in samples if str(name).lower() in TIME_NAMES and _share_of_integers(samples[name]) > 0.5]
    named = [name for name in dates if str(name).lower() in TIME_NAMES]
    for candidates in (dates, named, counts if not dates else []):
        if len(candidates) == 1:
            return candidates[0]
    if dates or counts:
        raise source.error(
            f"the columns {listed(dates or counts)} could all be the time. Name the one that is with {option('time')}."
        )
    raise source.error(
        f"no time column: none of {listed(samples)} holds dates, or integers under a name such as 'ds', 'time' or 't'. "
        f"Name it with {option('time')}."
    )


def _target(samples: dict[str, pl.Series], source: Source) -> str:
    if "y" in samples:
        return "y"
    numeric = [name for name, sample in samples.items() if _share_of_numbers(sample) > 0.5]
    if len(numeric) == 1:
        return numeric[0]
    if numeric:
        raise source.error(
            f"the columns {listed(numeric)} could all be the values to forecast. "
            f"Name the one that is with {option('target')}."
        )
    raise source.error(
        f"no column of numbers to forecast besides the time: found {listed(samples) or 'no other column'}. "
        f"Name it with {option('target')}."
    )


def _share_of_numbers(sample: pl.Series) -> float:
    """The share of numbers among the values of a sample; 1 where there are none, because nothing says otherwise."""
    if sample.dtype != pl.String:
        return float(sample.dtype.is_numeric() or sample.dtype == pl.Null)
    text = sample.str.strip_chars()
    text = text.filter(~text.str.to_lowercase().is_in(MISSING))
    return 1 - text.cast(pl.Float64, strict=False).null_count() / len(text) if len(text) else 1.0


def _share_of_integers(sample: pl.Series) -> float:
    if sample.dtype.is_integer():
        return 1.0
    if sample.dtype.is_nested() or sample.dtype in (pl.Binary, pl.Object):
        return 0.0
    share = sample.cast(pl.String).str.contains(INTEGER).mean() if len(sample) else None
    return share if isinstance(share, float) else 0.0


def option(name: str, column: str = "COLUMN") -> str:
    return f"--{name} {column} ({name}= in Python)"


def listed(names: Iterable[str]) -> str:
    """The names in quotation marks, the first of them where there are many."""
    names = [repr(name) for name in names]
    if len(names) > LISTED:
        return ", ".join(names[:LISTED]) + f" and {len(names) - LISTED} more"
    return ", ".join(names)
