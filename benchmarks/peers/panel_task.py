"""The files of a panel's input and of a model's forecasts, which work in any environment.

A model's script is called with a folder, its own name, a seed and, for a trial, a number of training steps. The
folder has ``task.json`` and ``history.parquet`` (``unique_id, fold, ds, y``); the script adds ``forecasts.parquet``
(``unique_id, cutoff, ds, point``, optionally ``mean``, ``point-lo-80`` ...) and ``told.json``.
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd


class Task(NamedTuple):
    """The forecasting task; see :class:`panels.sets.Set`.

    Attributes: horizon: F. season: the period in steps. levels: coverage of the intervals in per cent. train: training
    steps if every step of the test part is a window's cutoff; else 0. validation: the steps after them. folds: parts of
    the series, each forecast by a model trained on the others; 1 for no split.
    """

    horizon: int
    season: int
    levels: list[int]
    train: int
    validation: int
    folds: int


class Asked(NamedTuple):
    """The command line of a model's script, with the task; ``steps`` is None for the model's own number."""

    folder: Path
    model: str
    seed: int
    steps: int | None
    task: Task


def asked() -> Asked:
    """Parse the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--steps", type=int)
    args = parser.parse_args()
    task = Task(**json.loads((args.folder / "task.json").read_text()))
    return Asked(args.folder, args.model, args.seed, args.steps, task)


def folds(history: pd.DataFrame, task: Task) -> Iterator[tuple[pd.DataFrame, pd.DataFrame]]:
    """Yield the series to train on and those to forecast: all series, or for each fold the others and its own."""
    series = history.drop(columns="fold")
    if task.folds == 1:
        yield series, series
        return
    for fold in range(task.folds):
        yield series[history.fold != fold], series[history.fold == fold]


def filled(history: pd.DataFrame, season: int) -> pd.Series:
    """Fill missing values with the series' median at the same place in the season.

    NN5 is filled in this way for models that need it (Andrawis, Atiya & El-Shishiny 2011).
    """
    return history.y.fillna(history.groupby(["unique_id", history.ds % season]).y.transform("median"))


def write(folder: Path, forecasts: pd.DataFrame, told: dict[str, Any]) -> None:
    """Write the answer, with the forecasts last."""
    (folder / "told.json").write_text(json.dumps(told))
    forecasts.to_parquet(folder / "forecasts.parquet")
