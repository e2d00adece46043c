"""A model in use: updates and forecasts per second, in Python and over HTTP, and the memory of a stream.

The model is the pretrained network, or a small trained one, with 1, 100 and 10,000 daily series of 140 steps. See
``benchmarks/README.md``.

    python benchmarks/in_use.py [--seconds S] [--rows N] [--answered N] [--results DIR]
        [--streams N ...] [--length N] [--samples N]

Without seconds, only the stream is measured; without rows, only the timings are.
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
from collections import deque
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
WARM = 5000  # rows of a stream before the first sample of its memory
ANEW = 100  # updates until a series begins anew


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5.0, help="of each measurement (default: 5)")
    parser.add_argument("--rows", type=int, default=1_000_000, help="of each stream (default: 1,000,000)")
    parser.add_argument("--answered", type=int, default=1_000_000, help="of these, the last ones (default: 1,000,000)")
    parser.add_argument("--streams", type=int, nargs="+", default=(1, 100), help="series of each (default: 1 100)")
    parser.add_argument("--length", type=int, default=LENGTH, help=f"of a streamed series before (default: {LENGTH})")
    parser.add_argument("--samples", type=int, default=10, help="of the memory of each (default: 10)")
    parser.add_argument("--results", type=Path, default=Path(__file__).parent / "results", help="folder to write to")
    args = parser.parse_args()
    args.results.mkdir(parents=True, exist_ok=True)
    load, today = os.getloadavg()[0], datetime.date.today().isoformat()
    timings, memory = [], []
    with tempfile.TemporaryDirectory() as folder:
        for kind in PRESETS if args.seconds else ():
            for count in COUNTS:
                model = model_of(kind, count)
                model.save(Path(folder) / f"{kind}-{count}")
                timings.append({"model": kind, "series": count, **in_python(model, count, args.seconds)})
                timings[-1] |= over_http(Path(folder) / f"{kind}-{count}", count, args.seconds)
                print(timings[-1], flush=True)
        for count in args.streams if args.rows else ():
            numbered_model(count, args.length).save(Path(folder) / "streamed")
            marks = {min(WARM, args.rows), *range(args.rows // args.samples, args.rows + 1, args.rows // args.samples)}
            for row in streamed(Path(folder) / "streamed", count, args.length, marks, args.answered):
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


def numbered_model(count: int, length: int) -> tt.Forecaster:
    """Return a trained model with so many series whose steps are numbers: text of dates takes longer to read."""
    steps = {"ds": np.arange(length)}
    frame = pl.concat([series(number, range(length)).with_columns(**steps) for number in range(count)])
    return tt.Forecaster(horizon=HORIZON, season=7, **PRESETS["trained"]).fit(frame)


def in_python(model: tt.Forecaster, count: int, seconds: float) -> dict[str, float]:
    """Return the seconds of an update by a row, of forecasting all series, of both, and of a row for each series."""
    fitted, found = model.fitted_, {"predict_all": typical(lambda call: model.predict(), seconds)}
    update = next_step(model, series(0, range(LENGTH, LENGTH + 1)))
    found["update"] = typical(update, seconds)
    found["update_and_predict"] = typical(lambda call: update(call).predict(), seconds)
    rows = pl.concat([series(number, range(LENGTH, LENGTH + 1)) for number in range(count)])
    model.fitted_ = fitted
    return found | {"update_all": typical(next_step(model, rows), seconds)}


def next_step(model: tt.Forecaster, rows: pl.DataFrame) -> Callable[[int], Any]:
    """Return a call that appends the next row of each series of ``rows``; every hundred calls it begins anew.

    So the series keep about the length that they are said to have, however fast a machine is.
    """
    fitted = model.fitted_
    later = [rows.with_columns(ds=pl.lit(FIRST + datetime.timedelta(LENGTH + step))) for step in range(ANEW)]

    def call(number: int) -> tt.Forecaster:
        if number % ANEW == 0:
            model.fitted_ = fitted
        return model.update(later[number % ANEW])

    return call


def typical(call: Callable[[int], Any], seconds: float) -> float:
    """Return the median seconds of calls, after a first one."""
    call(0)
    taken, spent = [], 0.0  # the sum of all times, taken anew for each call, would take the caches from it
    while spent < seconds:
        began = time.perf_counter()
        call(len(taken) + 1)
        taken.append(time.perf_counter() - began)
        spent += taken[-1]
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
            while len(taken) < 2 or sum(taken) < seconds:
                began = time.perf_counter()
                request(len(taken))
                taken.append(time.perf_counter() - began)
            for percentile in (50, 99):
                found[f"http_{name}_p{percentile}"] = float(np.percentile(taken[1:], percentile))
    return found


def streamed(folder: Path, count: int, length: int, marks: set[int], answered: int) -> Iterator[dict[str, float]]:
    """Yield the resident memory of a stream of so many series, in MiB, and its seconds, at these numbers of rows."""
    rows = max(marks)
    command = [sys.executable, "-m", "throughtime", "stream", str(folder), "--out", f"{folder}-{count}", "--quiet"]
    command += ["--horizon", "1", "--flag", "0.999", "--after", str(max(rows - answered, 0))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        reading = threading.Thread(target=deque, args=(process.stdout, 0))
        reading.start()
        began = time.perf_counter()
        draw = np.random.default_rng(0)
        for number in range(1, rows + 1):
            step = length + (number - 1) // count
            value = 20 + 5 * np.sin(2 * np.pi * step / 7) + draw.normal()
            row = {"unique_id": f"s{(number - 1) % count}", "ds": step, "y": value}
            process.stdin.write(f"{json.dumps(row)}\n")
            if number in marks:
                process.stdin.flush()
                status = Path(f"/proc/{process.pid}/status").read_text()
                resident = int(status.partition("VmRSS:")[2].split()[0]) / 1024
                seconds = time.perf_counter() - began
                yield {"series": count, "rows": number, "mib": resident, "seconds": seconds}
        process.stdin.close()
        reading.join()


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
        "| model | series | update by a row | forecast of all | both | row for each | HTTP update | HTTP forecast |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for row in timings:
        names = ("update", "predict_all", "update_and_predict", "update_all")
        python = " | ".join(f"{1000 * row[name]:,.2f}" for name in names)
        http = " | ".join(
            f"{1000 * row[f'http_{name}_p50']:,.1f} / {1000 * row[f'http_{name}_p99']:,.1f}"
            for name in ("update", "forecast")
        )
        lines.append(f"| {row['model']} | {row['series']:,} | {python} | {http} |")
    if memory:
        columns = ("series", "rows", "mib", "seconds")
        lines += [
            "",
            "Streams with flags, the trained model; at most the pipe's 64 KiB of the rows wait to be read:",
            "",
            "| series | rows | resident MiB | seconds |",
            "|---:|---:|---:|---:|",
            *(f"| {' | '.join(f'{row[name]:,.0f}' for name in columns)} |" for row in memory),
        ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
