"""Encodings of covariates, from the training data: means and deviations of numbers, vocabularies of categories."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from throughtime.data.calendar_features import calendar_codes, calendar_names
from throughtime.data.covariates import Column, at
from throughtime.data.panel import Panel


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


class Steps(NamedTuple):
    """All steps of some series and ``horizon`` more after each, (S,): the series, the step in it, and the ordinal."""

    row: NDArray[np.int64]
    step: NDArray[np.int64]
    ordinals: NDArray[np.int64]


def steps_of(panel: Panel, horizon: int, rows: slice = slice(None)) -> Steps:
    """Return the steps of some series, and ``horizon`` more after each."""
    lengths = panel.lengths[rows] + horizon
    row = np.repeat(np.arange(len(panel))[rows], lengths)
    step = np.arange(len(row)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    return Steps(row, step, panel.starts[row] + panel.frequency.multiple * step)


def places_of(panel: Panel, steps: Steps) -> NDArray[np.int64]:
    """Return the places (S,) of steps on the grid of the covariates."""
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
    steps = steps_of(panel, 0)
    known = steps.step < cutoffs[steps.row]
    steps = Steps(*(column[known] for column in steps))
    features = tuple(_fit_calendar(panel, steps.ordinals, name) for name in names)
    if covariates is None:
        return Encodings(calendar=features)
    places = places_of(panel, steps)
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
