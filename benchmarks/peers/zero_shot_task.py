"""The files of a peer's input and of its forecasts, which work in any environment.

A script is called with a folder and its own name. The folder has ``task.json`` and ``histories.npz``; the script adds
``quantiles.npy`` (N, F, Q).
"""

import argparse
import json
from pathlib import Path
from typing import NamedTuple

import numpy as np


class Task(NamedTuple):
    """The forecasting task.

    Attributes: folder. model: the peer's name. horizon: F. seasons: the season in steps and a longer one; 1 for none.
    levels: of the Q quantiles. histories: N arrays (T,), NaN where missing.
    """

    folder: Path
    model: str
    horizon: int
    seasons: list[int]
    levels: list[float]
    histories: list[np.ndarray]


def asked() -> Task:
    """Parse the command line and read the files."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", required=True)
    args = parser.parse_args()
    with np.load(args.folder / "histories.npz") as arrays:
        histories = np.split(arrays["values"], np.cumsum(arrays["lengths"])[:-1])
    task = json.loads((args.folder / "task.json").read_text())
    return Task(args.folder, args.model, task["horizon"], task["seasons"], task["levels"], histories)


def filled(history: np.ndarray) -> np.ndarray:
    """Return a history with its gaps filled by straight lines, for a model that reads none."""
    places, known = np.arange(len(history)), np.isfinite(history)
    return np.interp(places, places[known], history[known])


def write(task: Task, quantiles: list[np.ndarray]) -> None:
    """Write the answer."""
    np.save(task.folder / "quantiles.npy", np.stack(quantiles))
