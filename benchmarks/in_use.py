"""A model in use: updates and forecasts per second, in Python and over HTTP, and the memory of a stream.

The model is the pretrained network, or a small trained one, with 1, 100 and 10,000 daily series of 140 steps. See
``benchmarks/README.md``.

    python benchmarks/in_use.py [--seconds S] [--rows N] [--results DIR]
"""

import argparse
import datetime
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import machine
import numpy as np
import polars as pl

import throughtime as tt

COUNTS, LENGTH, HORIZON = (1, 100, 10_000), 140, 14
FIRST = datetime.date(2024, 1, 1)
PRESETS: dict[str, dict[str, Any]] = {
    "pretrained": {"preset": "instant"},
    "trained": {"hidden": 8, "members": 1, "steps": 60},
}
SAMPLES = 20  # of the memory of a stream


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5.0, help="of each measurement (default: 5)")
    parser.add_argument("--rows", type=int, default=1_000_000, help="of the stream (default: 1,000,000)")
    parser.add_argument("--results", type=Path, default=Path(__file__).parent / "results", help="folder to write to")
    args = parser.parse_args()
    load, today = os.getloadavg()[0], datetime.date.today().isoformat()
    timings, memory = [], []
    with tempfile.TemporaryDirectory() as folder:
        for kind in PRESETS:
            for count in COUNTS:
                model = model_of(kind, count)
                model.save(Path(folder) / f"{kind}-{count}")
                timings.append({"model": kind, "series": count, **in_python(model, count, args.seconds)})
                timings[-1] |= over_http(Path(folder) / f"{kind}-{count}", count, args.seconds)
                print(timings[-1], flush=True)
        for row in streamed(Path(folder) / "trained-1", args.rows, Path(folder) / "out"):
            memory.append(row)
            print(row, flush=True)
    text = page(timings, memory, today, load)
    print(text)
    file = args.results / f"in_use-{today}-{machine.name()}"
    file.with_suffix(".md").write_text(text)
    file.with_suffix(".json").write_text(json.dumps({"timings": timings, "memory": memory}, indent=2) + "\n")


def series(number: int, steps: range) -> pl.DataFrame:
    """Return days of a series with a week's season."""
    noise = np.random.default_rng([number, steps.start]).normal(size=len(steps))
    values = 20 + number % 7 + 5 * np.sin(2 * np.pi * np.array(steps) / 7) + noise
    return pl.DataFrame({"unique_id": f"s{number}", "ds": [FIRST + datetime.timedelta(k) for k in steps], "y": values})


def model_of(kind: str, count: int) -> tt.Forecaster:
    """Return a model with so many series; a network is trained on ten of them at most."""
    frames = [series(number, range(LENGTH)) for number in range(count)]
    model = tt.Forecaster(horizon=HORIZON, **PRESETS[kind]).fit(pl.concat(frames[:10]))
    return model.update(pl.concat(frames[10:])) if count > 10 else model


def in_python(model: tt.Forecaster, count: int, seconds: float) -> dict[str, float]:
    """Return the seconds of an update by one row, of one by a row for each series, and of forecasting all series."""
    fitted = model.fitted_
    found = {"predict_all": typical(lambda call: model.predict(), seconds)}
    row = series(0, range(LENGTH, LENGTH + 1))
    found["update"] = typical(next_step(model, row), seconds)
    model.fitted_ = fitted
    rows = pl.concat([series(number, range(LENGTH, LENGTH + 1)) for number in range(count)])
    return found | {"update_all": typical(next_step(model, rows), seconds)}


def next_step(model: tt.Forecaster, rows: pl.DataFrame) -> Callable[[int], Any]:
    """Return a call that appends the next row of each series of ``rows``."""
    return lambda call: model.update(rows.with_columns(ds=pl.lit(FIRST + datetime.timedelta(LENGTH + call))))


def typical(call: Callable[[int], Any], seconds: float) -> float:
    """Return the median seconds of calls, after a first one."""
    call(0)
    taken: list[float] = []
    while sum(taken) < seconds:
        began = time.perf_counter()
        call(len(taken) + 1)
        taken.append(time.perf_counter() - began)
    return float(np.median(taken))


