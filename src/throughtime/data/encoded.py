"""Covariates as a network reads them: standardized numbers, and codes of categories from the training vocabulary."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from throughtime._errors import InputError
from throughtime.data.calendar_features import calendar_codes
from throughtime.data.covariates import Column, at
from throughtime.data.encoding import Encoding, Encodings, Steps, TableSizes, places_of, sizes_of, steps_of
from throughtime.data.panel import Panel
from throughtime.data.windows import (
    LEAST_SERIES,
    LEAST_STEPS,
    CovariateTable,
    SeriesCovariates,
    padded_offsets,
    padded_size,
)

FARTHEST = 10.0  # standard deviations: mistakes and rare events beyond are clipped, so that they do not drown the rest
SERIES_AT_ONCE = 4096  # bounds the memory of the intermediate arrays
UNKNOWN = 0  # the code of a missing value, and of a category that is not in the training data


def encode(panel: Panel, encodings: Encodings, horizon: int) -> SeriesCovariates:
    """Return the panel's covariates, padded, for all of its steps and ``horizon`` more after each series.

    Raises:
        InputError: if the panel does not have the covariates that the encodings describe.
    """
    static, past, future = _checked_columns(panel, encodings)
    sizes = sizes_of(encodings)
    count = padded_size(int((panel.lengths + horizon).sum()), LEAST_STEPS)
    blocks = [slice(first, first + SERIES_AT_ONCE) for first in range(0, len(panel), SERIES_AT_ONCE)]

    def past_block(rows: slice) -> list[NDArray]:
        return _on_steps(panel, steps_of(panel, horizon, rows), past, encodings.past)

    def future_block(rows: slice) -> list[NDArray]:
        steps = steps_of(panel, horizon, rows)
        columns = _on_steps(panel, steps, future, encodings.future)
        return [*columns, *(_calendar_column(panel, encoding, steps) for encoding in encodings.calendar)]

    return SeriesCovariates(
        _table(sizes.static, padded_size(len(panel), LEAST_SERIES), [list(map(_encoded, static, encodings.static))]),
        _table(sizes.past, count, map(past_block, blocks)),
        _table(sizes.future, count, map(future_block, blocks)),
        padded_offsets(panel.offsets[:-1] + horizon * np.arange(len(panel))),
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
    return CovariateTable(numbers, codes)


def _on_steps(
    panel: Panel, steps: Steps, columns: tuple[Column, ...], encodings: tuple[Encoding, ...]
) -> list[NDArray]:
    """Return the user's covariates on some steps, encoded."""
    if not columns:
        return []
    places = places_of(panel, steps)
    return [
        _encoded(Column(column.name, at(column.values, places), column.categories), encoding)
        for column, encoding in zip(columns, encodings, strict=True)
    ]


def _calendar_column(panel: Panel, encoding: Encoding, steps: Steps) -> NDArray:
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
