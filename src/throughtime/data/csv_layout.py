"""The parts of a text file that are no rows of its table: lines below it, units below the names, missing separators."""

import re

import numpy as np
import polars as pl
from numpy.typing import NDArray

from throughtime.data.timestamps import share_of_dates

BLANKS = re.compile(rb"[ \t]+")
SEPARATED = re.compile(rb'[,;|\t"]')
SAMPLE = 100  # rows that show what the first column holds
MOST = 20  # lines below a table, or between the names of its columns and its rows
WORD = r"^\D*$"  # a field without a digit


def with_tabs(content: bytes) -> bytes:
    """Return text whose columns are aligned by blanks with tabs between them; other text as it is."""
    if SEPARATED.search(content):
        return content
    lines = content.splitlines()
    words = [BLANKS.sub(b"\t", line.strip()).replace(b"#\t", b"#") for line in lines]
    counts = {line.count(b"\t") for line in words if line and not line.startswith(b"#")}
    return b"\n".join([*words, b""]) if len(counts) == 1 and counts.pop() > 0 else content


def footer_begins(fields: NDArray[np.int64], blank: NDArray[np.bool_], starts_with_digit: NDArray[np.bool_]) -> int:
    """Return the row at which lines below the table begin; the number of rows if there are none.

    They are one field without a digit at its start, or all that follows an empty line and has other numbers of fields.

    Args:
        fields: (R,) of each row, the names of the columns among them.
        blank: (R,) if a row is an empty line.
        starts_with_digit: (R,) if the first character of a row is a digit.
    """
    end = len(fields)
    gaps = np.flatnonzero(blank)
    for gap in gaps[::-1]:
        below = ~blank[gap:]
        if 0 < below.sum() <= MOST and gap > 2 * below.sum() and (fields[gap:][below] != fields[0]).all():
            end = int(gap)
    while end > 2 and len(fields) - end < MOST and _is_words(end - 1, fields, blank, starts_with_digit):
        end -= 1
    return end


def _is_words(row: int, fields: NDArray, blank: NDArray, starts_with_digit: NDArray) -> bool:
    return bool(blank[row] or (fields[row] == 1 < fields[0] and not starts_with_digit[row]))


def missing_separator(header: bytes, first: bytes, fields: NDArray[np.int64], separator: bytes) -> bytes | None:
    """Return the names of the columns with one separator more, if each row has one field more than they are.

    Rows that end with a separator have an empty last column. Others have the names of rows first, as R writes them.
    """
    if len(fields) < 2 or not (fields[1:] == fields[0] + 1).all():
        return None
    return header + separator if first.endswith(separator) else separator + header


def rows_of_table(first: pl.Series) -> tuple[int, int]:
    """Return the first row that is of the table, and the row after the last, by the values of the first column.

    If all others are dates or numbers, words above them are units or second names, those below are totals or sources.
    """
    begin, end = 0, len(first)
    if _is_time(first[:1]) and _is_time(first[-1:]):
        return begin, end
    while begin < min(MOST, end) and not _is_time(first[begin : begin + 1]):
        begin += 1
    while end > max(begin, len(first) - MOST) and not _is_time(first[end - 1 : end]):
        end -= 1
    rest = first[begin:end]
    few = (len(first) - len(rest)) * 3 <= len(rest)
    if few and all(_is_time(part) for part in (rest.head(SAMPLE), rest.tail(SAMPLE))):
        return begin, end
    return 0, len(first)


def _is_time(values: pl.Series) -> bool:
    """Return if all values are numbers or dates."""
    if values.has_nulls() or not len(values):
        return False
    if not values.str.strip_chars().cast(pl.Float64, strict=False).has_nulls():
        return True
    return share_of_dates(values) == 1
