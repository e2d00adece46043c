"""The panels: what a model may read of each, and what it is scored on.

The files are not part of this project; see ``benchmarks/README.md`` for where they come from. Their column ``t`` is the
step of a series, from 0 on, and the only time that a model is told.
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
    """One panel, cut.

    Attributes:
        name: as the command line has it.
        history: ``unique_id, ds, y``, by series and step: what a model may read; null where nothing was observed. In a
            set of rolling windows, whose cutoffs lie in it, what comes after a window's cutoff is not for that window.
        truth: ``unique_id, cutoff, ds, y``: what it is to forecast, where observed; ``cutoff`` is the last known step.
        horizon: F, the most steps of any series.
        season: the period in steps that a model is told.
        scale_season: m of MASE's scale, the seasonal naive error in the history.
        kind: "m4" (sMAPE, MASE, OWA), "panel" (sMAPE, MASE) or "windows" (MSE, MAE).
        train: steps to learn from in a set of rolling windows; 0 where all of the history may be learned from.
        validation: steps after them that may decide when to stop.
        folds: parts that the series are cut into, each forecast by a model that learned from the others; 1 is no cut.
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
    """The set ``name`` from the files in ``folder``."""
    return SETS[name](folder)


def m4_hourly(folder: Path) -> Set:
    """M4 Hourly's training parts without their last 48 hours, which take the place of the test parts."""
    history, truth = last_horizon(read(folder / "m4_hourly_train.csv.gz"), 48)
    return Set("m4_hourly", history, truth, 48, 24, 24, "m4")


def m4_hourly_halves(folder: Path) -> Set:
    """The same, each half of the series forecast by a model that learned from the other: some series overlap."""
    return m4_hourly(folder)._replace(name="m4_hourly_halves", folds=2)


def m4_weekly(folder: Path) -> Set:
    """M4 Weekly's training parts without their last 13 weeks. M4 scales its MASE by the naive of one step."""
    history, truth = last_horizon(read(folder / "m4_weekly_train.csv.gz"), 13)
    return Set("m4_weekly", history, truth, 13, 52, 1, "m4")


def cif(folder: Path) -> Set:
    """CIF 2016: 57 series of 12 months ahead, 15 of 6; models forecast 12 and are scored on each series' own."""
    return Set("cif", *parted(read(folder / "cif2016.csv.gz")), 12, 12, 12, "panel")


def nn5(folder: Path) -> Set:
    """NN5, daily withdrawals. Missing values are neither filled in the truth nor in the scale of MASE."""
    return Set("nn5", *parted(read(folder / "nn5_daily.csv.gz")), 56, 7, 7, "panel")


def hospital(folder: Path) -> Set:
    """Monthly counts of patients."""
    return Set("hospital", *parted(read(folder / "hospital.csv.gz")), 12, 12, 12, "panel")


def etth1(folder: Path) -> Set:
    """ETTh1 by the protocol of Informer (Zhou et al. 2021, arXiv 2012.07436) as all later papers have it.

    12 months to learn from, 4 to validate, 4 to test; each column less the mean of the first 12 months over their
    standard deviation; a window of 96 hours from every hour of the test part that has one.
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
    """``unique_id, ds, y`` and, where the file has it, ``split``."""
    return pl.read_csv(file).rename({"t": "ds"}).sort("unique_id", "ds")


def last_horizon(frame: pl.DataFrame, horizon: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """History and truth: the last ``horizon`` steps of each series are cut off."""
    end = pl.col("ds").max().over("unique_id")
    is_history = pl.col("ds") <= end - horizon
    return frame.filter(is_history), with_cutoff(frame.filter(~is_history))


def parted(frame: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """History and truth, as the file says."""
    history, truth = (frame.filter(pl.col("split") == split).drop("split") for split in ("train", "test"))
    return history, with_cutoff(truth).drop_nulls("y")


def with_cutoff(truth: pl.DataFrame) -> pl.DataFrame:
    """Truth of one horizon, with the last step before it."""
    cutoff = (pl.col("ds").min().over("unique_id") - 1).alias("cutoff")
    return truth.select("unique_id", cutoff, "ds", "y")


def windows(frame: pl.DataFrame, *, first: int, horizon: int) -> pl.DataFrame:
    """The truth of every window of ``horizon`` steps that begins at step ``first`` or later and ends in the series."""
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
    """The fold of each series (N,), of sizes that differ by one at most, the same in every run."""
    return np.random.default_rng(HALVES_SEED).permutation(len(ids)) % folds
