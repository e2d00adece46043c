"""What one forecast costs besides arithmetic: programs compiled, CPU seconds and memory.

Each case is a process of its own; the first of each preset has an empty compilation cache. The last process fits many
series in a loop, each a day longer than the one before.

    python benchmarks/cost_of_a_fit.py [--data FOLDER] [--fits N] [--before FOLDER] [--list]
"""

import argparse
import datetime
import json
import os
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

import machine

ROOT = Path(__file__).parents[1]
FEW_FITS = 3  # of a former version, which may compile for each
EXAMPLE = ROOT / "examples" / "sea_surface_temperature.csv"
OBSERVED = """
import json, resource, sys
from pathlib import Path
from throughtime import configure
configure()
import jax

programs, loaded = [], []
def note(event, seconds, **more):
    if event == "/jax/core/compile/backend_compile_duration":
        programs.append((str(more.get("fun_name")), round(seconds, 3)))
def note_hit(event, **more):
    if event == "/jax/compilation_cache/cache_hits":
        loaded.append(event)
jax.monitoring.register_event_duration_secs_listener(note)
jax.monitoring.register_event_listener(note_hit)

def cpu():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime

def mebibytes():
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 2**20
"""
COMMAND = f"""{OBSERVED}
from throughtime.__main__ import main
report, sys.argv = sys.argv[1], ["throughtime", *sys.argv[2:]]
try:
    main()
finally:
    Path(report).write_text(json.dumps(dict(cpu=cpu(), programs=programs, loaded=len(loaded))))
"""
LOOP = f"""{OBSERVED}
from datetime import date
import numpy as np, polars as pl, throughtime as tt
days = pl.date_range(date(2020, 1, 1), date(2024, 12, 31), "1d", eager=True)
seconds, memory, counts = [], [], []
for length in range(60, 60 + int(sys.argv[2])):
    y = 9 + 3 * np.sin(2 * np.pi * np.arange(length) / 7) + np.random.default_rng(length).normal(size=length)
    began, before = cpu(), len(programs)
    tt.Forecaster(7, preset="fast", steps=20).fit(pl.DataFrame(dict(ds=days[:length], y=y))).predict()
    seconds.append(cpu() - began), memory.append(mebibytes()), counts.append(len(programs) - before)
Path(sys.argv[1]).write_text(json.dumps(dict(seconds=seconds, memory=memory, counts=counts)))
"""


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data", help="air_passengers.csv")
    parser.add_argument("--fits", type=int, default=200, help="of the loop")
    parser.add_argument("--before", type=Path, help="the folder src of a former version, to compare with")
    parser.add_argument("--list", action="store_true", help="print each program with its seconds; write nothing")
    args = parser.parse_args()
    sources = [("This version", ROOT / "src", args.fits)]
    sources += [("Before", args.before, FEW_FITS)] if args.before else []
    lines = []
    for title, source, fits in sources:
        with tempfile.TemporaryDirectory() as scratch:
            lines += [f"## {title}", "", HEAD, *commands(args, source, Path(scratch))]
            lines += ["", in_one_process(run(LOOP, [str(fits)], source, Path(scratch), "loop")), ""]
        print(lines[-2])
    if not args.list:
        write(lines[:-1])


def commands(args: argparse.Namespace, source: Path, scratch: Path) -> list[str]:
    """Return a line for each run of the command."""
    other = args.data / "air_passengers.csv"
    lines = []
    for preset in ("balanced", "fast"):
        cases = [("empty cache", EXAMPLE), ("again", EXAMPLE), *([("another file", other)] if other.exists() else [])]
        for name, file in cases:
            words = [
                "forecast",
                str(file),
                "--horizon",
                "12",
                "--preset",
                preset,
                "--quiet",
                "--out",
                str(scratch / "o"),
            ]
            told = run(COMMAND, words, source, scratch, preset)
            compiled = len(told["programs"]) - told["loaded"]
            lines.append(f"| {preset} | {name}, {file.name} | {compiled} | {told['loaded']} | {told['cpu']:.1f} |")
            print(lines[-1], flush=True)
            if args.list:
                print("\n".join(f"    {seconds:7.3f} s  {program}" for program, seconds in told["programs"]))
    return lines


def run(code: str, words: list[str], source: Path, scratch: Path, cache: str) -> dict[str, Any]:
    """Return what a process reports; its compilation cache is in a folder of this name."""
    report = scratch / "report.json"
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("JAX_", "XLA_"))}
    path = os.pathsep.join([str(source), os.environ.get("PYTHONPATH", "")])
    environment |= {"PYTHONPATH": path, "XDG_CACHE_HOME": str(scratch / cache)}
    done = subprocess.run([sys.executable, "-c", code, report, *words], env=environment, capture_output=True, text=True)
    if not report.exists():
        raise SystemExit(done.stderr)
    told = json.loads(report.read_text())
    report.unlink()
    return told


def in_one_process(loop: dict[str, Any]) -> str:
    """Return the sentences about the loop."""
    seconds, memory, counts = loop["seconds"], loop["memory"], loop["counts"]
    later = sorted(seconds[1:])
    return (
        f"{len(seconds)} fits in one process, with `preset='fast', steps=20` and their forecasts, of 60, 61, ... days: "
        f"the first takes {seconds[0]:.1f} CPU seconds and {counts[0]} programs, the others "
        f"{later[len(later) // 2]:.2f} (median; at most {later[-1]:.2f}) and {sum(counts[1:])} programs in all. Memory "
        f"after the first: {memory[0]:,.0f} MiB, after the last {memory[-1] - memory[0]:+,.0f} MiB."
    )


def write(lines: list[str]) -> None:
    """Write the page with the machine and the versions."""
    today = datetime.date.today().isoformat()
    versions = ", ".join(f"{name} {version(name)}" for name in ("jax", "jaxlib", "optax", "equinox"))
    page = [f"# The cost of a fit, {today}", "", *(f"- {key}: {value}" for key, value in machine.describe().items())]
    page += [f"- versions: {versions}", f"- command: `{machine.command()}`", "", NOTE, "", *lines]
    name = f"cost_of_a_fit-{today}-{machine.name()}.md"
    (ROOT / "benchmarks" / "results" / name).write_text("\n".join(page) + "\n")


HEAD = "| preset | run | programs compiled | from the cache | CPU s |\n|---|---|---:|---:|---:|"
NOTE = (
    "`throughtime forecast FILE --horizon 12`: user and system CPU seconds of the process, with imports, backtest,"
    " training and report. The seconds on a clock depend on what else the machine does; these hardly do."
)


if __name__ == "__main__":
    main()
