"""The accuracy and the time of `throughtime forecast` with its defaults.

Every series goes through the command line as a user would run it, twice, so that the second process finds the
compiled programs of the first. Then the last year of the air passengers is held back and forecast from the rest.

    python benchmarks/first_forecasts.py [--data FOLDER]

The examples ship with the project; the other series are read from FOLDER if it has them.
"""

import argparse
import datetime
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import machine
import numpy as np
import polars as pl

from throughtime import __version__

ROOT = Path(__file__).parents[1]
COMMAND = [sys.executable, "-m", "throughtime", "forecast"]
EXAMPLES = (
    ("sea_surface_temperature.csv", ["--horizon", "12"]),
    ("co2_weekly.csv", ["--horizon", "26"]),
    ("nile.csv", ["--horizon", "5"]),
)
OTHERS = (
    ("air_passengers.csv", ["--horizon", "12"]),
    ("monthly_sunspots.csv", ["--horizon", "12"]),
    ("ETTh1.csv", ["--horizon", "24", "--target", "OT"]),
    ("m4_hourly_train.csv.gz", ["--horizon", "48", "--season", "24"]),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data", help="other series")
    folder = parser.parse_args().data
    files = [(ROOT / "examples" / name, options) for name, options in EXAMPLES]
    files += [(folder / name, options) for name, options in OTHERS if (folder / name).exists()]
    lines = []
    with tempfile.TemporaryDirectory() as scratch:
        for file, options in files:
            lines.append(line(file, options, Path(scratch)))
            print(lines[-1], flush=True)
        held_back = last_year(folder / "air_passengers.csv", Path(scratch))
    print(held_back)
    today = datetime.date.today().isoformat()
    page = [f"# First forecasts, {today}", "", *(f"- {key}: {value}" for key, value in machine.describe().items())]
    page += [f"- throughtime: {__version__}", "- command: `python benchmarks/first_forecasts.py`", "", HEAD, *lines]
    page += ["", NOTE, "", held_back]
    (ROOT / "benchmarks" / "results" / f"first_forecasts-{today}-{machine.name()}.md").write_text(
        "\n".join(page) + "\n"
    )


HEAD = (
    "| file | options | series | MASE | seasonal naive | windows | 80 % covers | 95 % covers | s, first | s, again |\n"
    "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|"
)
NOTE = (
    "MASE: mean over the series, on the last windows of the file, by a network trained on the data before all of them. "
    "Seconds: the whole process, with the backtest, the final training and the report; first with an empty compilation "
    "cache, then with the filled one."
)


def line(file: Path, options: list[str], scratch: Path) -> str:
    first, _ = forecast(file, options, scratch / file.stem)
    again, told = forecast(file, options, scratch / file.stem)
    cells = (
        file.name,
        f"`{' '.join(options)}`",
        told["series"],
        f"{told['mase']:.3f}",
        f"{told['seasonal_naive_mase']:.3f}",
        told["backtest_windows"],
        *(f"{told['coverage'][level]:.0%}" for level in ("80", "95")),
        f"{first:.1f}",
        f"{again:.1f}",
    )
    return f"| {' | '.join(str(cell) for cell in cells)} |"


def last_year(file: Path, scratch: Path) -> str:
    """Forecast the last 12 of the air passengers' 144 months, which the command never sees."""
    if not file.exists():
        return "The air passengers are missing."
    table = pl.read_csv(file)
    table.head(-12).write_csv(scratch / "until_1959.csv")
    forecast(scratch / "until_1959.csv", ["--horizon", "12"], scratch / "held_back")
    predicted = pl.read_csv(scratch / "held_back" / "forecasts.csv")["throughtime"].to_numpy()
    y = table[:, 1].to_numpy().astype(float)
    scale = np.mean(np.abs(y[12:-12] - y[:-24]))
    ours, naive = (np.mean(np.abs(y[-12:] - guess)) / scale for guess in (predicted, y[-24:-12]))
    return f"Air passengers, last 12 months held back: MASE {ours:.3f}, seasonal naive {naive:.3f}."


def forecast(file: Path, options: list[str], out: Path) -> tuple[float, dict]:
    """Return the seconds of the whole process, and its JSON answer."""
    environment = os.environ | {"JAX_COMPILATION_CACHE_DIR": f"{out}-cache"}
    began = time.perf_counter()
    done = subprocess.run(
        [*COMMAND, str(file), *options, "--json", "--out", str(out)], env=environment, capture_output=True, text=True
    )
    if done.returncode != 0:
        raise SystemExit(done.stderr)
    return time.perf_counter() - began, json.loads(done.stdout)


if __name__ == "__main__":
    main()
