"""The time left that ``throughtime forecast`` shows, beside the time that was left.

Each file is forecast twice, with an empty and with a filled compilation cache. The estimate is noted at every report of
training, and compared at fifths of the time from the first estimate to the end of the command. Time is the CPU's, of
which other work on the machine takes none.

    python benchmarks/time_left.py [FILE HORIZON] ...
"""

import datetime
import json
import os
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

import machine
import numpy as np

ROOT = Path(__file__).parents[1]
EXAMPLES = (("co2_weekly.csv", "26"), ("sea_surface_temperature.csv", "12"))
MOMENTS = (0.0, 0.2, 0.4, 0.6, 0.8)  # of the time from the first estimate to the end
COMMAND = """
import json, sys, time
from throughtime.cli.app import run
from throughtime.cli.progress_bar import ForecastBar
from throughtime.cli.time_left import TimeLeft

noted, show = [], ForecastBar.show
TimeLeft.__init__.__defaults__ = (time.process_time, *TimeLeft.__init__.__defaults__[1:])

def note(bar, *rest, **named):
    show(bar, *rest, **named)
    noted.append((time.process_time(), bar._left.seconds()))

ForecastBar.show = note
code = run(sys.argv[1:])
ended = time.process_time()
print(json.dumps({"code": code, "ended": ended, "noted": noted}))
"""


def main() -> None:
    """Measure, print, write."""
    words = sys.argv[1:]
    files = list(zip(words[::2], words[1::2], strict=True)) or [
        (str(ROOT / "examples" / name), horizon) for name, horizon in EXAMPLES
    ]
    lines = []
    for file, horizon in files:
        with tempfile.TemporaryDirectory() as scratch:
            for cache in ("empty", "filled"):
                lines.append(line(file, horizon, cache, measure(file, horizon, scratch)))
                print(lines[-1], flush=True)
    today = datetime.date.today().isoformat()
    facts = machine.describe() | {
        "load average": f"{os.getloadavg()[0]:.1f}",
        "versions": ", ".join(f"{name} {version(name)}" for name in ("throughtime", "jax", "jaxlib")),
        "command": "`python benchmarks/time_left.py`",
    }
    page = [f"# The time left, {today}", "", *(f"- {key}: {value}" for key, value in facts.items()), ""]
    page += [
        "CPU seconds left as estimated / as they were, at shares of the time from the first estimate to the end.",
        "",
    ]
    page += [
        f"| file | cache | CPU seconds in all | first estimate after | {' | '.join(f'{m:.0%}' for m in MOMENTS)} |"
    ]
    page += ["|---|---|---:|---:|" + "---:|" * len(MOMENTS), *lines]
    file = ROOT / "benchmarks" / "results" / f"time_left-{today}-{machine.name()}.md"
    file.write_text("\n".join(page) + "\n")


def measure(file: str, horizon: str, scratch: str) -> dict:
    """Return the estimates of one run, and when it ended."""
    options = ["forecast", file, "--horizon", horizon, "--quiet", "--out", f"{scratch}/out"]
    environment = os.environ | {"XDG_CACHE_HOME": scratch}
    done = subprocess.run(
        [sys.executable, "-c", COMMAND, *options], env=environment, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def line(file: str, horizon: str, cache: str, run: dict) -> str:
    """Return a row of the table."""
    noted = np.array([pair for pair in run["noted"] if pair[1] is not None])
    first, ended = noted[0, 0], run["ended"]
    cells = [f"{Path(file).name}, horizon {horizon}", cache, f"{ended:.1f}", f"{first:.1f}"]
    for moment in MOMENTS:
        now = first + moment * (ended - first)
        last = noted[np.searchsorted(noted[:, 0], now, side="right") - 1]
        cells.append(f"{max(last[1] - (now - last[0]), 0):.1f} / {ended - now:.1f}")
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
