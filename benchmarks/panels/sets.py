"""The panels: the history that a model may read, and the true values for its scores.

The files are not part of this project; see ``benchmarks/README.md`` for their sources. Their column ``t`` is the
step of a series, from 0 on, and the only time that a model gets.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl

TITLES = {
    "m4_hourly": "M4 Hourly",
    "m4_hourly_halves": "M4 Hourly, halves",
    "m4_weekly": "M4 Weekly",
    "cif": "CIF 2016",
    "nn5": "NN5 daily",
    "hospital": "Hospital",
    "etth1": "ETTh1",
}
ETT_TRAIN, ETT_VALIDATION, ETT_TEST = 8640, 2880, 2880  # 12, 4 and 4 months of 30 days, by the hour
ETT_HORIZON = 96
HALVES_SEED = 0


class Set(NamedTuple):
    """One panel, split into history and true values.

    Attributes:
        name: its name on the command line.
        history: ``unique_id, ds, y``, by series and step: the values that a model may read; null if missing. In a
            set of rolling windows the cutoffs are inside the history, and a window must not use later values.
        truth: ``unique_id, cutoff, ds, y``: the observed values to forecast; ``cutoff`` is the last known step.
        horizon: F, the largest of all series.
        season: the period in steps that a model gets.
        scale_season: m of MASE's scale, the seasonal naive error in the history.
        kind: "m4" (sMAPE, MASE, OWA), "panel" (sMAPE, MASE) or "windows" (MSE, MAE).
        train: training steps in a set of rolling windows; 0 if all of the history may be used.
        validation: steps after them that may decide when to stop.
        folds: parts of the series, each forecast by a model trained on the others; 1 for no split.
    """

    name: str
    history: pl.DataFrame
    truth: pl.DataFrame
    horizon: int
    season: int
    scale_season: int
    kind: str
    train: int = 0
    validation: int = 0
    folds: int = 1


def load(name: str, folder: Path) -> Set:
    """Load the set ``name`` from the files in ``folder``."""
    return SETS[name](folder)


def m4_hourly(folder: Path) -> Set:
    """Load M4 Hourly's training parts; their last 48 hours replace the test parts."""
    history, truth = last_horizon(read(folder / "m4_hourly_train.csv.gz"), 48)
    return Set("m4_hourly", history, truth, 48, 24, 24, "m4")


def m4_hourly_halves(folder: Path) -> Set:
    """Load M4 Hourly, each half of the series to be forecast by a model trained on the other: some series overlap."""
    return m4_hourly(folder)._replace(name="m4_hourly_halves", folds=2)


def m4_weekly(folder: Path) -> Set:
    """Load M4 Weekly's training parts; their last 13 weeks replace the test parts. M4's MASE has m = 1."""
    history, truth = last_horizon(read(folder / "m4_weekly_train.csv.gz"), 13)
    return Set("m4_weekly", history, truth, 13, 52, 1, "m4")


def cif(folder: Path) -> Set:
    """Load CIF 2016: 57 series with a horizon of 12 months, 15 with 6; forecasts of 12, scored on each series' own."""
    return Set("cif", *parted(read(folder / "cif2016.csv.gz")), 12, 12, 12, "panel")


def nn5(folder: Path) -> Set:
    """Load NN5, daily withdrawals. Missing values are filled neither in the true values nor in the scale of MASE."""
    return Set("nn5", *parted(read(folder / "nn5_daily.csv.gz")), 56, 7, 7, "panel")


def hospital(folder: Path) -> Set:
    """Load Hospital, monthly counts of patients."""
    return Set("hospital", *parted(read(folder / "hospital.csv.gz")), 12, 12, 12, "panel")


def etth1(folder: Path) -> Set:
    """Load ETTh1 by the protocol of Informer (Zhou et al. 2021, arXiv 2012.07436) and all later papers.

    12 months for training, 4 for validation, 4 for the test. Each column is standardized by the mean and standard
    deviation of the first 12 months. A window of 96 hours starts at every hour of the test part that has a whole one.
    """
    table = pl.read_csv(folder / "ETTh1.csv").drop("date")[: ETT_TRAIN + ETT_VALIDATION + ETT_TEST]
    learned = table[:ETT_TRAIN]
    table = table.select((pl.col(name) - learned[name].mean()) / learned[name].std(ddof=0) for name in table.columns)
    long = table.with_row_index("ds").with_columns(pl.col("ds").cast(pl.Int64)).unpivot(index="ds")
    history = long.select(pl.col("variable").alias("unique_id"), "ds", pl.col("value").alias("y"))
    history = history.sort("unique_id", "ds", maintain_order=True)
    truth = windows(history, first=ETT_TRAIN + ETT_VALIDATION, horizon=ETT_HORIZON)
    return Set("etth1", history, truth, ETT_HORIZON, 24, 24, "windows", ETT_TRAIN, ETT_VALIDATION)


SETS: dict[str, Callable[[Path], Set]] = {
    load.__name__: load for load in (m4_hourly, m4_hourly_halves, m4_weekly, cif, nn5, hospital, etth1)
}


def read(file: Path) -> pl.DataFrame:
    """Read ``unique_id, ds, y`` and, if the file has it, ``split``."""
    return pl.read_csv(file).rename({"t": "ds"}).sort("unique_id", "ds")


def last_horizon(frame: pl.DataFrame, horizon: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Split off the last ``horizon`` steps of each series: history and true values."""
    end = pl.col("ds").max().over("unique_id")
    is_history = pl.col("ds") <= end - horizon
    return frame.filter(is_history), with_cutoff(frame.filter(~is_history))


def parted(frame: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Split history and true values by the file's column."""
    history, truth = (frame.filter(pl.col("split") == split).drop("split") for split in ("train", "test"))
    return history, with_cutoff(truth).drop_nulls("y")


def with_cutoff(truth: pl.DataFrame) -> pl.DataFrame:
    """Return the true values of one horizon, with the last step before it as the cutoff."""
    cutoff = (pl.col("ds").min().over("unique_id") - 1).alias("cutoff")
    return truth.select("unique_id", cutoff, "ds", "y")


def windows(frame: pl.DataFrame, *, first: int, horizon: int) -> pl.DataFrame:
    """Return the true values of every window of ``horizon`` steps from step ``first`` on that ends in the series."""
    parts = []
    for (name,), series in frame.group_by("unique_id", maintain_order=True):
        values = series["y"].to_numpy()
        starts = np.arange(first, len(values) - horizon + 1)
        steps = starts[:, None] + np.arange(horizon)
        parts.append(
            pl.DataFrame(
                {
                    "cutoff": np.repeat(starts - 1, horizon),
                    "ds": steps.ravel(),
                    "y": values[steps.ravel()],
                }
            ).select(pl.lit(name).alias("unique_id"), "cutoff", "ds", "y")
        )
    return pl.concat(parts)


def fold_of(ids: pl.Series, folds: int) -> np.ndarray:
    """Return the fold of each series (N,), the same in every run; sizes differ by at most one."""
    return np.random.default_rng(HALVES_SEED).permutation(len(ids)) % folds
