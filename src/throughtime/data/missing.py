"""Missing values: the replacement is an earlier value of the same season, never a later one."""

from dataclasses import asdict, replace
from typing import Any

import numpy as np

from throughtime._errors import InputError
from throughtime._fork import require_threads
from throughtime.data.columns import ColumnNames
from throughtime.data.findings import explain_leading_missing
from throughtime.data.frames import from_native
from throughtime.data.panel import Panel
from throughtime.data.source import Source


def without_leading_gaps(panel: Panel) -> Panel:
    """Return the panel with each series from its first observation on, and a note that says so.

    Before it there is no value to fill a gap with. This way, padding a series changes nothing.
    """
    observed = np.append(0, np.cumsum(~np.isnan(panel.values)))
    kept = observed[1:] > np.repeat(observed[panel.offsets[:-1]], panel.lengths)
    if kept.all():
        return panel
    lengths = np.bincount(np.repeat(np.arange(len(panel)), panel.lengths)[kept], minlength=len(panel))
    dropped = panel.lengths - lengths
    return replace(
        panel,
        values=panel.values[kept],
        offsets=np.append(0, np.cumsum(lengths)),
        starts=panel.starts + panel.frequency.multiple * dropped,
        notes=(*panel.notes, explain_leading_missing(int(np.sum(dropped > 0)))),
    )


def as_panel(frame: Any, names: ColumnNames = ColumnNames()) -> Panel:  # noqa: B008 - frozen
    """Return the panel of a frame with these columns, or a panel itself, each series from its first value on."""
    require_threads()
    return without_leading_gaps(frame if isinstance(frame, Panel) else Panel.from_frame(frame, **asdict(names)))


def beside(panel: Panel, frame: Any, names: ColumnNames, source: Source) -> Panel:
    """Return the panel of a frame on the time axis of another, each series from its first value on.

    Args:
        panel: decides the frequency, and which covariates are numbers and which are categories.
        frame: with the same columns, or a panel of the same frequency.
        names: the columns that the user names.
        source: names the frame in messages.

    Raises:
        InputError: for a frame that cannot be used, and for another frequency.
    """
    require_threads()
    if not isinstance(frame, Panel):
        table = from_native(frame)
        return without_leading_gaps(Panel.from_table(table, source, names, panel.former))
    if replace(frame.frequency, stamp=panel.frequency.stamp) != panel.frequency:
        found, expected = frame.frequency.describe(), panel.frequency.describe()
        raise InputError(
            f"another frequency: the series are {found}, the known ones {expected}",
            code="other-frequency",
            found=found,
            expected=expected,
        )
    return without_leading_gaps(frame)


def fill_forward(values: np.ndarray, offsets: np.ndarray, season: int) -> np.ndarray:
    """Fill every missing value with the last observed one at the same place of the season, else with the last of all.

    No value is taken from later steps, so that a filled history contains nothing of its future. Before the first
    observation of a series the filled values are 0.

    Args:
        values: (P,) all series, one after the other, NaN where missing.
        offsets: (N + 1,) the position at which each series begins and the last one ends.
        season: the period in steps.

    Returns:
        (P,) without NaN.
    """
    missing = np.flatnonzero(np.isnan(values))
    if not len(missing):
        return values
    begins = offsets[np.searchsorted(offsets, missing, side="right") - 1]
    latest = np.arange(len(values))
    latest[missing] = -1
    latest = np.maximum.accumulate(latest)[missing]
    sources = _seasons_back(len(values), missing, begins, season)
    sources = np.where(sources < 0, np.where(latest >= begins, latest, -1), sources)
    filled = values.copy()
    filled[missing] = np.append(values, 0.0)[sources]  # the appended 0 is at place -1
    return filled


def _seasons_back(size: int, missing: np.ndarray, begins: np.ndarray, season: int) -> np.ndarray:
    """Return the place of the last observed value a whole number of seasons before each missing one, -1 without any.

    Each missing value points a season back, perhaps to a missing one. Pointers to pointers are then followed together;
    each round doubles the distance, so that long gaps take few rounds.
    """
    nowhere = size
    pointer = np.arange(size + 1)
    pointer[missing] = np.where(missing - season >= begins, missing - season, nowhere)
    target = pointer[missing]
    while not np.array_equal(farther := pointer[target], target):
        pointer[missing] = target = farther
    return np.where(target == nowhere, -1, target)
