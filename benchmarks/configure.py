"""The CPU time that ``tt.configure()`` saves a Python user: a first fit in a first and in a second process.

python benchmarks/configure.py [--preset balanced]
"""

import argparse
import datetime
import os
import resource
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

import machine

ROOT = Path(__file__).parents[1]
FIT = """
import polars as pl
import throughtime as tt
{configure}
frame = pl.read_csv({file!r})
tt.Forecaster(horizon=12, preset={preset!r}, members=1).fit(frame).predict(level=[80, 95])
"""
WAYS = {"without": "", "with `tt.configure()`": "tt.configure()"}


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--preset", default="fast")
    preset = parser.parse_args().preset
    lines = []
    for name, configure in WAYS.items():
        with tempfile.TemporaryDirectory() as cache:
            seconds = [fit(configure, preset, cache) for _ in ("first", "second")]
        lines.append(f"| {name} | {' | '.join(f'{second:.1f}' for second in seconds)} |")
        print(lines[-1], flush=True)
    today = datetime.date.today().isoformat()
    versions = ", ".join(f"{name} {version(name)}" for name in ("throughtime", "jax", "jaxlib"))
    facts = machine.describe() | {"load average": f"{os.getloadavg()[0]:.1f}", "versions": versions}
    page = [f"# A fit in Python with and without configure(), {today}", ""]
    page += [*(f"- {key}: {value}" for key, value in facts.items()), f"- command: `{machine.command()}`", ""]
    page += [f"CPU seconds of a process that fits sea_surface_temperature.csv, preset {preset}, one network.", ""]
    page += ["| | first process | second process |", "|---|---:|---:|", *lines]
    file = ROOT / "benchmarks" / "results" / f"configure-{today}-{machine.name()}.md"
    file.write_text("\n".join(page) + "\n")


def fit(configure: str, preset: str, cache: str) -> float:
    """Return the CPU seconds of a process that fits and forecasts."""
    code = FIT.format(configure=configure, preset=preset, file=str(ROOT / "examples" / "sea_surface_temperature.csv"))
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", code], env=os.environ | {"XDG_CACHE_HOME": cache}, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
