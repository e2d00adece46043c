"""The memory to read, train on and forecast a large panel, from a Parquet file of many series.

Each measurement runs in a separate process, so that its peak resident memory is not that of another one.

    python benchmarks/memory_of_panels.py --series 100000 --length 100
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl

HORIZON, STEPS = 12, 20
COVARIATES = {"static": ["kind"], "past": ["visits"], "future": ["price"]}
MEGABYTE = 1024  # the system counts kilobytes


def write_panel(path: Path, *, series: int, length: int) -> None:
    """Write a daily panel with an unneeded column and rows for a horizon of future covariates."""
    rng, steps = np.random.default_rng(0), np.arange(length + HORIZON)
    days = np.datetime64("2024-01-01") + steps
    count = series * len(steps)
    y = 50 + 5 * np.sin(2 * np.pi * np.tile(steps, series) / 7) + rng.normal(0, 1, count)
    known = np.tile(steps < length, series)
    pl.DataFrame(
        {
            "unique_id": pl.Series([f"series {k:06d}" for k in range(series)]).repeat_by(len(steps)).explode(),
            "ds": pl.Series(np.tile(days, series)).cast(pl.Date),
            "y": pl.Series(np.where(known, y, np.nan)).fill_nan(None),
            "price": rng.normal(3, 1, count),
            "visits": rng.normal(100, 10, count),
            "kind": np.repeat(rng.choice(["shop", "kiosk", "market"], series), len(steps)),
            "unused": rng.random(count),
        }
    ).write_parquet(path)


def measure(path: Path, covariates: bool) -> dict[str, float]:
    """Return seconds and peak megabytes after each stage, in this process."""
    import throughtime as tt

    found: dict[str, float] = {}
    began = time.perf_counter()

    def note(stage: str) -> None:
        found[f"{stage}_seconds"] = time.perf_counter() - began
        found[f"{stage}_peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MEGABYTE

    named = COVARIATES if covariates else {}
    panel = tt.read_panel(path, target="y", **named)
    note("read")
    model = tt.Forecaster(HORIZON, steps=STEPS).fit(panel)
    note("fit")
    forecasts = model.predict(level=[80, 95])
    note("predict")
    return found | {"rows": len(forecasts)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", type=int, default=100_000)
    parser.add_argument("--length", type=int, default=100)
    parser.add_argument("--measure", nargs=2, metavar=("FILE", "COVARIATES"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.measure:
        print(json.dumps(measure(Path(asked.measure[0]), asked.measure[1] == "yes")))
        return
    print(f"{asked.series:,} series of {asked.length} steps, {STEPS} training steps, {HORIZON} steps ahead")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "panel.parquet"
        subprocess.run([sys.executable, "-c", WRITER, str(file), str(asked.series), str(asked.length)], check=True)
        for covariates in ("no", "yes"):
            command = [sys.executable, __file__, "--measure", str(file), covariates]
            found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            stages = ", ".join(
                f"{stage} {found[f'{stage}_peak_mb']:,.0f} MB after {found[f'{stage}_seconds']:.1f} s"
                for stage in ("read", "fit", "predict")
            )
            print(f"covariates {covariates}: {stages}")


WRITER = f"""
import sys
from pathlib import Path
sys.path.insert(0, {str(Path(__file__).parent)!r})
from memory_of_panels import write_panel
write_panel(Path(sys.argv[1]), series=int(sys.argv[2]), length=int(sys.argv[3]))
"""

if __name__ == "__main__":
    main()
