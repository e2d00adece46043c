"""The odd places of the drawn series: outliers, new levels and missing values, marked in their charts."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from throughtime.data import oddities

OUTLIERS, SHIFTS = "outliers", "shifts"  # fields of a series in the page's data, left out if it has none


def marks_of(values: np.ndarray, season: int) -> dict[str, list[int]]:
    """Return the outliers and the shifts of level of a series (T,), as steps."""
    found = oddities(values, season)
    return {name: steps.tolist() for name, steps in found._asdict().items() if len(steps)}


def marks_in_words(series: Sequence[Mapping[str, Any]]) -> str:
    """Return a sentence about the marks in the charts of some series; empty if there are none.

    Args:
        series: of the page's data: ``y``, and ``outliers`` and ``shifts`` if there are any.
    """
    far, levels = ([len(one.get(name, ())) for one in series] for name in (OUTLIERS, SHIFTS))
    missing = [one["y"].count(None) for one in series]
    kinds = (
        ("value far from its neighbors", "values far from their neighbors", far),
        ("new level", "new levels", levels),
        ("missing value", "missing values", missing),
    )
    parts = [
        f"{sum(counts):,} {single if sum(counts) == 1 else several}"
        + (f" in {np.count_nonzero(counts):,} of {len(series):,} series" if len(series) > 1 else "")
        for single, several, counts in kinds
        if any(counts)
    ]
    return f"Marked in the chart{'s' if len(series) > 1 else ''}: {', '.join(parts)}." if parts else ""
