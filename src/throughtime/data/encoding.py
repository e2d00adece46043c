"""Covariates as a network reads them: standardized numbers, and codes of categories from the training vocabulary."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from throughtime._errors import InputError
from throughtime.data.calendar_features import calendar_codes, calendar_names
from throughtime.data.covariates import Column, at
from throughtime.data.panel import Panel
from throughtime.data.windows import (
    LEAST_SERIES,
    LEAST_STEPS,
    CovariateTable,
    SeriesCovariates,
    device_offsets,
    device_table,
    padded_size,
)

FARTHEST = 10.0  # standard deviations: mistakes and rare events beyond are clipped, so that they do not drown the rest
SERIES_AT_ONCE = 4096  # bounds the memory of the intermediate arrays
UNKNOWN = 0  # the code of a missing value, and of a category that is not in the training data


class Encoding(NamedTuple):
    """The encoding of one covariate, from the training data alone.

    Attributes:
        name: the column's name.
        mean: the mean of its numbers.
        deviation: their standard deviation, 1 if they do not differ.
        vocabulary: the categories, sorted; their codes begin at 1. None for numbers.
    """

    name: str
    mean: float = 0.0
    deviation: float = 1.0
    vocabulary: tuple[str, ...] | None = None


class Encodings(NamedTuple):
    """The encodings of all covariates; the categories of calendar features are integers, written as text."""

    static: tuple[Encoding, ...] = ()
    past: tuple[Encoding, ...] = ()
    future: tuple[Encoding, ...] = ()
    calendar: tuple[Encoding, ...] = ()


class TableSizes(NamedTuple):
    """The number of columns of numbers in a table, and the number of categories in each of its other columns."""

    numbers: int
    vocabularies: tuple[int, ...]


class CovariateSizes(NamedTuple):
    """The sizes of the three tables that a network reads; the calendar is part of the future."""

    static: TableSizes
    past: TableSizes
    future: TableSizes


def sizes_of(encodings: Encodings) -> CovariateSizes:
    """Return the sizes that a network must have to read covariates of these encodings."""
    static, past, future, calendar = encodings
    return CovariateSizes(_sizes(static), _sizes(past), _sizes(future + calendar))


def _sizes(encodings: tuple[Encoding, ...]) -> TableSizes:
    vocabularies = tuple(len(encoding.vocabulary) for encoding in encodings if encoding.vocabulary is not None)
    return TableSizes(len(encodings) - len(vocabularies), vocabularies)


class _Steps(NamedTuple):
    """All steps of some series and ``horizon`` more after each, (S,): the series, the step in it, and the ordinal."""

    row: NDArray[np.int64]
    step: NDArray[np.int64]
    ordinals: NDArray[np.int64]


def _steps(panel: Panel, horizon: int, rows: slice = slice(None)) -> _Steps:
    lengths = panel.lengths[rows] + horizon
    row = np.repeat(np.arange(len(panel))[rows], lengths)
    step = np.arange(len(row)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    return _Steps(row, step, panel.starts[row] + panel.frequency.multiple * step)


def _places(panel: Panel, steps: _Steps) -> NDArray[np.int64]:
    assert panel.covariates is not None
    return panel.covariates.places(steps.row, steps.ordinals, panel.frequency.multiple)


def fit_encodings(panel: Panel, cutoffs: NDArray[np.int64], *, calendar: bool) -> Encodings | None:
    """Return means, deviations and vocabularies of the steps before the cutoffs (N,); None without any covariate.

    Every observed or missing step of a series counts once; steps of the covariates' grid outside of it do not.
    """
    names = calendar_names(panel.frequency) if calendar else ()
    covariates = panel.covariates
    if covariates is None and not names:
        return None
    steps = _steps(panel, 0)
    known = steps.step < cutoffs[steps.row]
    steps = _Steps(*(column[known] for column in steps))
    features = tuple(_fit_calendar(panel, steps.ordinals, name) for name in names)
    if covariates is None:
        return Encodings(calendar=features)
    places = _places(panel, steps)
    used = cutoffs > 0  # the series that training sees
    return Encodings(
        tuple(_fit_column(column, column.values[used]) for column in covariates.static),
        tuple(_fit_column(column, at(column.values, places)) for column in covariates.past),
        tuple(_fit_column(column, at(column.values, places)) for column in covariates.future),
        features,
    )


def _fit_calendar(panel: Panel, ordinals: NDArray[np.int64], name: str) -> Encoding:
    codes = np.unique(calendar_codes(panel.frequency, ordinals, name))
    return Encoding(name, vocabulary=tuple(map(str, codes.tolist())))


def _fit_column(column: Column, values: NDArray[np.float64]) -> Encoding:
    values = values[~np.isnan(values)]
    if column.categories is not None:
        vocabulary = {column.categories[code] for code in np.unique(values).astype(int)}
        return Encoding(column.name, vocabulary=tuple(sorted(vocabulary)))
    largest = np.max(np.abs(values), initial=0.0)
    if largest == 0:
        return Encoding(column.name)
    shares = values / largest  # their squares are finite, those of the values may not be
    mean, deviation = shares.mean(), shares.std()
    constant = deviation <= len(shares) * np.finfo(float).eps  # apart from rounding
    return Encoding(column.name, float(mean * largest), 1.0 if constant else float(deviation * largest))


def encode(panel: Panel, encodings: Encodings, horizon: int) -> SeriesCovariates:
    """Return the panel's covariates on the device, for all of its steps and ``horizon`` more after each series.

    Raises:
        InputError: if the panel does not have the covariates that the encodings describe.
    """
    static, past, future = _checked_columns(panel, encodings)
    sizes = sizes_of(encodings)
    count = padded_size(int((panel.lengths + horizon).sum()), LEAST_STEPS)
    blocks = [slice(first, first + SERIES_AT_ONCE) for first in range(0, len(panel), SERIES_AT_ONCE)]

    def past_block(rows: slice) -> list[NDArray]:
        return _on_steps(panel, _steps(panel, horizon, rows), past, encodings.past)

    def future_block(rows: slice) -> list[NDArray]:
        steps = _steps(panel, horizon, rows)
        columns = _on_steps(panel, steps, future, encodings.future)
        return [*columns, *(_calendar_column(panel, encoding, steps) for encoding in encodings.calendar)]

    return SeriesCovariates(
        _table(sizes.static, padded_size(len(panel), LEAST_SERIES), [list(map(_encoded, static, encodings.static))]),
        _table(sizes.past, count, map(past_block, blocks)),
        _table(sizes.future, count, map(future_block, blocks)),
        device_offsets(panel.offsets[:-1] + horizon * np.arange(len(panel))),
    )


def _checked_columns(
    panel: Panel, encodings: Encodings
) -> tuple[tuple[Column, ...], tuple[Column, ...], tuple[Column, ...]]:
    """Return the static, past and future columns, after a check that they are those of the encodings."""
    covariates = panel.covariates
    roles = ((), (), ()) if covariates is None else (covariates.static, covariates.past, covariates.future)
    expected = [encoding.name for role in encodings[:3] for encoding in role]
    found = [column.name for role in roles for column in role]
    if found != expected:
        raise InputError(
            f"the forecaster was fitted with the covariates {expected}, the data have {found}",
            code="other-covariates",
            found=found,
            expected=expected,
        )
    return roles


def _table(sizes: TableSizes, rows: int, blocks: Iterable[list[NDArray]]) -> CovariateTable:
    """Return the table of blocks of rows, each a list of encoded columns: numbers (S, 2) and codes (S,); then zeros."""
    numbers = np.zeros((rows, 2 * sizes.numbers), np.float32)
    codes = np.zeros((rows, len(sizes.vocabularies)), np.int32)
    last = 0
    for columns in blocks:
        first, last = last, last + (len(columns[0]) if columns else 0)
        for place, column in enumerate(column for column in columns if column.ndim == 2):
            numbers[first:last, 2 * place : 2 * place + 2] = column
        for place, column in enumerate(column for column in columns if column.ndim == 1):
            codes[first:last, place] = column
    return device_table(numbers, codes)


def _on_steps(
    panel: Panel, steps: _Steps, columns: tuple[Column, ...], encodings: tuple[Encoding, ...]
) -> list[NDArray]:
    """Return the user's covariates on some steps, encoded."""
    if not columns:
        return []
    places = _places(panel, steps)
    return [
        _encoded(Column(column.name, at(column.values, places), column.categories), encoding)
        for column, encoding in zip(columns, encodings, strict=True)
    ]


def _calendar_column(panel: Panel, encoding: Encoding, steps: _Steps) -> NDArray:
    codes = calendar_codes(panel.frequency, steps.ordinals, encoding.name)
    names = tuple(map(str, range(int(codes.max(initial=0)) + 1)))
    return _encoded(Column(encoding.name, codes.astype(float), names), encoding)


def _encoded(column: Column, encoding: Encoding) -> NDArray:
    """Return numbers as (S, 2), the standardized value and 1, both 0 if missing; categories as codes (S,)."""
    known = ~np.isnan(column.values)
    if encoding.vocabulary is None:
        standard = (column.values - encoding.mean) / encoding.deviation
        numbers = np.stack([known, known], axis=1).astype(np.float32)
        numbers[known, 0] = np.clip(standard[known], -FARTHEST, FARTHEST)
        return numbers
    code = {name: place + 1 for place, name in enumerate(encoding.vocabulary)}
    codes = np.array([code.get(name, UNKNOWN) for name in column.categories or ()] + [UNKNOWN], np.int32)
    return codes[np.where(known, column.values, -1).astype(int)]  # missing values are at place -1
