"""Columns of a table read as covariates: numbers, or categories.

The type of a column decides, not its values: text, categories and enumerations of a dataframe are categories even if
they are made of digits. A text file has no types, so a column is one of numbers if all of its values are. True and
false are 1 and 0 in every spelling and of every type, so that two tables may write them differently.
"""

from decimal import Decimal
from numbers import Real
from typing import Any

import narwhals as nw
import numpy as np
import polars as pl

from throughtime.data.columns import listed
from throughtime.data.covariates import Column
from throughtime.data.frames import as_polars
from throughtime.data.numbers import as_numbers
from throughtime.data.source import Source, without_missing_words

TRUTH = {"true": "1", "false": "0"}
TEXT = (pl.String, pl.Categorical, pl.Enum)


def covariate_series(column: nw.Series) -> pl.Series:
    """Return a column as a polars series that keeps what is a number and what is text.

    pandas has columns of objects, whose values tell their type, and categories of any type, which stay categories.
    """
    native: Any = column.to_native()
    if nw.dependencies.is_pandas_series(native):
        if str(native.dtype) == "category":
            categories = native.cat.categories
            names = as_text(as_polars(nw.from_native(categories.to_series(name=column.name), series_only=True)))
            codes = pl.Series(native.cat.codes.to_numpy().astype(np.int64)).replace(-1, None)
            return names.gather(codes).alias(column.name)
        if native.dtype == object:
            return _of_objects(column.name, native)
    return as_polars(column)


def _of_objects(name: str, native: Any) -> pl.Series:
    missing = native.isna().to_numpy()
    values = [None if absent else value for value, absent in zip(native, missing, strict=True)]
    known = [value for value in values if value is not None]
    if known and all(isinstance(value, (bool, np.bool_)) for value in known):
        return pl.Series(name, [None if value is None else bool(value) for value in values], pl.Boolean)
    if all(isinstance(value, (Real, Decimal, np.bool_)) for value in known):
        return pl.Series(name, [None if value is None else float(value) for value in values], pl.Float64)
    return pl.Series(name, [None if value is None else str(value) for value in values], pl.String)


def read_column(column: pl.Series, source: Source, *, categorical: bool | None = None) -> Column:
    """Return a column as a covariate.

    Args:
        column: numbers, text, categories, or true and false.
        source: names the table in messages.
        categorical: True or False if the column must be categories or numbers, as it was when the network was trained.

    Raises:
        InputError: for other types, and for text in a column of numbers.
    """
    if column.dtype == pl.Null:
        column = column.cast(pl.Float64)
    if not (column.dtype.is_numeric() or column.dtype == pl.Boolean or column.dtype in TEXT):
        raise source.error(
            f"found the type {column.dtype}, expected numbers, text, or true and false",
            code="wrong-type",
            column=column.name,
            found=column.dtype,
            expected="numbers, text, or true and false",
        )
    if categorical is None:
        categorical = column.dtype in TEXT and not _are_numbers(column, source)
    if not categorical:
        return Column(column.name, as_numbers(_with_truth_as_numbers(column), source))
    text = without_missing_words(as_text(column))
    text = text.str.to_lowercase().zip_with(_are_truth(text), text)
    names = text.drop_nulls().unique(maintain_order=True)
    codes = text.cast(pl.Enum(names)).to_physical().cast(pl.Float64).fill_null(float("nan"))
    return Column(column.name, codes.to_numpy(), tuple(names))


def read_as(former: Column, values: pl.Series, source: Source) -> Column:
    """Return new values of a covariate, as numbers or categories as the former ones are.

    New categories are missing values to the network. But numbers, or true and false, none of which was a category
    before, are a mistake: the tables write the same categories differently.

    Raises:
        InputError: with the row, for such a mistake and for text in a column of numbers.
    """
    new = read_column(values, source, categorical=former.categories is not None)
    if former.categories is None or not new.categories or set(new.categories) & set(former.categories):
        return new
    if values.dtype in TEXT and not set(new.categories) <= set(TRUTH):
        return new
    raise source.error(
        f"found {listed(new.categories)}, but the categories are {listed(former.categories)}: write them as before",
        code="other-categories",
        row=int((~np.isnan(new.values)).argmax()),
        column=former.name,
        found=list(new.categories),
        expected=list(former.categories),
    )


def as_text(column: pl.Series) -> pl.Series:
    """Return values as text; whole floats as integers, since a missing value makes floats of integers."""
    if not column.dtype.is_float():
        return column.cast(pl.String)
    column = column.fill_nan(None)
    whole = column.cast(pl.Int64, strict=False)
    return whole.cast(pl.String).zip_with((whole == column).fill_null(False), column.cast(pl.String))


def _are_numbers(column: pl.Series, source: Source) -> bool:
    """Return if a column of text is one of numbers: it is in a text file, or it holds only true and false."""
    if column.name in source.unclear:
        return True
    distinct = without_missing_words(column.cast(pl.String)).drop_nulls().unique()
    truth = _are_truth(distinct)
    if truth.all() or source.lines is None:
        return bool(truth.all())
    return not distinct.filter(~truth).cast(pl.Float64, strict=False).has_nulls()


def _are_truth(text: pl.Series) -> pl.Series:
    return text.str.to_lowercase().is_in(list(TRUTH)).fill_null(False)


def _with_truth_as_numbers(column: pl.Series) -> pl.Series:
    if column.dtype == pl.Boolean:
        return column.cast(pl.Float64)
    if column.dtype not in TEXT:
        return column
    text = column.cast(pl.String)
    words = text.str.strip_chars().str.to_lowercase()
    return text.zip_with(~_are_truth(words), words.replace(TRUTH))
