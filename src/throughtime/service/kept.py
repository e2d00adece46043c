"""The series of a model in use: rows come at their ends, and beginnings are dropped, so that memory is bounded."""

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import narwhals as nw
import numpy as np

from throughtime._errors import InputError
from throughtime.data import ColumnNames, Panel, Source, append_rows
from throughtime.forecasting import Fitted, Forecaster, require_head_values
from throughtime.zero_shot import steps_read

AS_SAVED = ColumnNames()
"""The names of the columns that a forecaster was fitted on."""


class Appended(NamedTuple):
    """A forecaster with rows appended to its series.

    Attributes:
        fitted: the forecaster; the one before is as it was.
        series: (R,) the numbers of the series that grew, and of new ones. Rows of the future make no series longer.
        added: (R,) the steps by which each grew.
    """

    fitted: Fitted
    series: np.ndarray
    added: np.ndarray


def load_model(folder: Path, names: ColumnNames = AS_SAVED) -> Fitted:
    """Return the forecaster in a folder, with the steps of its series that are kept.

    Args:
        folder: of a saved forecaster; it is only read.
        names: of columns, where they are others than those that it was fitted on.

    Raises:
        InputError: for a folder without one.
    """
    fitted = Forecaster.load(folder).fitted_
    kept, columns = recent_steps(fitted.panel, kept_steps(fitted)), fitted.columns.with_names(names)
    if kept.covariates is not None:
        former = kept.covariates
        named = replace(former, id=names.id or former.id, time=names.time or former.time)
        kept = replace(kept, covariates=named)
    return fitted._replace(panel=kept, columns=columns)


def append(fitted: Fitted, table: nw.DataFrame, source: Source) -> Appended:
    """Append the rows of a table, as :meth:`~throughtime.Forecaster.update` does, and drop what no forecast reads.

    Args:
        fitted: a forecaster.
        table: rows with the columns of the forecaster.
        source: names the table in messages.

    Raises:
        InputError: for rows that cannot be used.
    """
    former, panel = fitted.panel, append_rows(fitted.panel, table, source, fitted.columns)
    panel = _without_new_categories(panel, former)
    added = panel.lengths
    added[: len(former)] -= former.lengths
    series = np.flatnonzero(added)
    try:
        require_head_values(fitted, panel.of_series(series))
    except InputError as error:  # knows no rows
        row, found, expected = 0 if len(table) == 1 else None, error.found, error.expected
        raise source.error(str(error), code=error.code, row=row, found=found, expected=expected) from None
    return Appended(fitted._replace(panel=recent_steps(panel, kept_steps(fitted))), series, added[series])


def _without_new_categories(panel: Panel, former: Panel) -> Panel:
    """Return the panel with missing values in the place of new categories of its steps, no more to any network.

    A stream may bring any number of them. Those of static covariates are kept: they are one for each series.
    """
    if panel.covariates is None or former.covariates is None:
        return panel
    return replace(panel, covariates=panel.covariates.with_categories_of(former.covariates))


def kept_steps(fitted: Fitted) -> int:
    """Return how many last steps of a series are kept at least: as many as a forecast reads, gaps filled."""
    design = fitted.plan.design
    return max(steps_read(design.seasons[0], design.horizon), 2 * design.reach)


def recent_steps(panel: Panel, steps: int) -> Panel:
    """Return the panel with only the last ``steps`` of each series that is more than twice as long.

    So each series is cut seldom. If none of the last steps has a value, the first of them gets the last value before.
    """
    lengths = panel.lengths
    first = np.where(lengths > 2 * steps, lengths - steps, 0)
    if not first.any():
        return panel
    cut = panel.between(first, lengths)
    for number in np.flatnonzero(first).tolist():
        if np.isnan(cut.series(number)).all():
            before = panel.series(number)
            cut.series(number)[0] = before[~np.isnan(before)][-1]
    if (covariates := cut.covariates) is None:
        return cut
    multiple = panel.frequency.multiple
    former = np.clip((cut.starts - covariates.starts) // multiple, 0, np.diff(covariates.offsets))
    return replace(cut, covariates=covariates.without_first(np.where(first > 0, former, 0), multiple))
