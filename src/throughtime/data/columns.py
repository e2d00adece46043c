"""The columns of a long table: the one of the time, of the series, of the values; and the values as numbers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from difflib import get_close_matches

import narwhals as nw
import polars as pl

from throughtime.data.frames import first_rows, polars_column
from throughtime.data.integer_times import read_fractions
from throughtime.data.source import Source, without_missing_words
from throughtime.data.timestamps import INTEGER, share_of_dates

# A column of integers with one of these names is the time; pandas writes its index without a name.
TIME_NAMES = ("ds", "date", "datetime", "time", "timestamp", "month", "year", "t", "period", "index", "")
INDEX_NAMES = ("", "index")  # which may only number the rows
SAMPLE = 1000  # rows that are enough to tell dates, numbers and text apart
LISTED = 20  # names in a message
JOINED = " + "  # between the names of the parts of a time
ALL = "*"  # in place of the values' names: every column of numbers that has no other role
COVARIATES = ("static", "past", "future")


@dataclass(frozen=True)
class ColumnNames:
    """The columns of a long table by the user's names.

    Attributes:
        id: names the series; "unique_id" by default, and without such a column the table is one series.
        time: the time stamps; by default "ds", else the only column that holds dates.
        target: the values to forecast; by default "y", else the only other column of numbers. Several columns make as
            many series: "west/sold" and "west/left", or "sold" and "left" without an id. "*": all columns of numbers.
        static: covariates that are constant for each series. Covariates are columns of numbers or of text.
        past: covariates that are known up to the present.
        future: covariates that are known for the horizon too: in rows after a series' last value.
    """

    id: str | None = None
    time: str | None = None
    target: str | Sequence[str] | None = None
    static: str | Sequence[str] = ()
    past: str | Sequence[str] = ()
    future: str | Sequence[str] = ()

    @property
    def targets(self) -> tuple[str, ...]:
        """The columns of the values; none if they are to be found."""
        return several(self.target)

    def with_names(self, others: "ColumnNames") -> "ColumnNames":
        """Return these names, apart from those in whose place ``others`` has one."""
        given = {field.name: name for field in fields(others) if (name := getattr(others, field.name))}
        return replace(self, **given)

    def or_former(self, former: "ColumnNames", present: Iterable[str]) -> "ColumnNames":
        """Return these names, and for the rest those of a former table if all of them are ``present``.

        So a value that is wrong does not decide which column holds the values. The parts of a time are as good as it.
        """
        rest = {role: getattr(former, role) for role in ("id", "time", "target") if getattr(self, role) is None}
        known = {part for names in rest.values() for name in several(names) for part in name.split(JOINED)}
        return replace(self, **rest) if known <= set(present) else self


@dataclass(frozen=True)
class TableColumns:
    """The columns of a long table, all resolved.

    Attributes:
        id: names the series; None if the table is one series.
        time: the time stamps.
        targets: the values, one or more columns.
        static: covariates that are constant for each series; the id may be one.
        past: covariates that are known up to the present.
        future: covariates that are known beyond it.
        ignored: the table's other columns.
    """

    id: str | None
    time: str
    targets: tuple[str, ...]
    static: tuple[str, ...]
    past: tuple[str, ...]
    future: tuple[str, ...]
    ignored: tuple[str, ...]

    @property
    def read_first(self) -> list[str]:
        """The columns that make the series; covariates are read one after another, which bounds the memory."""
        return [name for name in (self.id, self.time, *self.targets) if name is not None]


def select_columns(
    table: nw.DataFrame | nw.LazyFrame, source: Source, names: ColumnNames
) -> tuple[nw.DataFrame, TableColumns]:
    """Return a table with the ids, times and values in memory, and the columns of the table.

    Of a lazy table only these are read; one in memory is returned as it is.

    Raises:
        InputError: for a table without rows, and as :func:`resolve_columns` does.
    """
    head = first_rows(table, SAMPLE)
    if not len(head):
        raise source.error(
            "no rows below the names of the columns, expected one for each series and time",
            code="no-rows",
            expected="one row for each series and time",
        )
    columns = resolve_columns(head, source, names)
    frame = table.select(columns.read_first).collect() if isinstance(table, nw.LazyFrame) else table
    return frame, columns


def resolve_columns(head: nw.DataFrame, source: Source, names: ColumnNames) -> TableColumns:
    """Return the columns that were named; else unique_id, ds, y; else the only candidates.

    Args:
        head: the first rows of the table, which show the types of the columns.
        source: names the table in messages.
        names: the columns that the user names.

    Raises:
        InputError: for a name that does not exist, and if there is no candidate for a column, or several.
    """
    present = list(head.columns)
    id, time, targets = names.id, names.time, several(names.target)
    covariates = {role: several(getattr(names, role)) for role in COVARIATES}
    roles = {"id": several(id), "time": several(time), "target": targets, **covariates}
    for role, wanted in roles.items():
        for name in wanted:
            if (role, name) == ("target", ALL) and ALL not in present:
                continue
            _check_present(name, role, present, source)
    taken = [name for wanted in roles.values() for name in wanted]
    if id is None and "unique_id" in present and "unique_id" not in (time, *targets):
        id = "unique_id"
    free = [name for name in present if name != id and name not in taken]
    if time is None:
        time = "ds" if "ds" in free else _find_time(_samples(head, free), source)
    free = [name for name in free if name != time]
    if targets == (ALL,) and ALL not in present:
        targets = tuple(_all_targets(_samples(head, free), source))
    targets = targets or ("y" if "y" in free else _find_target(_samples(head, free), source),)
    static = [name for name in covariates["static"] if name != id]  # the id may be a covariate too
    chosen = [name for name in (id, time, *targets) if name is not None]
    chosen += [*static, *covariates["past"], *covariates["future"]]
    _check_different(chosen, source)
    ignored = tuple(name for name in present if name not in chosen)
    return TableColumns(id, time, targets, **covariates, ignored=ignored)


def several(names: str | Sequence[str] | None) -> tuple[str, ...]:
    """Return one name, several names or None as a tuple."""
    return () if names is None else (names,) if isinstance(names, str) else tuple(names)


def _check_present(name: str, role: str, present: list[str], source: Source) -> None:
    if name in present:
        return
    close = get_close_matches(name, present, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    raise source.error(
        f"no column {name!r} ({option(role)}): the columns are {listed(present)}.{hint}",
        code="no-such-column",
        found=name,
        expected=close[0] if close else present,
    )


def _check_different(chosen: list[str], source: Source) -> None:
    if len(set(chosen)) == len(chosen):
        return
    twice = next(name for k, name in enumerate(chosen) if name in chosen[:k])
    raise source.error(
        f"series, time, values and covariates must be different columns, found {listed(chosen)}: {twice!r} twice",
        code="column-used-twice",
        column=twice,
        found=chosen,
        expected="different columns",
    )


def _samples(head: nw.DataFrame, names: Iterable[str]) -> dict[str, pl.Series]:
    """Return the known values of some columns."""
    return {name: polars_column(head, name).drop_nulls() for name in names}


def _find_time(samples: dict[str, pl.Series], source: Source) -> str:
    dates = [name for name, sample in samples.items() if share_of_dates(sample) > 0.5]
    usual = [name for name in samples if str(name).lower().strip(" <>") in TIME_NAMES]
    counts = [name for name in usual if _share_of_integers(samples[name]) > 0.5 or _are_years(samples[name])]
    typical = [name for name in dates if name in usual]
    named = [name for name in counts if name.lower() not in INDEX_NAMES]
    for candidates in (dates, typical, *((counts, named) if not dates else ())):
        if len(candidates) == 1:
            return candidates[0]
    if dates or counts:
        raise source.error(
            f"the columns {listed(dates or counts)} could all be the time. Choose one with {option('time')}.",
            code="several-time-columns",
            found=dates or counts,
            expected="--time",
        )
    raise source.error(
        f"no time column: none of {listed(samples)} holds dates, or integers under a name such as 'ds', 'time' or 't'. "
        f"Name it with {option('time')}.",
        code="no-time-column",
        found=list(samples),
        expected="--time",
    )


def _all_targets(samples: dict[str, pl.Series], source: Source) -> list[str]:
    numeric = [name for name, sample in samples.items() if name in source.unclear or _share_of_numbers(sample) > 0.5]
    return [name for name in numeric if len(numeric) == 1 or not _numbers_rows(samples[name])]


def _numbers_rows(sample: pl.Series) -> bool:
    """Return if a column numbers the rows of the table, as R and pandas write it."""
    if str(sample.name).lower() not in (*INDEX_NAMES, "rownames", "unnamed: 0"):
        return False
    numbers = sample.cast(pl.String).cast(pl.Int64, strict=False)
    return not numbers.has_nulls() and len(numbers) > 1 and bool((numbers.diff().drop_nulls() == 1).all())


def _find_target(samples: dict[str, pl.Series], source: Source) -> str:
    numeric = _all_targets(samples, source)
    if len(numeric) == 1:
        return numeric[0]
    if numeric:
        raise source.error(
            f"the columns {listed(numeric)} could all be the values to forecast. Choose one with {option('target')}, "
            f"or forecast each of them with --wide (target='*' in Python).",
            code="several-target-columns",
            found=numeric,
            expected="--target",
        )
    raise source.error(
        f"no column of numbers to forecast besides the time: found {_with_examples(samples) or 'no other column'}. "
        f"Name it with {option('target')}.",
        code="no-target-column",
        found=list(samples),
        expected="--target",
    )


def _with_examples(samples: dict[str, pl.Series]) -> str:
    """Return the names of the columns, each with its first value."""
    first = {name: sample[0] for name, sample in samples.items() if len(sample)}
    examples = [f"{name!r} (such as {first[name]!r})" if name in first else repr(name) for name in samples]
    return ", ".join(examples[:LISTED]) + (f" and {len(examples) - LISTED} more" if len(examples) > LISTED else "")


def _share_of_numbers(sample: pl.Series) -> float:
    """Return the share of numbers among the values of a sample; 1 without values, which then may be numbers."""
    if sample.dtype != pl.String:
        return float(sample.dtype.is_numeric() or sample.dtype == pl.Null)
    text = without_missing_words(sample).drop_nulls()
    return 1 - text.cast(pl.Float64, strict=False).null_count() / len(text) if len(text) else 1.0


def _share_of_integers(sample: pl.Series) -> float:
    if sample.dtype.is_integer():
        return 1.0
    if sample.dtype.is_nested() or sample.dtype in (pl.Binary, pl.Object):
        return 0.0
    share = sample.cast(pl.String).str.contains(INTEGER).mean() if len(sample) else None
    return share if isinstance(share, float) else 0.0


def _are_years(sample: pl.Series) -> bool:
    """Return if all values are years with fractions, such as 1949.25."""
    if not (sample.dtype.is_float() or sample.dtype == pl.String) or not len(sample):
        return False
    numbers = sample.cast(pl.Float64, strict=False)
    return not numbers.has_nulls() and read_fractions(numbers.to_numpy()) is not None


def option(name: str, column: str = "COLUMN") -> str:
    """Return the option that names a column, on the command line and in Python."""
    return f"--{name} {column} ({name}= in Python)"


def listed(names: Iterable[str], *, quoted: bool = True) -> str:
    """Return the names in quotation marks, only the first of many."""
    names = [repr(name) if quoted else name for name in names]
    if len(names) > LISTED:
        return ", ".join(names[:LISTED]) + f" and {len(names) - LISTED} more"
    return ", ".join(names)
