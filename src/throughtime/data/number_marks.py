"""The marks inside the numbers of a text file: a decimal point or comma, and marks that group thousands."""

import re
from enum import Enum
from typing import NamedTuple

import polars as pl

from throughtime.data.source import without_missing_words

DECIMAL_COMMA = r"^[+-]?(\d*|[1-9]\d{0,2}(\.\d{3})+)(,\d+)?$"
DECIMAL_POINT = r"^[+-]?(\d*|[1-9]\d{0,2}(,\d{3})+)(\.\d*)?([eE][+-]?\d+)?$"
SPACED = r"^[+-]?\d{1,3}(['\u2019 \u00a0\u202f]\d{3})*([.,]\d+)?$"  # 1'234.5 and 1 234,5
SPACES = r"['\u2019 \u00a0\u202f]"
LOOKS_LIKE_TIME = r"^(\d{1,2}\.\d{4}|\d{4}\.\d{1,2})$"  # 01.2020 and 2020.01
CURRENCY = r"[$\u20ac\u00a3\u00a5\u20b9\u20a9\u20bd\u20ba]|(?:USD|EUR|GBP|CHF|JPY)\b"
# A sign, a currency, a sign again, the number, and a currency or per cent, perhaps all in parentheses.
AMOUNT = (
    rf"^([-+(\u2212]?)\s*({CURRENCY})?\s*([-+\u2212]?)(\d[\d.,'\u2019 \u00a0\u202f]*?|[.,]\d+)\s*({CURRENCY}|%)?\)?$"
)
SYMBOLS = rf"{CURRENCY}|%|^\(|\u2212"
FOUR_DIGITS = r"^[+-]?\d{4,}$"


class Notation(Enum):
    """The notation of a column's numbers."""

    NEITHER = "no marks, or not all are numbers"
    COMMA = "decimal commas; points group thousands"
    POINT = "decimal points; commas group thousands"
    UNCLEAR_POINTS = "points with three digits behind them"
    UNCLEAR_COMMAS = "commas with three digits behind them"
    UNCLEAR = "both"


class NumberMarks(NamedTuple):
    """The columns whose numbers hold marks.

    Attributes:
        grouped: columns from which marks for thousands were removed.
        unclear: columns whose marks may be decimal marks or group thousands.
        symbols: columns from which signs of currencies or per cent were removed, and the sign.
    """

    grouped: tuple[str, ...] = ()
    unclear: tuple[str, ...] = ()
    symbols: tuple[tuple[str, str], ...] = ()


def may_have_symbols(content: bytes) -> bool:
    """Return if text has bytes that signs of currencies, per cent and negative numbers are made of."""
    return re.search(rb"[$%(\x80-\xff]|\b(USD|EUR|GBP|CHF|JPY)\b", content) is not None


def without_marks(table: pl.DataFrame, separator: str) -> tuple[pl.DataFrame, NumberMarks]:
    """Return the table with plain decimal points in its columns of numbers, and the columns that had other marks.

    Points in a file between commas are decimal points. Elsewhere a column such as 987, 1.234, 1.105 holds thousands if
    semicolons separate, since German and similar spreadsheets write both so.
    """
    signs = [_without_symbols(column) for column in table]
    columns = [_without_spaces(column) if separator != "," else column for column, _ in signs]
    notations = [_notation(column) for column in columns]
    evidence = {notation for column, notation in zip(columns, notations, strict=True) if _is_evidence(column, notation)}
    plain, grouped, unclear = [], [], []
    for (before, _), column, notation in zip(signs, columns, notations, strict=True):
        notation = _decided(column, notation, evidence, separator)
        decimal, group = (",", ".") if notation is Notation.COMMA else (".", ",")
        changed = column
        if notation in (Notation.COMMA, Notation.POINT):
            changed = column.str.replace_all(group, "", literal=True).str.replace(decimal, ".", literal=True)
            if column.str.contains(group, literal=True).any():
                grouped.append(column.name)
        elif notation is not Notation.NEITHER:
            unclear.append(column.name)
        if changed is column and column is not before:
            grouped.append(column.name)
        plain.append(changed)
    symbols = tuple((column.name, sign) for column, sign in signs if sign)
    return pl.DataFrame(dict(zip(table.columns, plain, strict=True))), NumberMarks(
        tuple(grouped), tuple(unclear), symbols
    )


