"""What stands in for a missing value: an earlier one of the same season, never a later one."""

from dataclasses import asdict, replace
from typing import Any

import numpy as np

from throughtime.data.columns import ColumnNames
from throughtime.data.panel import Panel


def without_leading_gaps(panel: Panel) -> Panel:
    """The panel with each series from its first observation on, and a note that says so.

    Before it there is nothing to fill a gap with. Padding a series changes nothing this way.
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
        notes=(*panel.notes, f"Missing values before the first observation left out: {np.sum(dropped > 0):,} series."),
    )


def as_panel(frame: Any, named: ColumnNames = ColumnNames()) -> Panel:  # noqa: B008 - frozen
    """The panel of a frame with these columns, or a panel as it is, each series from its first value on."""
    return without_leading_gaps(frame if isinstance(frame, Panel) else Panel.from_frame(frame, **asdict(named)))


def fill_forward(values: np.ndarray, offsets: np.ndarray, season: int) -> np.ndarray:
    """Every missing value of N series by the last observed one at the same place of the season, else the last of all.

    Nothing is taken from later steps, so that filling a history tells nothing about its future. Before a series' first
    observation there is nothing to take: 0 stands there.

    Args:
        values: (P,) all series, one after the other, NaN where missing.
        offsets: (N + 1,) where each begins, and the end.
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
    stand_in = _one_season_back(len(values), missing, begins, season)
    stand_in = np.where(stand_in < 0, np.where(latest >= begins, latest, -1), stand_in)
    filled = values.copy()
    filled[missing] = np.append(values, 0.0)[stand_in]  # the last one is that of -1
    return filled


def _one_season_back(size: int, missing: np.ndarray, begins: np.ndarray, season: int) -> np.ndarray:
    """Where the last observed value at the same place of the season is, for each missing one; -1 where there is none.

    Each missing value points a season back, perhaps to a missing one; pointers to pointers are then followed at once,
    twice as far each time.
    """
    nowhere = size
    pointer = np.arange(size + 1)
    pointer[missing] = np.where(missing - season >= begins, missing - season, nowhere)
    found = pointer[missing]
    while not np.array_equal(farther := pointer[found], found):
        pointer[missing] = found = farther
    return np.where(found == nowhere, -1, found)
