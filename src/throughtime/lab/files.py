"""A series of the user's file as a curve to learn."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from throughtime._errors import InputError
from throughtime.data import Panel, fill_forward, read_panel, without_leading_gaps
from throughtime.lab.curves import Axes, Curve, cut_of
from throughtime.report import time_axis


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
    """Return a series of a file; missing values are replaced by earlier ones.

    Its learned part has mean 0 and variance 1: the held-out part has no influence on what a network reads.

    Args:
        panel: the series of the file.
        series: the name of one; empty for the first.

    Raises:
        InputError: for a series that does not exist, one whose learned values are all equal, and one whose last fifth
            is missing.
    """
    names = [str(name) for name in panel.ids]
    row = _row(names, series)
    values = panel.series(row)
    season = panel.frequency.season
    filled = fill_forward(values, np.array([0, len(values)]), season)
    cut = cut_of(len(filled))
    _require_movement(filled[:cut], names[row])
    if np.isnan(values[cut:]).all():
        raise InputError(
            f"no value of the last fifth of the series {names[row]!r}, which is held out, is known: there is nothing "
            "to test a network on",
            code="no-held-out-values",
            column="series",
            found=names[row],
        )
    mean, deviation = float(filled[:cut].mean()), float(filled[:cut].std())
    missing = int(np.isnan(values).sum())
    gaps = (f"{missing:,} missing values of this series: each is replaced by an earlier value.",) if missing else ()
    scaled = f"Networks read values less {mean:.4g}, by {deviation:.4g}: mean 0, variance 1 in the learned part."
    axis = time_axis(panel.frequency, panel.starts[row : row + 1], panel.lengths[row : row + 1])
    targets = panel.names.targets
    axes = Axes(mean, deviation, targets[0] if len(targets) == 1 else "", axis.stamps, axis.resolution)
    standard = ((filled - mean) / deviation).astype(np.float32)
    return Curve(standard, standard, ~np.isnan(values), cut, 0.0, season, axes, (*panel.notes, *gaps, scaled))


def _row(names: list[str], series: str) -> int:
    """Return the place of a series by its name."""
    if series and series not in names:
        shown = ", ".join(repr(name) for name in names[:5])
        raise InputError(
            f"there is no series {series!r}: expected one of {shown}{', ...' if len(names) > 5 else ''}",
            code="unknown-series",
            column="series",
            found=series,
            expected=names,
        )
    return names.index(series) if series else 0


def _require_movement(learned: np.ndarray, name: str) -> None:
    """Refuse a series of which there is nothing to learn."""
    if not len(learned):
        raise InputError(
            f"no value of the series {name!r} is known: there is nothing to learn",
            code="no-values",
            column="series",
            found=name,
        )
    if learned.min() == learned.max():
        raise InputError(
            f"the first four fifths of the series {name!r}, which are learned, are all {learned[0]:g}: there is "
            "nothing to learn",
            code="constant-series",
            column="series",
            found=float(learned[0]),
        )
