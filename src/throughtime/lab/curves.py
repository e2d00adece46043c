"""The series of the laboratory: curves of known formulas, and a series from a file."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from throughtime._errors import InputError
from throughtime.data import Panel, fill_forward, read_panel, without_leading_gaps

FILE = "file"
POINTS, SPACING = 1000, 0.1


class Curve(NamedTuple):
    """A series to learn.

    Attributes:
        values: (N,) float32.
        notes: sentences on the findings in a file, and on the scaling.
    """

    values: np.ndarray
    notes: tuple[str, ...] = ()


def _sum_of_sines(t: np.ndarray) -> np.ndarray:
    return 0.6 * np.sin(t) + 0.3 * np.sin(2.7 * t + 1) + 0.2 * np.sin(6.1 * t)


def _square(t: np.ndarray) -> np.ndarray:
    return np.where(np.sin(t) >= 0, 1.0, -1.0)


def _noise(t: np.ndarray) -> np.ndarray:
    return np.random.default_rng(0).normal(size=t.shape)  # a fixed seed: a run can be repeated


CURVES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "sine": np.sin,
    "sines": _sum_of_sines,
    "square": _square,
    "noise": _noise,
}


def made_curve(name: str) -> Curve:
    """Return one of ``CURVES``: 1,000 points, 0.1 apart."""
    return Curve(CURVES[name](np.arange(POINTS) * SPACING).astype(np.float32))


def read_file(
    path: Path, *, id: str | None = None, time: str | None = None, target: str | Sequence[str] | None = None
) -> Panel:
    """Return the series of a CSV or Parquet file, each from its first value on.

    Args:
        path: the file.
        id: the column that names the series; found by default, as the other two.
        time: the column of time stamps.
        target: the column of values, or several.

    Raises:
        InputError: for a file or a column that cannot be used.
    """
    return without_leading_gaps(read_panel(path, id=id, time=time, target=target))


def file_curve(panel: Panel, series: str = "") -> Curve:
    """Return a series of a file, with mean 0 and variance 1; missing values are replaced by earlier ones.

    Args:
        panel: the series of the file.
        series: the name of one; empty for the first.

    Raises:
        InputError: for a series that does not exist, and one whose values are all equal.
    """
    names = [str(name) for name in panel.ids]
    if series and series not in names:
        shown = ", ".join(repr(name) for name in names[:5])
        raise InputError(
            f"there is no series {series!r}: expected one of {shown}{', ...' if len(names) > 5 else ''}",
            code="unknown-series",
            found=series,
            expected=names,
        )
    row = names.index(series) if series else 0
    values = panel.series(row)
    filled = fill_forward(values, np.array([0, len(values)]), panel.frequency.season)
    if not len(filled):
        raise InputError(
            f"no value of the series {names[row]!r} is known: there is nothing to learn",
            code="no-values",
            found=names[row],
        )
    if filled.min() == filled.max():
        raise InputError(
            f"all values of the series {names[row]!r} are {filled[0]:g}: there is nothing to learn",
            code="constant-series",
            found=float(filled[0]),
        )
    deviation = float(filled.std())
    missing = int(np.isnan(values).sum())
    gaps = (f"{missing:,} missing values of this series: each is replaced by an earlier value.",) if missing else ()
    scaled = f"Values less {filled.mean():.4g}, by {deviation:.4g}: mean 0, variance 1."
    return Curve(((filled - filled.mean()) / deviation).astype(np.float32), (*panel.notes, *gaps, scaled))
