"""Text that is a year and a number, such as 2018-52 or 2015-3: weeks, quarters or days of a year."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from throughtime.data.notations import (
    NOTATIONS,
    PARTS,
    Notation,
    Reading,
    dates_of,
    find_notation,
    refuse_months_or_quarters,
)

PARTS_OF_YEARS = r"^(\d{4})[-/ .:](\d{1,3})$"
YEARS_LAST = r"^(\d{1,3})[-/ .:](\d{4})$"
SPLIT_YEARS = r"^(\d{4})[-/\x{2013}](?:\d\d)?(\d\d)$"  # 1990/91, 1990-1991
FEWEST = 3  # years that each begin one year and end the next by no chance
LONG = {known.unit: known for known in NOTATIONS if not known.short}


def read_parts(column: pl.Series, distinct: pl.Series, like: str | None = None) -> Reading | None:
    """Return years and numbers as the first days of weeks, quarters or days; None for months and other text.

    Args:
        column: the text.
        distinct: its distinct values.
        like: the name of the notation of other values of this column, if that is known.

    Raises:
        UnclearNotationError: if their meaning is in doubt; its place is that among ``distinct``.
    """
    years, text = distinct.str.extract(PARTS_OF_YEARS, 1), distinct.str.extract(PARTS_OF_YEARS, 2)
    if years.has_nulls():
        years, text = distinct.str.extract(YEARS_LAST, 2), distinct.str.extract(YEARS_LAST, 1)
    if years.has_nulls():
        return None
    widths = text.str.len_chars().to_numpy()
    points = distinct.str.contains(".", literal=True).any()
    parts = text.cast(pl.Int64).to_numpy()
    if points and (len(np.unique(widths)) > 1 or len(np.unique(parts)) < min(2, len(parts) - 1)):
        return None  # a number with a fraction: 2020.1 is 2020.10, and 1700.5, 1701.5 are the middles of years
    notation = _notation(years.cast(pl.Int64).to_numpy(), parts, widths, like)
    if notation is None or (notation.unit == "month" and not points):
        return None
    dates = dates_of(notation, years.cast(pl.Int64).to_numpy(), parts).astype("datetime64[us]")
    if np.isnat(dates).any():
        return None
    values = pl.Series(dates).cast(pl.Datetime("us"))
    spread = values if len(distinct) == len(column) else column.replace_strict(distinct, values)
    return Reading(notation.name, spread.to_physical().to_numpy().view("datetime64[us]"))


def split_years(distinct: pl.Series) -> pl.Series | None:
    """Return the first years of text such as 1999/00 or 1990-1991, if every value is a year and the next; else None."""
    if len(distinct) < FEWEST:
        return None
    first = distinct.str.extract(SPLIT_YEARS, 1).cast(pl.Int64)
    second = distinct.str.extract(SPLIT_YEARS, 2).cast(pl.Int64)
    if first.has_nulls() or ((first + 1) % 100 != second).any():
        return None
    return first


def _notation(years: NDArray[np.int64], parts: NDArray[np.int64], widths: NDArray, like: str | None) -> Notation | None:
    for notation in LONG.values():
        if like == notation.name:
            return notation
    if parts.max() <= PARTS["month"] and like is not None:
        return None
    if parts.max() <= PARTS["month"]:
        one_digit = widths.max() == 1
        among = (LONG["month"], LONG["quarter"]) if one_digit else (LONG["month"],)
        if not one_digit:
            refuse_months_or_quarters(years, parts)
        return find_notation(years, parts, among)[1] or LONG["month"]
    return find_notation(years, parts, (LONG["week"], LONG["day"]))[1] or (
        LONG["day"] if widths.min() == 3 else LONG["week"]
    )
