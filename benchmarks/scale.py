"""A million series on one machine: read, fit, forecast with intervals; one worker beside two, and the cost of a series.

The series are written to partitions of Parquet in ``--folder``, where results are kept too: run again, the script does
what is left. Each stage is a process of its own; its peak memory is the sum over that process and all that it starts,
of the resident pages, shared ones divided among their users.

    python benchmarks/scale.py --folder FOLDER [--series N] [--peers PYTHON]
"""

import argparse
import datetime
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

import machine
import numpy as np
import polars as pl
from processes import has_modules, last_line, plain_environment

import throughtime as tt
from throughtime.data import ColumnNames, list_partitions, read_partition
from throughtime.partitions import RayEngine

LENGTH, HORIZON, LEVELS = 100, 14, (80, 95)
OF_PARTITION = 10_000  # series
STEPS = 500  # of the fit, one network of 32 units
MEMORY = 2048  # MiB of the fit
FIRST = np.datetime64("2024-01-01")
COUNTS = (1_000, 10_000, 100_000)  # series, for the cost of one
PEERS = {"statsforecast AutoETS": 2_000, "neuralforecast GRU": 10_000}
"""The series that a peer gets: as many as take it about a minute."""
ENGINES: dict[str, Callable[[], Any]] = {
    "process": lambda: "process",
    "one": lambda: RayEngine(workers=1),
    "two": lambda: RayEngine(workers=2),
}


