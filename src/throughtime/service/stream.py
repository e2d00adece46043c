"""A stream: rows in, one after the other, and the forecasts of their series out.

Every row has a number. A progress is all that is known after a row; a stream that goes on from a saved one gives the
same answers, to the last digit, as one that was never interrupted.
"""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple
from zlib import crc32

import narwhals as nw
import numpy as np

from throughtime._errors import InputError
from throughtime.data import ColumnNames, Source, collect, join_time, resolve_columns
from throughtime.forecasting import Fitted
from throughtime.service.answers import StreamSettings, answers_of
from throughtime.service.kept import append
from throughtime.service.lines import NAME, Line


class Progress(NamedTuple):
    """The state of a stream after a row.

    Attributes:
        fitted: the forecaster with the series so far.
        named: if the columns of the forecaster are those of a row that was read.
        first: the number of the first row.
        rows: the number of the last row.
        skipped: the rows that could not be used.
        checksum: CRC-32 of all rows.
    """

    fitted: Fitted
    named: bool = False
    first: int = 1
    rows: int = 0
    skipped: int = 0
    checksum: int = 0


class Taken(NamedTuple):
    """A row that was taken.

    Attributes:
        progress: with the row.
        answers: an object of JSON for each series that grew, or whose future covariates became known.
        error: why the row was skipped, if it was.
    """

    progress: Progress
    answers: list[dict[str, Any]]
    error: InputError | None = None


def new_rows(progress: Progress, lines: Iterable[Line], first: int) -> Iterator[Line]:
    """Yield the rows after those of the progress.

    Args:
        progress: of a stream that goes on.
        lines: the rows of the stream, from ``first`` on.
        first: the number of the first one.

    Raises:
        InputError: if rows are missing between those of the progress and these, and if these are others than those that
            the progress had at their numbers.
    """
    if first > progress.rows + 1:
        raise InputError(
            f"rows {progress.rows + 1} to {first - 1} are missing: expected the same input from its beginning, or from "
            f"row {progress.rows + 1} on",
            code="missing-rows",
            found=first,
            expected=progress.rows + 1,
        )
    number, checksum = first - 1, 0
    for line in lines:
        number = line.number
        if number > progress.rows:
            yield line
            continue
        checksum = crc32(line.content, checksum)
        if number == progress.rows and first == progress.first and checksum != progress.checksum:
            raise _other_input(f"the first {number - first + 1} rows are others than before")
    if number < progress.rows and first <= progress.rows:
        raise _other_input(f"the input ends at row {number}, and the stream had come to row {progress.rows}")


def follow(progress: Progress, lines: Iterable[Line], settings: StreamSettings) -> Iterator[Taken]:
    """Take rows as they come, and forecast the series of each.

    Args:
        progress: the state before the first of these rows.
        lines: the rows.
        settings: the content of the answers.

    Raises:
        InputError: if the columns cannot be found in a first row of CSV: no other row will have them.
    """
    ahead: dict[int, np.ndarray] = {}  # the quantiles (F, Q) that were forecast last for a series
    begun = False  # a row of these has been taken
    for line in lines:
        fitted = progress.fitted
        progress = progress._replace(rows=line.number, checksum=crc32(line.content, progress.checksum))
        try:
            source = Source(NAME, before=line.number - 1)
            table = nw.from_native(line.layout.table(line.content, source))
            step = append(fitted if progress.named else _named(fitted, table, source), table, source)
        except InputError as error:
            if line.layout.names and not begun and error.line is None:
                raise  # about the names of the columns, which no later row changes
            progress = progress._replace(skipped=progress.skipped + 1)
            yield Taken(progress, [], error)
            continue
        begun = True
        answers: list[dict[str, Any]] = []
        if line.number > settings.after:
            answers = answers_of(fitted, step, ahead, settings)
        else:
            for number in step.series.tolist():
                ahead.pop(number, None)
        progress = progress._replace(fitted=step.fitted, named=True)
        yield Taken(progress, [{"row": line.number, **answer} for answer in answers])


def _named(fitted: Fitted, table: nw.DataFrame, source: Source) -> Fitted:
    """Return the forecaster with the names of a row's columns, which all later rows must have."""
    joined, names = join_time(table, source, fitted.columns.or_former(fitted.panel.names, table.columns))
    columns = resolve_columns(collect(joined), source, names)
    covariates = columns.static, columns.past, columns.future
    return fitted._replace(columns=ColumnNames(columns.id, columns.time, columns.targets, *covariates))


def _other_input(reason: str) -> InputError:
    return InputError(
        f"{NAME}: {reason}. Give the same input again, or the rows after these with --first-row, or start anew with "
        "another --out",
        code="other-input",
        file=NAME,
    )
