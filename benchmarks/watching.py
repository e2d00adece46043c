"""The cost of watching a training run, every 100 steps of the reference step.

Two runs from the same weights take turns in one process, 100 steps each, one with a watch and one without, so that
other work on the machine affects both. See ``benchmarks/README.md``.

    python benchmarks/watching.py [--rounds N] [--results DIR]
"""

import argparse
import datetime
import json
import os
import statistics
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import machine
from peers import task

from throughtime import configure

configure()  # as the command line does, before JAX is imported

import jax  # noqa: E402
import optax  # noqa: E402

import throughtime as tt  # noqa: E402
from throughtime.cells import orthogonal  # noqa: E402
from throughtime.layers import RecurrentNetwork  # noqa: E402
from throughtime.training import (  # noqa: E402  # noqa: E402
    Progress,
    Watch,
    masked_mean,
    run_steps,
    squared_error,
    start,
)

ADAM = optax.adam(task.LEARNING_RATE)
CASES = {
    "Adam, the reference step": (ADAM, Watch()),
    "clipped at a norm of 1, then Adam": (optax.chain(optax.clip_by_global_norm(1.0), ADAM), Watch(clip_norm=1.0)),
}
DATA = tt.TimeSeriesData()
NOTE = (
    "Microseconds per step, from report to report, over {} pairs of 100 steps. Cost: median of the pairs' differences. "
    "Once in 100 steps a watch records the gradient by lag, updates relative to weights, dead and saturated units; "
    "if gradients are clipped, also the norm at each step."
)


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10, help="runs of 2,000 steps each way (default: 10)")
    parser.add_argument(
        "--results", type=Path, default=Path(__file__).parent / "results", help="the folder to write to"
    )
    args = parser.parse_args()
    if args.rounds < 1:
        parser.error(f"expected at least 1 round, got {args.rounds}")
    load, today = os.getloadavg()[0], datetime.date.today().isoformat()
    pairs = {case: [pair for seed in range(args.rounds) for pair in measure(case, seed)] for case in CASES}
    told = machine.describe() | {"load average at the start": f"{load:.2f}"}
    told["versions"] = ", ".join(f"{name} {version(name)}" for name in ("throughtime", "jax", "jaxlib", "optax"))
    told["command"] = f"`python benchmarks/watching.py --rounds {args.rounds}`"
    text = page(today, told, pairs)
    print(text)
    args.results.mkdir(parents=True, exist_ok=True)
    file = args.results / f"watching-{today}-{machine.name()}.md"
    file.write_text(text)
    file.with_suffix(".json").write_text(json.dumps({"date": today, "machine": told, "pairs": pairs}) + "\n")


def loss(network: RecurrentNetwork, _data: None, key: Any) -> Any:
    """Return the mean squared error on a random window of sin(t), as in ``throughtime demo``."""
    x, y, _ = DATA.draw(key, task.BATCH, task.WINDOW)
    return masked_mean(squared_error(network(x)[1], y))


def measure(case: str, seed: int) -> Iterator[dict[str, float]]:
    """Yield microseconds per step of each pair of chunks: from report to report, and of the compiled steps alone."""
    optimizer, watch = CASES[case]
    runs = {"alone": reports(optimizer, None, seed), "watched": reports(optimizer, watch, seed)}
    for run in runs.values():
        next(run)  # compiles
    for number in range(1, task.STEPS // task.CHUNK):
        pair = {}
        for name in sorted(runs, reverse=number % 2 == 1):  # each goes first equally often
            began = time.perf_counter()
            progress = next(runs[name])
            pair[name] = (time.perf_counter() - began) / task.CHUNK * 1e6
            pair[f"{name}, steps"] = progress.seconds / task.CHUNK * 1e6
        yield pair


def reports(optimizer: optax.GradientTransformation, watch: Watch | None, seed: int) -> Iterator[Progress]:
    """Start a run of the reference step."""
    key, key_cell, key_readout = jax.random.split(jax.random.key(seed), 3)
    cell = tt.Elman(1, task.HIDDEN, "relu", recurrent_init=orthogonal(0.8), key=key_cell)
    state = start(RecurrentNetwork(cell, 1, key=key_readout), optimizer, key)
    return run_steps(state, loss, optimizer, None, steps=task.STEPS, every=task.CHUNK, watch=watch)


def page(today: str, told: dict[str, str], pairs: dict[str, list[dict[str, float]]]) -> str:
    """Return the results as Markdown."""
    lines = [f"# What watching costs, {today}", "", *(f"- {key}: {value}" for key, value in told.items() if value), ""]
    lines.append("|  | not watched, minimum | median | watched, minimum | median | cost | of it in the steps | share |")
    lines.append("|---|---:|---:|---:|---:|---:|---:|---:|")
    for case, measured in pairs.items():
        cells = []
        for name in ("alone", "watched"):
            times = [pair[name] for pair in measured]
            cells += [f"{min(times):.1f}", f"{statistics.median(times):.1f}"]
        cost = statistics.median(pair["watched"] - pair["alone"] for pair in measured)
        steps = statistics.median(pair["watched, steps"] - pair["alone, steps"] for pair in measured)
        share = statistics.median(pair["watched"] / pair["alone"] - 1 for pair in measured)
        lines.append(f"| {' | '.join([case, *cells, f'{cost:.1f}', f'{steps:.1f}', f'{share:.1%}'])} |")
    return "\n".join([*lines, "", NOTE.format(len(next(iter(pairs.values()))))]) + "\n"


if __name__ == "__main__":
    main()
