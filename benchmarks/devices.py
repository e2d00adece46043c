"""The speed of training on two devices: of one process, and of two processes, against one device.

Each side trains the same networks on the same global batches, in processes of its own that take turns. A process on one
core is pinned to it. See ``benchmarks/README.md``.

    python benchmarks/devices.py [--rounds N] [--results DIR]
"""

import argparse
import datetime
import json
import os
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import machine

HELD_BACK = 1  # parts: the first waits for the other process to compile


class Side(NamedTuple):
    """A way to use two cores."""

    processes: int
    devices: int  # of each process


class Case(NamedTuple):
    """A network and its batches: B sequences of T steps with D numbers."""

    cell: str
    hidden: int
    batch: int
    steps: int
    inputs: int
    part: int  # training steps of one measured part


SIDES = {
    "one device, two threads": Side(1, 1),
    "two devices, one process": Side(1, 2),
    "two processes": Side(2, 1),
}
CASES = {
    "GRU, 64 units, batch 128, 32 steps": Case("GRU", 64, 128, 32, 8, 60),
    "GRU, 128 units, batch 256, 50 steps": Case("GRU", 128, 256, 50, 8, 12),
    "LSTM, 256 units, batch 256, 50 steps": Case("LSTM", 256, 256, 50, 8, 4),
}
PARTS = 4
NOTE = (
    "Milliseconds of a training step: the median over {} rounds of {} parts, and the least. CPU is the time of all "
    "processes. Gradient: the bytes that the devices add up in each step. The ratio is that of the medians."
)


def main() -> None:
    """Measure, print, write; or be one of the processes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="how often each side is measured (default: 3)")
    parser.add_argument(
        "--results", type=Path, default=Path(__file__).parent / "results", help="the folder to write to"
    )
    parser.add_argument("--worker", nargs=3, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker:
        print(json.dumps(work(SIDES[args.worker[0]], int(args.worker[1]), args.worker[2])))
        return
    load, today = os.getloadavg()[0], datetime.date.today().isoformat()
    measured: dict[str, list[list[dict[str, Any]]]] = {side: [] for side in SIDES}
    with tempfile.TemporaryDirectory() as cache:
        for number in range(args.rounds):
            for side in sorted(SIDES, reverse=number % 2 == 1):
                measured[side].append(measure(side, cache))
    told = machine.describe() | {"load average at the start": f"{load:.2f}, at the end: {os.getloadavg()[0]:.2f}"}
    told["versions"] = ", ".join(f"{name} {version(name)}" for name in ("throughtime", "jax", "jaxlib"))
    told["command"] = f"`{machine.command()}`"
    text = page(today, told, measured, args.rounds)
    print(text)
    args.results.mkdir(parents=True, exist_ok=True)
    file = args.results / f"devices-{today}-{machine.name()}.md"
    file.write_text(text)
    file.with_suffix(".json").write_text(json.dumps({"date": today, "machine": told, "measured": measured}) + "\n")


def measure(side: str, cache: str) -> list[dict[str, Any]]:
    """Run a side's processes, and return what each of them measured."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        address = f"localhost:{free.getsockname()[1]}"
    flags = f"--xla_force_host_platform_device_count={SIDES[side].devices}"
    environment = os.environ | {"XLA_FLAGS": flags, "JAX_COMPILATION_CACHE_DIR": cache}
    running = [
        subprocess.Popen(
            [sys.executable, __file__, "--worker", side, str(number), address], env=environment, stdout=subprocess.PIPE
        )
        for number in range(SIDES[side].processes)
    ]
    answers = [process.communicate()[0] for process in running]
    if any(process.returncode for process in running):
        raise SystemExit(f"{side}: exit codes {[process.returncode for process in running]}")
    return [json.loads(answer.splitlines()[-1]) for answer in answers]


def work(side: Side, process: int, address: str) -> dict[str, Any]:
    """Train every case, and return seconds and CPU seconds per step of each part."""
    if side.processes > 1:
        own = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {own[process % len(own)]})

    import jax

    if side.processes > 1:
        jax.distributed.initialize(address, side.processes, process)
    import jax.numpy as jnp
    import optax

    import throughtime as tt

    def measured(case: Case) -> dict[str, Any]:
        key = jax.random.key(0)
        network = tt.ManyToOne(getattr(tt, case.cell)(case.inputs, case.hidden, key=key), 1, key=key)

        def draw(key: Any) -> Any:
            xs = jax.random.normal(key, (case.batch, case.steps, case.inputs))
            return xs, xs.mean((1, 2))[:, None]

        def loss(network: Any, batch: Any) -> Any:
            return jnp.mean((network(batch[0])[1] - batch[1]) ** 2)

        parts = []
        worked = cpu_seconds()
        for progress in tt.steps(
            network,
            loss,
            draw,
            optimizer=optax.adam(1e-3),
            steps=case.part * (HELD_BACK + PARTS),
            key=1,
            every=case.part,
            devices=jax.device_count(),
        ):
            before, worked = worked, cpu_seconds()
            parts.append((progress.seconds / case.part, (worked - before) / case.part))
        size = 4 * tt.count_parameters(network)
        return {
            "seconds": [part[0] for part in parts[HELD_BACK:]],
            "cpu": [part[1] for part in parts[HELD_BACK:]],
            "bytes": size,
        }

    return {name: measured(case) for name, case in CASES.items()}


def cpu_seconds() -> float:
    """Return the CPU seconds of this process so far."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def page(today: str, told: dict[str, str], measured: dict[str, list[list[dict[str, Any]]]], rounds: int) -> str:
    """Return the results as Markdown."""
    lines = [f"# Training on two devices, {today}", "", *(f"- {key}: {value}" for key, value in told.items()), ""]
    lines.append("| network | gradient | side | ms a step | least | CPU ms | times one device |")
    lines.append("|---|---:|---|---:|---:|---:|---:|")
    for case in CASES:
        base = None
        for side, runs in measured.items():
            times = [1e3 * second for run in runs for second in run[0][case]["seconds"]]
            worked = [1e3 * sum(own) for run in runs for own in zip(*(p[case]["cpu"] for p in run), strict=True)]
            median = statistics.median(times)
            base = base or median
            size = f"{runs[0][0][case]['bytes'] / 1e3:,.0f} kB"
            numbers = f"{median:.2f} | {min(times):.2f} | {statistics.median(worked):.2f} | {base / median:.2f}"
            lines.append(f"| {case} | {size} | {side} | {numbers} |")
    return "\n".join([*lines, "", NOTE.format(rounds, PARTS)]) + "\n"


if __name__ == "__main__":
    main()
