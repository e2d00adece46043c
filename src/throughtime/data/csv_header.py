"""The lines above a CSV file's table, and the names of its columns."""

import csv
import re
from typing import NamedTuple

import polars as pl

from throughtime.data.wide_names import time_names

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "pipes"}
EXCEL_SEPARATOR = re.compile(r'^"?sep=(.)"?\s*$', re.IGNORECASE)
DATE = re.compile(r"^\d{1,4}[-/.]\d{1,2}\b")
PADDED_COLUMNS = 3  # a title that spreadsheets pad to fewer columns could be a name beside an unnamed column


class Preamble(NamedTuple):
    """The lines above the names of the columns.

    Attributes:
        rows: the number of rows to skip: titles, comments, and the line by which Excel tells the separator.
        separator: the separator that such a line tells; None without one.
        commented: if the names of the columns are behind a number sign.
    """

    rows: int
    separator: str | None
    commented: bool


def find_preamble(rows: list[str]) -> Preamble:
    """Return the rows to skip among the first rows of a text, up to the names of the columns."""
    excel = EXCEL_SEPARATOR.match(rows[0])
    first = comments = 1 if excel else 0
    while comments < len(rows) and (rows[comments].startswith("#") or (comments > first and not rows[comments])):
        comments += 1
    if comments == len(rows):
        return Preamble(first, excel and excel[1], False)
    width = _width(rows[comments])
    last = max((row for row in range(first, comments) if rows[row]), default=None)
    if last is not None and _width(rows[last]) == width > 1 and _is_data(rows[comments]):
        return Preamble(last, excel and excel[1], True)
    return Preamble(_after_titles(rows, comments), excel and excel[1], False)


def _after_titles(rows: list[str], first: int) -> int:
    """Return the row of the column names, which is the next one if no titles are above it.

    Titles are one field, or fewer fields than most rows have.
    """
    widths = [_width(row) for row in rows[first:] if row]
    usual = max(set(widths), key=widths.count)
    row = first
    while row < len(rows) and (not rows[row] or _is_title(rows[row]) or _width(rows[row]) < usual):
        row += 1
    if row == first or row == len(rows) or _is_data(rows[row]):
        return first
    return row


def _is_title(row: str) -> bool:
    fields = _fields(row)
    return len(fields) == 1 or (len(fields) >= PADDED_COLUMNS and not any(fields[1:]))


def _fields(row: str) -> list[str]:
    separator = max(SEPARATORS, key=re.sub('"[^"]*"', "", row).count)
    return [field.strip() for field in next(csv.reader([" ".join(row[:100_000].splitlines())], delimiter=separator))]


def _width(row: str) -> int:
    return len(_fields(row))


def _is_data(row: str) -> bool:
    """Return if a row holds a number or a date, so that it has no names of columns."""
    fields = _fields(row)
    data = any(DATE.match(field) or re.match(r"^[+-]?\d+([.,]\d+)?$", field) for field in fields)
    return data and not time_names(fields)


def named_columns(table: pl.DataFrame, names: list[str]) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Return the table under different names, and those names that are made up.

    Columns without a name or a value, and second columns of the same name and values, are left out. One column may have
    no name, as pandas writes an index.
    """
    columns: dict[int, str] = {}
    places: dict[str, list[int]] = {}
    for place, name in enumerate(map(str.strip, names)):
        column, before = table.to_series(place), places.setdefault(name, [])
        empty = not name and column.is_null().all() and place > 0
        if not empty and not any(table.to_series(other).equals(column) for other in before):
            columns[place] = name
            before.append(place)
    counts = {name: len(same) for name, same in places.items()}
    made_up = []
    for place, name in columns.items():
        if counts[name] > 1 and (name or place > 0):
            columns[place] = f"{name} (column {place + 1})".strip()
            made_up.append(columns[place])
    kept = table.select(table.columns[place] for place in columns)
    kept.columns = list(columns.values())
    return kept, tuple(made_up)