def main() -> None:
    """Write the series, measure what is not measured yet, write the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True, help="for the series and what is measured")
    parser.add_argument("--series", type=int, default=1_000_000, help="default: 1,000,000")
    parser.add_argument("--peers", default="", help="a Python with statsforecast and neuralforecast")
    parser.add_argument("--results", type=Path, default=Path(__file__).parent / "results", help="folder to write to")
    parser.add_argument("--stage", nargs=3, metavar=("NAME", "SERIES", "ENGINE"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.stage:
        name, series, engine = asked.stage
        warm_up()
        began, worked = time.perf_counter(), time.process_time()
        found = STAGES[name](asked.folder, int(series), engine)
        found |= {"seconds": time.perf_counter() - began, "cpu": time.process_time() - worked}
        print(json.dumps(found))
        return
    asked.folder.mkdir(parents=True, exist_ok=True)
    measured = Measured(asked.folder / "measured.json")
    most = asked.series
    for series in sorted({most, *(count for count in COUNTS if count < most)}):
        measured.stage(asked.folder, "write", series, "process")
        measured.stage(asked.folder, "forecast", series, "process")
    for name, engine in (("read", "process"), ("fit", "process"), ("forecast", "one"), ("forecast", "two")):
        measured.stage(asked.folder, name, most, engine)
    for peer, series in PEERS.items():
        measured.peer(asked.folder, peer, min(series, most), asked.peers)
    text = page(measured.found, most)
    print(text)
    file = asked.results / f"scale-{datetime.date.today().isoformat()}-{machine.name()}"
    file.with_suffix(".md").write_text(text)
    file.with_suffix(".json").write_text(json.dumps(measured.found, indent=2) + "\n")


class Measured:
    """What was measured, in a file."""

    def __init__(self, file: Path):
        self.file = file
        self.found: dict[str, dict[str, Any]] = json.loads(file.read_text()) if file.exists() else {}

    def stage(self, folder: Path, name: str, series: int, engine: str) -> None:
        """Run a stage in a process of its own."""
        key = f"{name} {series} {engine}"
        if key in self.found:
            return
        command = [sys.executable, __file__, "--folder", str(folder), "--stage", name, str(series), engine]
        load, began = os.getloadavg()[0], time.perf_counter()
        process = subprocess.Popen(command, env=plain_environment(), stdout=subprocess.PIPE, text=True)
        memory = Memory(process.pid)
        said = process.communicate()[0]
        if process.returncode:
            raise SystemExit(f"{key} failed")
        whole, peak = time.perf_counter() - began, memory.end()
        self.keep(key, {**json.loads(said.splitlines()[-1]), "whole": whole, "mib": peak, "load": load})

    def peer(self, folder: Path, name: str, series: int, python: str) -> None:
        """Run a peer on some of the series."""
        key = f"peer {name}"
        module = name.split()[0]
        if key in self.found or not (python and has_modules(python, (module,))):
            return
        frame = pl.read_parquet(sorted(series_folder(folder, 10_000).glob("*.parquet"))[0]).head(series * LENGTH)
        file = folder / "sample.parquet"
        frame.write_parquet(file)
        script = Path(__file__).parent / "peers" / "scale_peer.py"
        load = os.getloadavg()[0]
        _, found = last_line([python, str(script), module, str(file), str(HORIZON)], {})
        self.keep(key, {**found, "series": series, "load": load})

    def keep(self, key: str, found: dict[str, Any]) -> None:
        """Add a result, in the file too."""
        print(f"{key}: {found}", flush=True)
        self.found[key] = found
        self.file.write_text(json.dumps(self.found, indent=2))


class Memory:
    """The memory of a process and of all that it starts, looked at every half second."""

    def __init__(self, pid: int):
        self._pid, self._peak, self._over = pid, 0.0, threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def end(self) -> float:
        """Return the peak in MiB."""
        self._over.set()
        self._thread.join()
        return self._peak

    def _watch(self) -> None:
        while not self._over.wait(0.5):
            self._peak = max(self._peak, sum(map(proportional, [self._pid, *descendants(self._pid)])))


def descendants(pid: int) -> list[int]:
    """Return the processes that a process has started, and those that these have."""
    found: list[int] = []
    with suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in map(int, (task / "children").read_text().split()):
                found += [child, *descendants(child)]
    return found


def proportional(pid: int) -> float:
    """Return the resident memory of a process in MiB, shared pages divided among their users; 0 if it has ended."""
    with suppress(OSError, IndexError, ValueError):
        return int(Path(f"/proc/{pid}/smaps_rollup").read_text().partition("Pss:")[2].split()[0]) / 1024
    return 0.0


def series_folder(folder: Path, series: int) -> Path:
    """Return the folder of so many series."""
    return folder / f"series-{series}"


def warm_up() -> None:
    """Load what forecasts of the pretrained network need: modules and weights load when they are first used."""
    frame = pl.DataFrame({"unique_id": "one", "ds": FIRST + np.arange(LENGTH), "y": np.sin(np.arange(LENGTH))})
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "series"
        source.mkdir()
        frame.write_parquet(source / "part.parquet")
        model = tt.fit_folder(tt.Forecaster(HORIZON, preset="instant"), source)
        tt.forecast_folder(source, model, Path(folder) / "out", LEVELS)


def write(folder: Path, series: int, engine: str) -> dict[str, Any]:
    """Write days of series with a level, a week and noise of their own, partition by partition."""
    place = series_folder(folder, series)
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    days = FIRST + np.arange(LENGTH)
    for number, first in enumerate(range(0, series, OF_PARTITION)):
        draw, count = np.random.default_rng(number), min(OF_PARTITION, series - first)
        phase, level = draw.uniform(0, 7, (count, 1)), draw.uniform(5, 50, (count, 1))
        weeks = np.sin(2 * np.pi * (np.arange(LENGTH) + phase) / 7)
        values = level + 0.2 * level * weeks + draw.normal(size=(count, LENGTH))
        names = pl.Series([f"series {first + k:07d}" for k in range(count)])
        table = {"unique_id": names.repeat_by(LENGTH).explode(), "ds": np.tile(days, count), "y": values.ravel()}
        pl.DataFrame(table).write_parquet(place / f"part-{number:04d}.parquet")
    return {"megabytes": sum(file.stat().st_size for file in place.iterdir()) / 1e6}


def read(folder: Path, series: int, engine: str) -> dict[str, Any]:
    """Read all partitions, one after the other."""
    for partition in list_partitions(series_folder(folder, series)):
        read_partition(partition, ColumnNames())
    return {}


def fit(folder: Path, series: int, engine: str) -> dict[str, Any]:
    """Fit one network on all series, within a limit of memory."""
    model = tt.Forecaster(HORIZON, hidden=32, members=1, steps=STEPS)
    tt.fit_folder(model, series_folder(folder, series), memory=MEMORY, work=folder)
    model.save(folder / "trained")
    return {"notes": model.notes_}


def forecast(folder: Path, series: int, engine: str) -> dict[str, Any]:
    """Forecast all series with the pretrained network."""
    source, out = series_folder(folder, series), folder / "out"
    shutil.rmtree(out, ignore_errors=True)
    ends: list[float] = []
    began = time.perf_counter()
    model = tt.fit_folder(tt.Forecaster(HORIZON, preset="instant"), source)
    result = tt.forecast_folder(
        source,
        model,
        out,
        LEVELS,
        engine=ENGINES[engine](),
        on_partition=lambda done, total: ends.append(time.perf_counter()),
    )
    assert not result.failures, result.failures
    assert result.rows == series * HORIZON
    return {"until_first": ends[1] - began, "partitions": result.done}


STAGES = {"write": write, "read": read, "fit": fit, "forecast": forecast}


def page(found: dict[str, dict[str, Any]], most: int) -> str:
    """Return the results as Markdown."""
    loads = [row["load"] for row in found.values()]
    counts = [*(count for count in COUNTS if count < most), most]
    costs = {count: found[f"forecast {count} process"] for count in counts}
    cpu = [row["cpu"] / count for count, row in costs.items()]
    one, two = (found[f"forecast {most} {workers}"]["seconds"] for workers in ("one", "two"))
    lines = [
        f"# Scale, {datetime.date.today().isoformat()}",
        "",
        *(f"- {name}: {value}" for name, value in machine.describe().items()),
        f"- versions: ray {version('ray')}, polars {version('polars')}, numpy {version('numpy')}, jax {version('jax')}",
        f"- load before the stages: {min(loads):.1f} to {max(loads):.1f}",
        f"- command: `{machine.command()}`",
        "",
        f"{most:,} daily series of {LENGTH} values, {OF_PARTITION:,} in a partition; {HORIZON} steps ahead, with "
        f"intervals of {LEVELS[0]} and {LEVELS[1]} %. Seconds are without imports, with the start of Ray. Memory is "
        f"the peak of all processes together. Two workers are {one / two:.2f} times as fast as one.",
        "",
        "## Stages",
        "",
        "| stage | seconds | series per second | MiB |",
        "|---|---:|---:|---:|",
        *(
            f"| {name} | {row['seconds']:,.0f} | {most / row['seconds']:,.0f} | {row['mib']:,.0f} |"
            for name, row in ((name, found[key]) for key, name in stage_names(most).items())
        ),
        "",
        "## The cost of a series",
        "",
        f"The pretrained network in one process. The largest cost in CPU seconds is {max(cpu) / min(cpu):.2f} times "
        "the smallest.",
        "",
        "| series | seconds | CPU seconds | CPU milliseconds per series | MiB |",
        "|---:|---:|---:|---:|---:|",
        *(
            f"| {count:,} | {row['seconds']:,.1f} | {row['cpu']:,.1f} | {1000 * each:.3f} | {row['mib']:,.0f} |"
            for (count, row), each in zip(costs.items(), cpu, strict=True)
        ),
        *peer_lines(found, two / most),
    ]
    return "\n".join(lines) + "\n"


def stage_names(most: int) -> dict[str, str]:
    """Return the names of the stages on all series, by the keys of what was measured."""
    return {
        f"read {most} process": "read, one process",
        f"fit {most} process": f"fit of {STEPS} steps within {MEMORY:,} MiB, one process",
        f"forecast {most} process": "forecast with the pretrained network, one process",
        f"forecast {most} one": "the same, Ray with one worker",
        f"forecast {most} two": "the same, Ray with two workers",
    }


def peer_lines(found: dict[str, dict[str, Any]], ours: float) -> list[str]:
    """Return the table of the peers; ``ours`` are the seconds for a series of two workers."""
    peers = {name: found[f"peer {name}"] for name in PEERS if f"peer {name}" in found}
    if not peers:
        return []
    return [
        "",
        "## Peers",
        "",
        f"Some of the same series, with all cores. The ratio is to {1000 * ours:.3f} ms of two workers.",
        "",
        "| peer | series | seconds | milliseconds per series | ratio |",
        "|---|---:|---:|---:|---:|",
        *(
            f"| {name} {row['version']} | {row['series']:,} | {row['seconds']:,.1f} | "
            f"{1000 * row['seconds'] / row['series']:.2f} | {row['seconds'] / row['series'] / ours:,.0f} |"
            for name, row in peers.items()
        ),
    ]


if __name__ == "__main__":
    main()