def _without_symbols(column: pl.Series) -> tuple[pl.Series, str]:
    """Return a column of numbers without the one sign of a currency or per cent that all have, and this sign.

    Numbers in parentheses, as accountants write them, are negative; so are those behind a minus sign of typography.
    """
    values = without_missing_words(column).drop_nulls()
    if not len(values) or not values.str.contains(SYMBOLS).any() or not values.str.contains(AMOUNT).all():
        return column, ""
    found = pl.concat([values.str.extract(AMOUNT, group) for group in (2, 5)]).str.strip_chars()
    signs = found.filter(found != "").unique()
    amounts = values.filter(~values.str.contains(r"^[-+(\u2212]*0([.,]0*)?\)?$"))  # zero may be without a sign
    if len(signs) > 1 or (len(signs) and not amounts.str.contains(signs[0], literal=True).all()):
        return column, ""
    text = column.str.strip_chars()
    minus = text.str.contains(r"^[^\d]*[-(\u2212]").fill_null(False)
    plain = text.str.replace(AMOUNT, "${4}")
    plain = plain.str.replace("^", "-").zip_with(minus, plain)
    return plain.zip_with(text.str.contains(AMOUNT).fill_null(False), text), signs[0] if len(signs) else ""


def _without_spaces(column: pl.Series) -> pl.Series:
    values = without_missing_words(column).drop_nulls()
    if not values.str.contains(SPACES).any() or not values.str.contains(SPACED).all():
        return column
    return column.str.strip_chars().str.replace_all(SPACES, "")


def _notation(column: pl.Series) -> Notation:
    """Return the notation by the column alone."""
    values = without_missing_words(column).drop_nulls()
    points, commas = (values.str.contains(mark, literal=True).any() for mark in ".,")
    if not points and not commas:
        return Notation.NEITHER
    by_comma, by_point = (values.str.contains(form).all() for form in (DECIMAL_COMMA, DECIMAL_POINT))
    if by_comma and by_point:
        return Notation.UNCLEAR if points and commas else Notation.UNCLEAR_POINTS if points else Notation.UNCLEAR_COMMAS
    return Notation.COMMA if by_comma else Notation.POINT if by_point else Notation.NEITHER


def _is_evidence(column: pl.Series, notation: Notation) -> bool:
    """Return if a column tells the notation of the file's other columns."""
    if notation is Notation.COMMA:
        return True
    return notation is Notation.POINT and not column.drop_nulls().str.contains(LOOKS_LIKE_TIME).all()


def _decided(column: pl.Series, notation: Notation, evidence: set[Notation], separator: str) -> Notation:
    """Return the notation by the file's other columns and its separator, if the column alone does not tell."""
    if notation in (Notation.NEITHER, Notation.COMMA, Notation.POINT, Notation.UNCLEAR):
        return notation
    points = notation is Notation.UNCLEAR_POINTS
    if separator == "," and points:
        return Notation.POINT
    if len(evidence) == 1:
        return next(iter(evidence))
    values = without_missing_words(column).drop_nulls()
    unmarked = values.filter(~values.str.contains("." if points else ",", literal=True))
    if points and separator == ";" and len(unmarked) and not unmarked.str.contains(FOUR_DIGITS).any():
        return Notation.COMMA
    if not len(unmarked) and (points, separator) in ((True, "\t"), (False, ";")):
        return Notation.POINT if points else Notation.COMMA
    return notation
