"""What stands in for a missing value: an earlier one of the same season, never a later one."""

import numpy as np
import pandas as pd


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
