"""What stands in for a missing value: an earlier one of the same season, never a later one."""

from dataclasses import replace

import numpy as np
import pandas as pd

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
    if not np.isnan(values).any():
        return values
    lengths = np.diff(offsets)
    row = np.repeat(np.arange(len(lengths)), lengths)
    place = np.arange(len(values)) - np.repeat(offsets[:-1], lengths)
    column = pd.Series(values)
    seasonal = column.groupby([row, place % season]).ffill()
    return np.asarray(seasonal.fillna(column.groupby(row).ffill()).fillna(0.0))
