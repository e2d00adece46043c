"""A training step of a recurrent network, the same for every side: its sizes, its clock and a process's output.

T time steps of one input, H units, one output; mean squared error at every step; Adam with learning rate 0.001; each
step draws a new batch of windows of sin(t).
"""

import argparse
import json
import os
import time
from collections.abc import Callable, Iterator
from importlib.metadata import version
from typing import Any

CHUNK_SECONDS = 0.25  # approximate time of a chunk of steps
LEAST_STEPS = 8  # at least: for long sequences the first step of a chunk touches new memory, which takes longer


def arguments() -> argparse.Namespace:
    """Parse the driver's arguments, and pin the process to the first ``--cores`` cores before anything starts."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--cell", choices=("elman", "gru", "lstm", "mingru", "minlstm", "lru"), required=True)
    for name in ("batch", "hidden", "steps", "models", "cores", "chunks"):
        parser.add_argument(f"--{name}", type=int, required=True)
    args = parser.parse_args()
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: args.cores])
    return args


def batches(args: argparse.Namespace) -> Iterator[tuple[Any, Any]]:
    """Yield endless random windows of sin(t): inputs (B, T, 1) and targets (B, T, 1), one point ahead of the inputs."""
    import numpy as np  # only after the cores are chosen

    random, places = np.random.default_rng(0), np.arange(args.steps + 1) * 0.04
    while True:
        y = np.sin(random.random((args.batch, 1)) * 8 + places).astype(np.float32)[..., None]
        yield y[:, :-1], y[:, 1:]


def measure(sides: dict[str, Callable[[int], object]], chunks: int, *packages: str) -> None:
    """Time the sides in turn, chunk by chunk, and print microseconds per step of each chunk as one JSON object.

    Args: sides: by name, functions that do a number of training steps and wait for them. chunks: number of chunks of
    each. packages: those whose versions are printed.
    """
    steps = {name: steps_of(run) for name, run in sides.items()}
    times: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(chunks):
        for name, run in sides.items():
            began = time.perf_counter()
            run(steps[name])
            times[name].append((time.perf_counter() - began) / steps[name] * 1e6)
    print(json.dumps({"us": times, "versions": {package: version(package) for package in packages}}))


def steps_of(run: Callable[[int], object]) -> int:
    """Return the number of steps in a chunk; the first call compiles or warms up."""
    run(1)
    began = time.perf_counter()
    run(2)
    return max(int(CHUNK_SECONDS / (time.perf_counter() - began) * 2), LEAST_STEPS)
