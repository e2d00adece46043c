"""Covariates as a network sees them: numbers standardized, categories as places in the vocabulary of training."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from throughtime._errors import InputError
from throughtime.data.calendar_features import calendar_codes, calendar_names
from throughtime.data.covariates import Column, at
from throughtime.data.panel import Panel
from throughtime.data.windows import CovariateTable, SeriesCovariates, device_offsets, device_table

FARTHEST = 10.0  # standard deviations: what lies beyond, be it a mistake or a rare event, counts as so far away
SERIES_AT_ONCE = 4096  # bounds the memory of what is made on the way
UNSEEN = 0  # the code of a missing value, and of a category that training did not see


class Encoding(NamedTuple):
    """How one covariate is encoded, from what training may see of it.

    Attributes:
        name: the column's.
        mean: of its numbers.
        deviation: their standard deviation, 1 where they do not differ.
        vocabulary: the categories, sorted; their codes begin at 1. None for numbers.
    """

    name: str
    mean: float = 0.0
    deviation: float = 1.0
    vocabulary: tuple[str, ...] | None = None


class Encodings(NamedTuple):
    """The encodings of all covariates; those of the calendar have integers for names of categories."""

    static: tuple[Encoding, ...] = ()
    past: tuple[Encoding, ...] = ()
    future: tuple[Encoding, ...] = ()
    calendar: tuple[Encoding, ...] = ()


class TableSizes(NamedTuple):
    """How many numbers a table has, and how many categories each of its other columns."""

    numbers: int
    vocabularies: tuple[int, ...]


class CovariateSizes(NamedTuple):
    """The sizes of the three tables that a network reads; the calendar is part of the future."""

    static: TableSizes
    past: TableSizes
    future: TableSizes


def sizes_of(encodings: Encodings) -> CovariateSizes:
    """What a network must be made for."""
    static, past, future, calendar = encodings
    return CovariateSizes(_sizes(static), _sizes(past), _sizes(future + calendar))


def _sizes(encodings: tuple[Encoding, ...]) -> TableSizes:
    vocabularies = tuple(len(one.vocabulary) for one in encodings if one.vocabulary is not None)
    return TableSizes(len(encodings) - len(vocabularies), vocabularies)


class _Steps(NamedTuple):
    """All steps of some series and ``horizon`` more of each, (S,): series, number in the series, and ordinal."""

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
    """Means, deviations and vocabularies of what lies before the cutoffs (N,); None without any covariate.

    Every observed or missing step of a series counts once; steps of the covariates' grid outside of it do not.
    """
    names = calendar_names(panel.frequency) if calendar else ()
    given = panel.covariates
    if given is None and not names:
        return None
    steps = _steps(panel, 0)
    known = steps.step < cutoffs[steps.row]
    steps = _Steps(*(column[known] for column in steps))
    found = tuple(_of_calendar(panel, steps.ordinals, name) for name in names)
    if given is None:
        return Encodings(calendar=found)
    places = _places(panel, steps)
    learned_from = cutoffs > 0
    return Encodings(
        tuple(_fitted(column, column.values[learned_from]) for column in given.static),
        tuple(_fitted(column, at(column.values, places)) for column in given.past),
        tuple(_fitted(column, at(column.values, places)) for column in given.future),
        found,
    )


def _of_calendar(panel: Panel, ordinals: NDArray[np.int64], name: str) -> Encoding:
    codes = np.unique(calendar_codes(panel.frequency, ordinals, name))
    return Encoding(name, vocabulary=tuple(map(str, codes.tolist())))


def _fitted(column: Column, values: NDArray[np.float64]) -> Encoding:
    values = values[~np.isnan(values)]
    if column.categories is not None:
        seen = {column.categories[code] for code in np.unique(values).astype(int)}
        return Encoding(column.name, vocabulary=tuple(sorted(seen)))
    largest = np.max(np.abs(values), initial=0.0)
    if largest == 0:
        return Encoding(column.name)
    shares = values / largest  # whose squares are finite, however large the values are
    mean, deviation = shares.mean(), shares.std()
    still = deviation <= len(shares) * np.finfo(float).eps  # but for rounding, they are all the same
    return Encoding(column.name, float(mean * largest), 1.0 if still else float(deviation * largest))


def encode(panel: Panel, encodings: Encodings, horizon: int) -> SeriesCovariates:
    """The panel's covariates on the device, for all of its steps and ``horizon`` more after each series.

    Raises:
        InputError: where the panel lacks the covariates that the encodings describe.
    """
    given = panel.covariates
    wanted = [encoding.name for role in encodings[:3] for encoding in role]
    came = [] if given is None else [column.name for column in (*given.static, *given.past, *given.future)]
    if came != wanted:
        raise InputError(f"the forecaster was fitted with the covariates {wanted}, the data have {came}")
    sizes, count = sizes_of(encodings), int((panel.lengths + horizon).sum())
    blocks = [slice(first, first + SERIES_AT_ONCE) for first in range(0, len(panel), SERIES_AT_ONCE)]

    def past(rows: slice) -> list[NDArray]:
        return _on_steps(panel, _steps(panel, horizon, rows), () if given is None else given.past, encodings.past)

    def future(rows: slice) -> list[NDArray]:
        steps = _steps(panel, horizon, rows)
        columns = _on_steps(panel, steps, () if given is None else given.future, encodings.future)
        return [*columns, *(_calendar_column(panel, one, steps) for one in encodings.calendar)]

    static = [] if given is None else list(map(_encoded, given.static, encodings.static))
    return SeriesCovariates(
        _table(sizes.static, len(panel), [static]),
        _table(sizes.past, count, map(past, blocks)),
        _table(sizes.future, count, map(future, blocks)),
        device_offsets(panel.offsets[:-1] + horizon * np.arange(len(panel))),
    )


def _table(sizes: TableSizes, rows: int, blocks: Iterable[list[NDArray]]) -> CovariateTable:
    """The table of columns that come some rows at a time: numbers (S, 2) and codes (S,)."""
    numbers = np.empty((rows, 2 * sizes.numbers), np.float32)
    codes = np.empty((rows, len(sizes.vocabularies)), np.int32)
    last = 0
    for columns in blocks:
        first, last = last, last + (len(columns[0]) if columns else 0)
        pairs = [column for column in columns if column.ndim == 2]
        single = [column for column in columns if column.ndim == 1]
        for place, column in enumerate(pairs):
            numbers[first:last, 2 * place : 2 * place + 2] = column
        for place, column in enumerate(single):
            codes[first:last, place] = column
    return device_table(numbers, codes)


def _on_steps(
    panel: Panel, steps: _Steps, columns: tuple[Column, ...], encodings: tuple[Encoding, ...]
) -> list[NDArray]:
    """The user's covariates on some steps, encoded."""
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
    """Numbers (S, 2): standardized, 0 where missing, and whether it is there; of categories the codes (S,)."""
    known = ~np.isnan(column.values)
    if encoding.vocabulary is None:
        standard = (column.values - encoding.mean) / encoding.deviation
        numbers = np.stack([known, known], axis=1).astype(np.float32)
        numbers[known, 0] = np.clip(standard[known], -FARTHEST, FARTHEST)
        return numbers
    code = {name: place + 1 for place, name in enumerate(encoding.vocabulary)}
    codes = np.array([code.get(name, UNSEEN) for name in column.categories or ()] + [UNSEEN], np.int32)
    return codes[np.where(known, column.values, -1).astype(int)]  # the last one is that of -1
