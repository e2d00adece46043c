"""A column of numbers, or of text that holds numbers."""

import re

import numpy as np
import polars as pl
from numpy.typing import NDArray

from throughtime.data.source import Source, first_true, without_missing_words

LARGEST = 1e300  # differences and sums of larger values would not be finite
CODE = re.compile(r"^(-9{2,}(\.9+)?|9{3,}\.9+|9{4,})$")
FEWEST_VALUES, SPANS_AWAY = 5, 3  # distinct ones beside a code, and its distance from them
MISSING_MARK = re.compile(  # a dash, points, ?, #N/A, <NA>, (null), n.a., missing, ...
    r"^([-\u2013\u2014_.?*:/~\u2026]{1,4}|#[a-z/0!?]+|[<(\[{]?(na|nan|nat|nd|n/d|n/a|null|nil|none|void|empty)[>)\]}]?"
    r"|n\.\s?[adv]\.?|k\.\s?a\.?|missing|unknown|unavailable|not available|no data|-?nan\(?.*\)?|-?1\.#(ind|qnan))$"
)


def as_numbers(column: pl.Series, source: Source) -> NDArray[np.float64]:
    """Return the values as float64, NaN where missing.

    Raises:
        InputError: for text, infinite and far too large values, with the place of the first.
    """
    if column.dtype == pl.String:
        numbers = _numbers_of_text(column, source)
    elif column.dtype.is_numeric() or column.dtype == pl.Null:
        numbers = column.cast(pl.Float64)
    else:
        raise source.error(
            f"found the type {column.dtype}, expected numbers",
            code="wrong-type",
            column=column.name,
            found=column.dtype,
            expected="numbers",
        )
    values = numbers.to_numpy()  # NaN where there is none
    wrong = np.abs(values) > LARGEST
    if wrong.any():
        expected = f"a finite number of at most {LARGEST:g} in size"
        source.refuse(pl.Series(wrong), column, expected, code="not-finite", advice=", or nothing where missing")
    return values


def missing_code(values: NDArray[np.float64]) -> float | None:
    """Return the number that stands for missing values, such as -9999, None without one.

    All of its digits are nines, four or more without a minus sign. It is negative and no other value is, or it is
    farther from all others than three times their span. A single such value may be an outlier.
    """
    if len(values) <= FEWEST_VALUES:
        return None
    numbers, counts = np.unique(values[np.isfinite(values)], return_counts=True)
    for place in {0, len(numbers) - 1} if len(numbers) > FEWEST_VALUES else ():
        code, others = float(numbers[place]), np.delete(numbers, place)
        if not CODE.match(f"{code:g}") or counts[place] < 2:
            continue
        alone = code < 0 <= others[0]
        far = min(abs(code - others[0]), abs(code - others[-1])) > SPANS_AWAY * (others[-1] - others[0])
        if alone or far:
            return code
    return None


def _numbers_of_text(column: pl.Series, source: Source) -> pl.Series:
    text = without_missing_words(column)
    if column.name in source.unclear:
        row = first_true(text.str.contains("[.,]").fill_null(False))
        raise source.error(
            f"{column[row]!r} may be {_both_ways(text[row])}: all marks of the column can be decimal marks or group "
            f"thousands. Write thousands without marks, or decimal points in a file with commas between the columns.",
            code="decimal-or-thousands",
            row=row,
            column=column.name,
            found=column[row],
            expected="numbers without marks for thousands",
        )
    numbers = text.cast(pl.Float64, strict=False)
    if numbers.null_count() == text.null_count():
        return numbers
    wrong = numbers.is_null() & text.is_not_null()
    advice = f", or nothing where it is missing{_hint(text.filter(wrong))}"
    source.refuse(wrong, column, "a number", code="not-a-number", advice=advice)
    return numbers


def _hint(wrong: pl.Series) -> str:
    """Return advice if the first of the values that are no numbers looks like a mark for missing values."""
    if not len(wrong) or not MISSING_MARK.match(wrong[0].lower()):
        return ""
    rows = int((wrong == wrong[0]).sum())
    return f". It looks like a missing value, in {rows} row{'s' if rows > 1 else ''}: leave it empty, or write NA"


def _both_ways(number: str) -> str:
    return f"{re.sub('[.,]', '', number)} or {number.replace(',', '.')}"