@contextmanager
def server(folder: Path) -> Iterator[str]:
    """Start a server of a model, and yield its address."""
    command = [sys.executable, "-m", "throughtime", "serve", str(folder), "--port", "0", "--json", "--quiet"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield json.loads(process.stdout.readline())["address"]
        finally:
            process.terminate()


def over_http(folder: Path, count: int, seconds: float) -> dict[str, float]:
    """Return the 50th and 99th percentile, in seconds, of one client's updates by a row and forecasts of a series."""
    found = {}
    with server(folder) as address, httpx2.Client(base_url=address, timeout=600) as client:

        def update(call: int) -> None:
            day = FIRST + datetime.timedelta(LENGTH + call // count)
            row = {"unique_id": f"s{call % count}", "ds": str(day), "y": 20 + call % 7}
            client.post("/update", json={"rows": [row]}).raise_for_status()

        def forecast(call: int) -> None:
            client.post("/forecast", json={"series": [f"s{call % count}"]}).raise_for_status()

        for name, request in (("update", update), ("forecast", forecast)):
            taken: list[float] = []
            while sum(taken) < seconds:
                began = time.perf_counter()
                request(len(taken))
                taken.append(time.perf_counter() - began)
            for percentile in (50, 99):
                found[f"http_{name}_p{percentile}"] = float(np.percentile(taken[1:], percentile))
    return found


def streamed(folder: Path, rows: int, out: Path) -> Iterator[dict[str, float]]:
    """Yield the resident memory of a stream of one series, in MiB, and its seconds, after each part of its rows."""
    command = [sys.executable, "-m", "throughtime", "stream", str(folder), "--out", str(out), "--quiet"]
    command += ["--horizon", "1", "--flag", "0.999"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        writing = threading.Thread(target=write_rows, args=(process.stdin, rows))
        writing.start()
        began = time.perf_counter()
        for number, _ in enumerate(process.stdout, 1):
            if number % (rows // SAMPLES) == 0 or number == 100:
                status = Path(f"/proc/{process.pid}/status").read_text()
                resident = int(status.partition("VmRSS:")[2].split()[0]) / 1024
                yield {"rows": number, "mib": resident, "seconds": time.perf_counter() - began}
        writing.join()


def write_rows(file: Any, rows: int) -> None:
    """Write rows of a series after its known ones."""
    draw = np.random.default_rng(0)
    file.write("unique_id,ds,y\n")
    for step in range(LENGTH, LENGTH + rows):
        value = 20 + 5 * np.sin(2 * np.pi * step / 7) + draw.normal()
        file.write(f"s0,{FIRST + datetime.timedelta(step)},{value:.6f}\n")
    file.close()


def page(timings: list[dict[str, Any]], memory: list[dict[str, float]], today: str, load: float) -> str:
    """Return the results as Markdown."""
    lines = [
        "# A model in use",
        "",
        f"{today}, {machine.processor()}, {machine.cores()} cores. Load before: {load:.1f}.",
        f"`{machine.command()}`",
        "",
        f"Daily series of {LENGTH} steps, horizon {HORIZON}. Median milliseconds; over HTTP 50th / 99th percentile.",
        "",
        "| model | series | update by a row | by one for each | forecast of all | HTTP update | HTTP forecast of one |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for row in timings:
        python = " | ".join(f"{1000 * row[name]:,.1f}" for name in ("update", "update_all", "predict_all"))
        http = " | ".join(
            f"{1000 * row[f'http_{name}_p50']:,.1f} / {1000 * row[f'http_{name}_p99']:,.1f}"
            for name in ("update", "forecast")
        )
        lines.append(f"| {row['model']} | {row['series']:,} | {python} | {http} |")
    lines += [
        "",
        "A stream of one series, with flags, the trained model:",
        "",
        "| rows | resident MiB | seconds |",
        "|---:|---:|---:|",
    ]
    lines += [f"| {row['rows']:,.0f} | {row['mib']:,.0f} | {row['seconds']:,.0f} |" for row in memory]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
