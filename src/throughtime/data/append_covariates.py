"""Covariates of new rows, behind those of a panel's series or in the place of rows that waited for their values."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from throughtime.data.covariates import Column, Covariates, filled
from throughtime.data.future_covariates import joined_ids
from throughtime.data.source import Source


def with_rows(
    covariates: Covariates,
    rows: Covariates,
    series: NDArray[np.int64],
    first_rows: NDArray[np.int64],
    multiple: int,
    source: Source,
) -> Covariates:
    """Return covariates with those of new rows.

    A row in the place of another one, such as one of a future that has come, replaces it.

    Args:
        covariates: of N series.
        rows: of R series with new rows, on a grid of their own.
        series: (R,) the numbers of these series; N and more for new ones, in this order.
        first_rows: (R,) the row of the table that is the first of each series.
        multiple: the ordinals from one step to the next.
        source: names the rows in messages.

    Raises:
        InputError: for another value of a static covariate, with the first row of its series.
    """
    new = series >= len(covariates.sources)
    found = _with_series(covariates, rows.of_series(np.flatnonzero(new)))
    lengths = np.zeros(len(found.sources), np.int64)
    lengths[series] = (rows.starts - found.starts[series]) // multiple + np.diff(rows.offsets)
    found = found.lengthened(lengths)
    (there,) = np.nonzero(rows.has_row)
    row = np.repeat(np.arange(len(series)), np.diff(rows.offsets))
    ordinals = rows.starts[row] + multiple * (np.arange(len(row)) - rows.offsets[row])
    places = found.places(series[row[there]], ordinals[there], multiple)
    has_row = found.has_row.copy()
    has_row[places] = True

    def on_grid(columns: tuple[Column, ...], others: tuple[Column, ...]) -> tuple[Column, ...]:
        pairs = zip(columns, others, strict=True)
        return tuple(filled(column, replace(other, values=other.values[there]), places) for column, other in pairs)

    static = []
    for column, other in zip(found.static, rows.static, strict=True):
        static.append(_constant(column, other, series, first_rows, source))
    return replace(
        found,
        static=tuple(static),
        past=on_grid(found.past, rows.past),
        future=on_grid(found.future, rows.future),
        has_row=has_row,
    )


def _with_series(covariates: Covariates, others: Covariates) -> Covariates:
    """Return covariates with other series behind their own, whose grids begin where theirs do and are empty."""
    count = len(others.sources)
    static = [replace(column, values=np.append(column.values, np.full(count, np.nan))) for column in covariates.static]
    return replace(
        covariates,
        sources=joined_ids(covariates.sources, others.sources),
        static=tuple(static),
        starts=np.append(covariates.starts, others.starts),
        offsets=np.append(covariates.offsets, np.repeat(covariates.offsets[-1], count)),
    )


def _constant(
    column: Column, rows: Column, series: NDArray[np.int64], first_rows: NDArray[np.int64], source: Source
) -> Column:
    """Return a static covariate with the values of rows, where they are known.

    Raises:
        InputError: if one of them is another value of its series.
    """
    known = np.flatnonzero(~np.isnan(rows.values))
    found = filled(column, replace(rows, values=rows.values[known]), series[known])
    before, after = column.values[series[known]], found.values[series[known]]
    (changed,) = np.nonzero(~np.isnan(before) & (before != after))
    if len(changed):
        former, value = (found.text(float(values[changed[0]])) for values in (before, after))
        raise source.error(
            f"found {value}, and before {former} for the same series: expected one value for each series in a static "
            "covariate",
            code="static-covariate-changes",
            row=int(first_rows[known[changed[0]]]),
            column=column.name,
            found=value,
            expected=former,
        )
    return found
