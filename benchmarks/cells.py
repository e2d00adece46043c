"""The cost of each cell, and how far back it learns before training.

The script measures a forward and a backward pass through 100 steps with 100 units, all cells in turns in one process,
and the half-life of a gradient in untrained cells of 32 units. See ``benchmarks/README.md``.

    python benchmarks/cells.py [--rounds N] [--results DIR]
"""

import argparse
import datetime
import json
import os
import statistics
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import machine

from throughtime import configure

configure()  # as the command line does, before JAX is imported

import equinox as eqx  # noqa: E402
import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402

import throughtime as tt  # noqa: E402
from throughtime.cells import CELLS  # noqa: E402

STEPS, UNITS, BATCHES, SEEDS, CHUNK = 100, 100, (1, 32), 5, 0.1
NOTE = """\
Parameters with one input and 100 units. Microseconds of a forward and a backward pass through 100 steps: the gradient
of a sum of outputs with respect to all weights, minimum over all rounds. Default: as installed, with native kernels for
the cells that have one; scan: without. "x" is the time over that of Elman by the same method. Half-life:
`tt.gradient_flow` on 100 steps of white noise, one input, 32 untrained units; the median over {} draws of the weights,
each over four sequences, and the part of the gradient that is left after 100 steps."""


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="turns of every cell (default: 5)")
    parser.add_argument("--results", type=Path, default=Path(__file__).parent / "results", help="folder to write to")
    args = parser.parse_args()
    if args.rounds < 1:
        parser.error(f"expected at least 1 round, got {args.rounds}")
    load, today = os.getloadavg()[0], datetime.date.today().isoformat()
    told = machine.describe() | {"load average at the start": f"{load:.2f}"}
    told["versions"] = ", ".join(f"{name} {version(name)}" for name in ("throughtime", "jax", "jaxlib"))
    told["command"] = f"`python benchmarks/cells.py --rounds {args.rounds}`"
    times, memory = measure_times(args.rounds), {name: memory_at_the_start(name) for name in CELLS}
    text = page(today, told, times, memory)
    print(text)
    args.results.mkdir(parents=True, exist_ok=True)
    file = args.results / f"cells-{today}-{machine.name()}.md"
    file.write_text(text)
    file.with_suffix(".json").write_text(
        json.dumps({"date": today, "machine": told, "us": times, "memory": memory}, indent=1) + "\n"
    )


def gradient_of(name: str, batch: int, *, kernels: bool) -> Callable[[], None]:
    """Return a compiled forward and backward pass."""
    cell = CELLS[name](1, UNITS, key=jax.random.key(0))
    xs = jax.random.normal(jax.random.key(1), (batch, STEPS, 1))
    compiled = jax.jit(jax.grad(lambda cell, xs: jnp.sum(tt.unroll(cell, xs)[1])))
    if kernels:
        jax.block_until_ready(compiled(cell, xs))
    else:
        with tt.kernels.off():
            jax.block_until_ready(compiled(cell, xs))
    return lambda: jax.block_until_ready(compiled(cell, xs)) and None


def measure_times(rounds: int) -> dict[str, dict[str, float]]:
    """Return microseconds, minimum over all rounds, by batch and method and then by cell."""
    least: dict[str, dict[str, float]] = {}
    for batch in BATCHES:
        for way in ("default", "scan"):
            runs = {name: gradient_of(name, batch, kernels=way == "default") for name in CELLS}
            best = dict.fromkeys(CELLS, float("inf"))
            for _ in range(rounds):
                for name, run in runs.items():
                    best[name] = min(best[name], *turn(run))
            least[f"batch {batch}, {way}"] = best
    return least


def turn(run: Callable[[], None]) -> list[float]:
    """Return the microseconds of each call in a tenth of a second."""
    took, ends = [], time.perf_counter() + CHUNK
    while time.perf_counter() < ends:
        began = time.perf_counter()
        run()
        took.append((time.perf_counter() - began) * 1e6)
    return took


def memory_at_the_start(name: str) -> dict[str, float]:
    """Return the half-life in steps, and the part of the gradient left after all steps."""
    flows = []
    for seed in range(SEEDS):
        key_cell, key_xs = jax.random.split(jax.random.key(seed))
        cell = CELLS[name](1, 32, key=key_cell)
        flows.append(tt.gradient_flow(cell, jax.random.normal(key_xs, (4, STEPS, 1))))
    return {
        "half_life": statistics.median(flow.half_life for flow in flows),
        "left": statistics.median(float(flow.memory[-1]) for flow in flows),
    }


def parameters(name: str) -> int:
    """Return the number of parameters."""
    cell = CELLS[name](1, UNITS, key=jax.random.key(0))
    return sum(np.size(leaf) for leaf in jax.tree.leaves(eqx.filter(cell, eqx.is_inexact_array)))


def page(today: str, told: dict[str, str], times: dict[str, Any], memory: dict[str, Any]) -> str:
    """Return the results as Markdown."""
    lines = [f"# The cells, {today}", "", *(f"- {key}: {value}" for key, value in told.items() if value), ""]
    heads = [f"{way}{what}" for way in times for what in (", µs", ", x")]
    lines.append(f"| cell | parameters | {' | '.join(heads)} | half-life, steps | left after {STEPS} |")
    lines.append(f"|---|{'---:|' * (len(heads) + 3)}")
    for name, kind in CELLS.items():
        figures = []
        for best in times.values():
            figures += [f"{best[name]:,.0f}", f"{best[name] / best['elman']:.1f}"]
        half, left = memory[name]["half_life"], memory[name]["left"]
        figures += ["does not fall" if half == float("inf") else f"{half:.3g}", f"{left:.2g}"]
        lines.append(f"| {kind.__name__} | {parameters(name):,} | {' | '.join(figures)} |")
    return "\n".join([*lines, "", NOTE.format(SEEDS)]) + "\n"


if __name__ == "__main__":
    main()
