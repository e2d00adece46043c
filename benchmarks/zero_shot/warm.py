"""The milliseconds of forecasts in a process that has begun; the last line of the output has them as JSON.

For each case its name, then minimum and median of CPU time, and the median of the clock's.
"""

import json
import os
import statistics
import time
from collections.abc import Callable
from datetime import date
from typing import Any

import numpy as np
import polars as pl

import throughtime as tt

SERIES, SHORTEST, LONGEST = 10_000, 60, 140
HORIZON, MONTHS = 12, 12


def main() -> None:
    """Measure one series on one core, then the panel on two."""
    cores = sorted(os.sched_getaffinity(0))
    network, drawn = tt.pretrained(), np.random.default_rng(0)
    month, hour = series(120, MONTHS, drawn), series(2_000, 24, drawn)
    frame, many = monthly([month]), monthly([series(n, MONTHS, drawn) for n in lengths(drawn)])
    os.sched_setaffinity(0, cores[:1])
    told = [
        timed("one array of 120 months", lambda: network.quantiles([month], HORIZON, (MONTHS, 1)), 100),
        timed("one array of 2,000 hours, horizon 48", lambda: network.quantiles([hour], 48, (24, 168)), 50),
        timed("one frame of 120 months, with intervals", lambda: network.predict(frame, HORIZON, [80, 95]), 50),
    ]
    os.sched_setaffinity(0, cores[:2])
    told.append(timed(f"a frame of {SERIES:,} series", lambda: network.predict(many, HORIZON, [80, 95]), 1))
    print(json.dumps(told))


def lengths(drawn: np.random.Generator) -> np.ndarray:
    """Return the steps of each series of the panel."""
    return drawn.integers(SHORTEST, LONGEST + 1, SERIES)


def series(steps: int, season: int, drawn: np.random.Generator) -> np.ndarray:
    """Return a random walk with a season."""
    return 100 + drawn.normal(size=steps).cumsum() + 5 * np.sin(2 * np.pi * np.arange(steps) / season)


def monthly(values: list[np.ndarray]) -> pl.DataFrame:
    """Return a frame of monthly series."""
    months = pl.date_range(date(2010, 1, 1), date(2010 + LONGEST // 12 + 1, 1, 1), "1mo", eager=True)
    return pl.concat(
        pl.DataFrame({"unique_id": f"series {row}", "ds": months[: len(y)], "y": y}) for row, y in enumerate(values)
    )


def timed(name: str, forecast: Callable[[], Any], rounds: int) -> tuple[str, tuple[float, float, float]]:
    """Return the milliseconds of a call: minimum and median of the CPU's, median of the clock's."""
    if rounds > 1:
        forecast()
    worked, passed = [], []
    for _ in range(rounds):
        began = time.process_time(), time.perf_counter()
        forecast()
        worked.append(1e3 * (time.process_time() - began[0]))
        passed.append(1e3 * (time.perf_counter() - began[1]))
    return name, (min(worked), statistics.median(worked), statistics.median(passed))


if __name__ == "__main__":
    main()
