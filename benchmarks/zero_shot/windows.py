"""The windows to forecast: development series by kind, and single series from three cutoffs.

The files of the development series are not part of this project; see ``benchmarks/README.md``.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl

from throughtime.data import read_panel

SINGLE = 3  # windows of a single series, one after the other at its end
EXAMPLES = Path(__file__).parents[2] / "examples"


class Windows(NamedTuple):
    """N windows of one horizon and one season.

    Attributes:
        name: of the kind or of the series.
        histories: N arrays (T,) of the known values, NaN where missing.
        truth: (N, F) what came, NaN where missing.
        season: m of seasonal naive and of MASE's scale.
        told: the season and a longer one that a model is told; 1 for none.
    """

    name: str
    histories: list[np.ndarray]
    truth: np.ndarray
    season: int
    told: tuple[int, int]

    @property
    def horizon(self) -> int:
        """Return F."""
        return self.truth.shape[1]


def development(folder: Path) -> list[Windows]:
    """Return the windows of the development series, kind by kind."""
    table = pl.read_csv(folder / "development_series.csv.gz", infer_schema_length=None).sort("unique_id", "t")
    series = {name: part["y"].to_numpy() for (name,), part in table.group_by("unique_id")}
    cutoffs = pl.read_csv(folder / "development_windows.csv", infer_schema_length=None)
    return [_kind(str(kind), part, series) for (kind,), part in cutoffs.group_by("kind", maintain_order=True)]


def _kind(name: str, cutoffs: pl.DataFrame, series: dict[str, np.ndarray]) -> Windows:
    """Return the windows of one kind, which share horizon and seasons."""
    [(horizon, season, seasons)] = cutoffs.select("horizon", "season", "seasons").unique().rows()
    short, long, *_ = [*(int(told) for told in (seasons or "").split()), 1, 1]
    ends = cutoffs.select("unique_id", "cutoff").rows()
    return Windows(
        name,
        [series[row][:cutoff] for row, cutoff in ends],
        np.stack([series[row][cutoff : cutoff + horizon] for row, cutoff in ends]),
        int(season),
        (short, long),
    )


def single(folder: Path) -> list[Windows]:
    """Return three rolling windows of each series of ``examples/``, and of those that the folder has."""
    files = (
        (EXAMPLES / "sea_surface_temperature.csv", 12, 12),
        (EXAMPLES / "co2_weekly.csv", 26, 52),
        (EXAMPLES / "nile.csv", 5, 1),
        (folder / "air_passengers.csv", 12, 12),
        (folder / "monthly_sunspots.csv", 12, 12),
    )
    return [_rolling(file, horizon, season) for file, horizon, season in files if file.exists()]


def _rolling(file: Path, horizon: int, season: int) -> Windows:
    values = read_panel(file).values
    cutoffs = len(values) - horizon * np.arange(SINGLE, 0, -1)
    return Windows(
        file.stem,
        [values[:cutoff] for cutoff in cutoffs],
        np.stack([values[cutoff : cutoff + horizon] for cutoff in cutoffs]),
        season,
        (season, 1),
    )
