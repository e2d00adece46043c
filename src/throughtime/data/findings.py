"""The findings of reading a table, as numbers, and the sentences that tell them to the user."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from throughtime.data.columns import COVARIATES, JOINED, TableColumns, listed
from throughtime.data.frames import format_times
from throughtime.data.frequency import Frequency
from throughtime.data.irregular import SPARSE
from throughtime.data.source import Repairs

NOBODY = np.array([], str)
LISTED = 3  # series named in a sentence


class Findings(NamedTuple):
    """The findings of reading a table.

    Attributes:
        columns: the columns that were read, and those that were ignored.
        frequency: the time axis.
        lengths: the time steps of each series, of empty ones too.
        span: the first and the last time stamp of all.
        digits: the notation, such as "YYYYMM", if numbers were read as dates.
        in_order: if the rows of each series were in order of time.
        missing_rows: time steps without a row.
        missing_values: rows without a value, but not those after the last value, which hold future covariates.
        trailing_missing: the ids of series that end with missing values.
        rows_after_last: the ids of series with rows after their last value, which hold future covariates.
        sparse_ids: the ids of series with a row for fewer than one in ``SPARSE`` steps.
        empty_ids: the ids of series without any value, which are left out.
        repairs: the repairs that reading the table made.
        closed_ids: the ids of series without any row on days or hours of the week at which others have some.
        clocks: the zone that the changing offsets of text told; else None.
        codes: the numbers that stood for missing values, by column.
        moved: time stamps that were on no step, and the steps that they were moved to.
    """

    columns: TableColumns
    frequency: Frequency
    lengths: NDArray[np.int64]
    span: NDArray
    digits: str | None
    in_order: bool
    missing_rows: int
    missing_values: int
    trailing_missing: NDArray
    rows_after_last: NDArray
    sparse_ids: NDArray
    empty_ids: NDArray
    repairs: Repairs = Repairs()
    closed_ids: NDArray = NOBODY
    clocks: str | None = None
    codes: tuple[tuple[str, float], ...] = ()
    moved: tuple[str, ...] = ()


def explain(findings: Findings) -> list[str]:
    """Return the findings in sentences; nothing is said of a count of zero."""
    columns = findings.columns
    sentences = [
        _summary(findings),
        f"Time in {_time(columns.time)}, values in {_columns(columns.targets)}.",
    ]
    covariates = [f"{role} {listed(getattr(columns, role))}" for role in COVARIATES if getattr(columns, role)]
    if covariates:
        sentences.append(f"Covariates: {'; '.join(covariates)}.")
    if columns.ignored:
        sentences.append(f"Ignored the {_columns(columns.ignored)}.")
    if findings.digits:
        sentences.append(f"The time stamps in column {columns.time!r} are read as dates, {findings.digits}.")
    if findings.clocks:
        sentences.append(f"The offsets from UTC change with the clocks of {findings.clocks}, and are read so.")
    sentences += _repairs(findings)
    if not (findings.in_order or findings.repairs.wide_columns):
        sentences.append("The rows were not in order of time: sorted.")
    sentences += [f"{code:g} in column {name!r} stands for a missing value." for name, code in findings.codes]
    if findings.moved:
        few = ", ".join(findings.moved[:LISTED]) + (", ..." if len(findings.moved) > LISTED else "")
        count = _count(len(findings.moved), "time stamp")
        sentences.append(f"{count} on no step moved to the nearest, which had no row: {few}.")
    if findings.missing_rows:
        sentences.append(f"{_count(findings.missing_rows, 'time step')} had no row: taken as missing.")
    if findings.missing_values:
        sentences.append(f"{_count(findings.missing_values, 'value')} missing in the rows.")
    lists = (
        ("Rows after the last value are used as future covariates", findings.rows_after_last),
        (
            "These series end with missing values; forecasts still start after their last time step",
            findings.trailing_missing,
        ),
        (
            f"These series have a row for fewer than one in {SPARSE} steps, as if their frequency were another",
            findings.sparse_ids,
        ),
        (
            "These series never have a row on days or at hours of the week at which others have: their forecasts are "
            "for these too. In files of their own they are forecast for their own hours",
            findings.closed_ids,
        ),
        ("Left out, because all values are missing", findings.empty_ids),
    )
    return sentences + [f"{sentence}: {_series(ids)}." for sentence, ids in lists if len(ids)]


def explain_leading_missing(series: int) -> str:
    """Return the sentence about ``series`` series that began with missing values."""
    return f"Missing values before the first observation left out: {series:,} series."


def _time(name: str) -> str:
    parts = name.split(JOINED)
    return f"column {name!r}" if len(parts) == 1 else f"the columns {listed(parts)} together"


def _repairs(findings: Findings) -> list[str]:
    columns, repairs = findings.columns, findings.repairs
    used = (*columns.targets, *columns.static, *columns.past, *columns.future)
    grouped, made_up = (
        tuple(name for name in names if name in used) for names in (repairs.grouped, repairs.made_up_names)
    )
    sentences = []
    if repairs.wide_part:
        parts = _count(repairs.wide_columns, {"clock": "time of day"}.get(repairs.wide_part, repairs.wide_part))
        parts = parts.replace("time of days", "times of day")
        sentences.append(f"The table is wide, with {parts} as names of columns: each of its cells is read as a row.")
    elif repairs.wide_columns:
        stamps = f"{repairs.wide_columns:,} time stamps as names of columns"
        sentences.append(f"The table is wide, with {stamps}: each of its rows is read as a series.")
    if repairs.skipped_lines:
        sentences.append(f"{_count(repairs.skipped_lines, 'line')} above the names of the columns skipped.")
    if repairs.lines_of_words:
        sentences.append(f"{_count(repairs.lines_of_words, 'line')} of words below the names of the columns skipped.")
    if repairs.lines_below:
        sentences.append(f"{_count(repairs.lines_below, 'line')} below the table skipped.")
    if repairs.encoding:
        sentences.append(f"The file is not UTF-8, and is read as {repairs.encoding}: letters in names may be others.")
    if made_up:
        sentences.append(f"The file has no name, or the same name twice, for {_columns(made_up)}.")
    for name, symbol in repairs.symbols:
        if name in used:
            sentences.append(f"{symbol!r} left out of the numbers in column {name!r}.")
    if grouped:
        sentences.append(f"Marks for thousands removed from the numbers in {_columns(grouped)}.")
    return sentences


def _summary(findings: Findings) -> str:
    shortest, longest = findings.lengths.min(), findings.lengths.max()
    first, last = format_times(findings.span, findings.frequency.zone)
    steps = f"{shortest:,}" + (f" to {longest:,}" if longest > shortest else "")
    count = len(findings.lengths)
    return f"{count:,} series of {steps} steps, {findings.frequency.describe()}, from {first} to {last}."


def _columns(names: tuple[str, ...]) -> str:
    return f"column{'s' if len(names) > 1 else ''} {listed(names)}"


def _count(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'s' if count > 1 else ''}"


def _series(ids: NDArray) -> str:
    names = ", ".join(str(name) for name in ids[:LISTED]) + (", ..." if len(ids) > LISTED else "")
    return f"{len(ids):,} series ({names})"
