"""What does it cost to watch a training run, every 100 steps of the reference step?

Two runs from the same weights take turns in one process, 100 steps each, one watched and one not, so that whatever else
the machine does meets both. See ``benchmarks/README.md``.

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

from throughtime.settings import prepare_jax

prepare_jax()  # as the command line does, before JAX is imported

import jax  # noqa: E402
import optax  # noqa: E402

import throughtime as tt  # noqa: E402
from throughtime.cells.initializers import orthogonal  # noqa: E402
from throughtime.forecasting.losses import masked_mean, squared_error  # noqa: E402
from throughtime.layers import RecurrentNetwork  # noqa: E402
from throughtime.training.loop import Progress, start, train  # noqa: E402
from throughtime.training.watch import Watch  # noqa: E402

OPTIMISER = optax.adam(task.LEARNING_RATE)
DATA = tt.TimeSeriesData()
HEAD = (
    "| 100 steps and a report | minimum | median |\n|---|---:|---:|",
    "microseconds per step; watched every 100 steps: the norm of each step's gradient, and once in 100 steps the "
    "gradient by lag, the updates beside the weights, dead and saturated units.",
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
    pairs = [pair for seed in range(args.rounds) for pair in measure(seed)]
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
    """Mean squared error on a random window of sin(t), as ``throughtime demo`` has it."""
    x, y, _ = DATA.draw(key, task.BATCH, task.WINDOW)
    return masked_mean(squared_error(network(x)[1], y))


def measure(seed: int) -> Iterator[dict[str, float]]:
    """Microseconds per step of each pair of chunks: whole, from report to report, and in the compiled steps alone."""
    runs = {"alone": reports(seed, None), "watched": reports(seed, Watch(clip_norm=1.0))}
    for run in runs.values():
        next(run)  # compiles
    for number in range(1, task.STEPS // task.CHUNK):
        pair = {}
        for name in sorted(runs, reverse=number % 2 == 1):  # each goes first as often as the other
            began = time.perf_counter()
            progress = next(runs[name])
            pair[name] = (time.perf_counter() - began) / task.CHUNK * 1e6
            pair[f"{name}, steps"] = progress.seconds / task.CHUNK * 1e6
        yield pair


def reports(seed: int, watch: Watch | None) -> Iterator[Progress]:
    """A run of the reference step."""
    key, key_cell, key_readout = jax.random.split(jax.random.key(seed), 3)
    cell = tt.Elman(1, task.HIDDEN, "relu", recurrent_init=orthogonal(0.8), key=key_cell)
    state = start(RecurrentNetwork(cell, 1, key=key_readout), OPTIMISER, key)
    return train(state, loss, OPTIMISER, None, steps=task.STEPS, every=task.CHUNK, watch=watch)


def page(today: str, told: dict[str, str], pairs: list[dict[str, float]]) -> str:
    """The results as Markdown."""
    extra = [pair["watched"] - pair["alone"] for pair in pairs]
    in_steps = [pair["watched, steps"] - pair["alone, steps"] for pair in pairs]
    share = [pair["watched"] / pair["alone"] - 1 for pair in pairs]
    lines = [f"# What watching costs, {today}", "", *(f"- {key}: {value}" for key, value in told.items() if value), ""]
    lines.append(HEAD[0])
    for title, name in (("not watched", "alone"), ("watched", "watched")):
        times = [pair[name] for pair in pairs]
        lines.append(f"| {title} | {min(times):.1f} | {statistics.median(times):.1f} |")
    lines += [
        "",
        f"{HEAD[1][0].upper()}{HEAD[1][1:]}",
        "",
        f"Over {len(pairs)} pairs, watching took {statistics.median(share):.1%} more time (median of the pairs): "
        f"{statistics.median(extra):.2f} us a step, of which {statistics.median(in_steps):.2f} in the steps themselves "
        "and the rest in the look at each report.",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
