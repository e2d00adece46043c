"""The CPU time of a step of ``throughtime demo``, with its evaluations and checkpoints, beside the plain training loop.

Each round runs the command for 2,000 and for 42,000 steps, and the loop alone for 40,000, each in its own process. The
difference of the first two is the cost of 40,000 steps; what a process does once is no part of it.

    python benchmarks/demo.py [--rounds N] [--before FOLDER]
"""

import argparse
import datetime
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

import machine

ROOT = Path(__file__).parents[1]
FEW, MORE = 2_000, 40_000  # training steps
DEMO = "import sys; from throughtime.__main__ import main; main()"
LOOP = f"""
import resource
from throughtime import configure
configure()
from throughtime.cli import sine_wave as demo

def cpu():
    return sum(resource.getrusage(resource.RUSAGE_SELF)[:2])

import jax.numpy as jnp, optax
from throughtime.training import run_steps
optimizer = optax.adam(demo.LEARNING_RATE)
state = demo._start("elman", jnp.asarray(0, jnp.uint32), optimizer)
began = 0.0
loss = demo._loss_on(demo.TimeSeriesData())
for progress in run_steps(state, loss, optimizer, None, steps={FEW + MORE}, every=demo.EVERY):
    if int(progress.state.step) == {FEW}:
        began = cpu()
print((cpu() - began) / {MORE} * 1e6)
"""


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--before", type=Path, help="the folder src of a former version, to compare with")
    args = parser.parse_args()
    sources = {"throughtime demo": ROOT / "src"} | ({"the same, before": args.before} if args.before else {})
    measured: dict[str, list[float]] = {name: [] for name in ("the loop alone", *sources)}
    with tempfile.TemporaryDirectory() as scratch:
        for source in sources.values():
            demo(source, FEW, scratch)  # fills the compilation cache
        for number in range(args.rounds):
            measured["the loop alone"].append(loop(ROOT / "src", scratch))
            for name, source in sources.items():
                few, more = (demo(source, steps, scratch) for steps in (FEW, FEW + MORE))
                measured[name].append((more - few) / MORE * 1e6)
            print(f"round {number + 1}:", {name: round(times[-1], 1) for name, times in measured.items()}, flush=True)
    today = datetime.date.today().isoformat()
    (ROOT / "benchmarks" / "results" / f"demo-{today}-{machine.name()}.md").write_text(page(today, measured))


def page(today: str, measured: dict[str, list[float]]) -> str:
    """Return the results as Markdown."""
    versions = ", ".join(f"{name} {version(name)}" for name in ("throughtime", "jax", "jaxlib", "optax"))
    facts = machine.describe() | {"versions": versions, "command": f"`{machine.command()}`"}
    lines = [f"# A step of the demo, {today}", "", *(f"- {key}: {value}" for key, value in facts.items()), ""]
    lines += ["| microseconds of CPU per step | median | rounds |", "|---|---:|---|"]
    for name, times in measured.items():
        lines.append(f"| {name} | {statistics.median(times):.1f} | {', '.join(f'{time:.1f}' for time in times)} |")
    return "\n".join(lines) + "\n"


def demo(source: Path, steps: int, scratch: str) -> float:
    """Return the CPU seconds of the whole command."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    options = ["demo", "--no-pictures", "--quiet", "--steps", str(steps), "--out", f"{scratch}/out"]
    subprocess.run([sys.executable, "-c", DEMO, *options], env=environment(source, scratch), check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def loop(source: Path, scratch: str) -> float:
    """Return the microseconds of CPU per step of the training loop alone."""
    command = [sys.executable, "-c", LOOP]
    done = subprocess.run(command, env=environment(source, scratch), check=True, capture_output=True, text=True)
    return float(done.stdout)


def environment(source: Path, scratch: str) -> dict[str, str]:
    """Return the environment of a process that imports throughtime from ``source``, with a cache of its own."""
    path = os.pathsep.join([str(source), *filter(None, [os.environ.get("PYTHONPATH")])])
    return os.environ | {"PYTHONPATH": path, "XDG_CACHE_HOME": scratch}


if __name__ == "__main__":
    main()
