"""The reference step, the same for every peer: its data, its clock, its error and a peer's output.

A ReLU RNN of 100 units with one input and one output, 30 time steps, batch 1, mean squared error, Adam with learning
rate 0.001, a random window of sin(t) each step. The module needs only NumPy, which every peer's environment has.
"""

import argparse
import json
import platform
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np

HIDDEN, WINDOW, BATCH, LEARNING_RATE = 100, 30, 1, 0.001
STEPS, CHUNK = 2000, 100
XMAX, RESOLUTION = 10.0, 0.04  # 250 points on [0, 10]
ROOM = XMAX - WINDOW * RESOLUTION
OFFSETS = np.arange(WINDOW + 1) * RESOLUTION
EVALUATION_WINDOWS = 50


def arguments(**options: tuple[str, ...]) -> argparse.Namespace:
    """Parse the driver's arguments: ``--seed``, ``--out`` and the peer's ``options``, each with its choices."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True, help="an existing folder for the trained model")
    for name, choices in options.items():
        parser.add_argument(f"--{name}", choices=choices, required=True)
    return parser.parse_args()


def next_batch(random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return a random window of sin(t): inputs (1, T, 1) and targets (1, T, 1), one point ahead of the inputs."""
    y = np.sin(random.random() * ROOM + OFFSETS).astype(np.float32)[None, :, None]
    return y[:, :-1], y[:, 1:]


def time_chunks(step: Callable[[], object]) -> list[float]:
    """Do all training steps, and return microseconds per step of each chunk of 100."""
    chunks = []
    for _ in range(STEPS // CHUNK):
        began = time.perf_counter()
        for _ in range(CHUNK):
            step()
        chunks.append((time.perf_counter() - began) / CHUNK * 1e6)
    return chunks


def answer(chunks: list[float], predict: Callable[[np.ndarray], np.ndarray], *packages: str) -> None:
    """Print a peer's result as one JSON object.

    Args: chunks: microseconds per step, from :func:`time_chunks`. predict: the trained network, (B, T, 1) -> (B, T, 1);
    its error over evenly spaced windows shows if it learned. packages: those whose versions are printed.
    """
    starts = np.linspace(0, ROOM, EVALUATION_WINDOWS)
    windows = np.sin(starts[:, None] + OFFSETS).astype(np.float32)[..., None]
    mse = float(np.mean((np.asarray(predict(windows[:, :-1])) - windows[:, 1:]) ** 2))
    versions = {package: version(package) for package in packages} | {"python": platform.python_version()}
    print(json.dumps({"chunk_us": chunks, "mse": mse, "versions": versions}))
