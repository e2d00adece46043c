"""The cost of a forecast: of one series from process start to file, and in a process that has begun."""

import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import processes

from zero_shot.pages import table
from zero_shot.peers import PEERS

WARM = Path(__file__).parent / "warm.py"
EXAMPLES = Path(__file__).parents[2] / "examples"
HORIZON = 12
OURS, THEIRS = "throughtime forecast --preset instant", "statsforecast AutoETS"
NOTE = """\
One series, from the start of a process to its forecasts in a file, in turns. `throughtime forecast` also backtests, and
writes a report and the model; the peer's script reads the file, and writes the forecasts with the same intervals. A
first run of each is not counted: it fills the caches of bytecode and of numba."""
INSIDE = "In a process that has begun, on one core, then 10,000 monthly series of 60 to 140 steps on two cores."


def page(data: Path, peers_python: str, rounds: int) -> list[str]:
    """Measure, and return the tables."""
    files = [EXAMPLES / "sea_surface_temperature.csv", data / "air_passengers.csv"]
    rows = [cells for file in files if file.exists() for cells in pairs(file, peers_python, rounds)]
    header = ("", "CPU s, minimum", "median", "s, minimum", "median")
    _, told = processes.last_line([sys.executable, str(WARM)], {})
    inside = [[name, *(f"{figure:.4g}" for figure in figures)] for name, figures in told]
    print(*inside, sep="\n")
    return [
        NOTE,
        "",
        *table(header, rows),
        "",
        INSIDE,
        "",
        *table(("", "CPU ms, minimum", "median", "ms, median"), inside),
    ]


def pairs(file: Path, peers_python: str, rounds: int) -> Iterator[list[str]]:
    """Yield a row for each side; both take turns."""
    sides = {OURS: [sys.executable, "-m", "throughtime", "forecast", str(file), "--preset", "instant", "--quiet"]}
    if processes.has_modules(peers_python, ("statsforecast",)):
        sides[THEIRS] = [peers_python, str(PEERS / "statsforecast_file.py"), str(file)]
    ended = {name: [] for name in sides}
    with tempfile.TemporaryDirectory() as scratch:
        for _ in range(rounds + 1):
            for name, command in sides.items():
                out, log = f"{scratch}/{len(name)}", Path(scratch) / "log"
                words = [*command, "--horizon", str(HORIZON), "--out", out]
                ended[name].append(processes.timed(words, {}, log))
                if not (Path(out) / "forecasts.csv").exists():
                    raise SystemExit(f"{name} failed:\n{log.read_text()[-2000:]}")
    for name, runs in ended.items():
        cells = [*spread([run.worked for run in runs[1:]]), *spread([run.seconds for run in runs[1:]])]
        print(file.name, name, *cells, flush=True)
        yield [f"{file.name}, {name}", *cells]


def spread(seconds: Sequence[float]) -> tuple[str, str]:
    """Return minimum and median."""
    return f"{min(seconds):.2f}", f"{statistics.median(seconds):.2f}"
