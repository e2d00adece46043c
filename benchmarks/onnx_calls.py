"""The time of one call at batch 1: a network here, compiled, and its ONNX file in ONNX Runtime.

Both read the same NumPy array and return one, in turns in one process; the minimum over all calls. One thread for ONNX
Runtime. See ``benchmarks/README.md``.

    python benchmarks/onnx_calls.py [--rounds N] [--results DIR]
"""

import argparse
import datetime
import os
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import machine

from throughtime import configure

configure()  # as the command line does, before JAX is imported

import jax  # noqa: E402
import numpy as np  # noqa: E402
import onnxruntime  # noqa: E402

import throughtime as tt  # noqa: E402
from throughtime.cells import cell_type  # noqa: E402

UNITS, INPUTS, CHUNK = 100, 3, 0.05  # CHUNK: seconds of calls that are timed together
NETWORKS: dict[str, tuple[int, Callable[[], Any]]] = {
    **{
        f"{name}, {steps} step{'s' * (steps > 1)}": (
            steps,
            lambda name=name: tt.RecurrentNetwork(cell_type(name)(INPUTS, UNITS, key=0), 1, key=1),
        )
        for steps in (1, 30)
        for name in ("elman", "gru", "lstm", "mingru", "slstm")
    },
    "two bidirectional GRUs, 30 steps": (
        30,
        lambda: tt.ManyToMany(
            [
                tt.Bidirectional(tt.GRU(INPUTS, UNITS, key=0), tt.GRU(INPUTS, UNITS, key=1)),
                tt.Bidirectional(tt.GRU(2 * UNITS, UNITS, key=2), tt.GRU(2 * UNITS, UNITS, key=3)),
            ],
            1,
            key=4,
        ),
    ),
}


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10, help="turns of both sides (default: 10)")
    parser.add_argument("--results", type=Path, default=Path(__file__).parent / "results", help="folder to write to")
    args = parser.parse_args()
    load, today = os.getloadavg()[0], datetime.date.today().isoformat()
    told = machine.describe() | {"load average at the start": f"{load:.2f}"}
    told["versions"] = ", ".join(f"{name} {version(name)}" for name in ("throughtime", "jax", "onnx", "onnxruntime"))
    told["command"] = f"`{machine.command()}`"
    rows = []
    for name, (steps, build) in NETWORKS.items():
        call, compiled, there = (seconds * 1e6 for seconds in measure(build(), steps, args.rounds))
        rows.append(
            f"| {name} | {call:.0f} | {compiled:.0f} | {there:.0f} | {call / there:.1f} | {compiled / there:.1f} |"
        )
        print(rows[-1], flush=True)
    text = page(today, told, rows)
    args.results.mkdir(parents=True, exist_ok=True)
    (args.results / f"onnx_calls-{today}-{machine.name()}.md").write_text(text)


def measure(network: Any, steps: int, rounds: int) -> list[float]:
    """Return the seconds of a call of the network, of a compiled one, and of one in ONNX Runtime."""
    xs = np.random.default_rng(0).normal(size=(1, steps, INPUTS)).astype(np.float32)
    options = onnxruntime.SessionOptions()
    options.log_severity_level, options.intra_op_num_threads = 3, 1
    with tempfile.TemporaryDirectory() as folder:
        tt.to_onnx(network, Path(folder) / "network.onnx")
        running = onnxruntime.InferenceSession(Path(folder) / "network.onnx", options)
    compiled = jax.jit(lambda xs: network(xs)[1])  # weights as constants: the fastest call of JAX
    calls: list[Callable[[], np.ndarray]] = [
        lambda: np.asarray(network(xs)[1]),
        lambda: np.asarray(compiled(xs)),
        lambda: running.run(["ys"], {"xs": xs})[0],
    ]
    for call in calls:
        np.testing.assert_allclose(call(), calls[0](), atol=1e-5)
    least = [float("inf")] * len(calls)
    for _ in range(rounds):
        least = [min(best, quickest(call)) for best, call in zip(least, calls, strict=True)]
    return least


def quickest(call: Callable[[], Any]) -> float:
    """Return the seconds of the fastest of as many calls as take a short while: other work delays some of them."""
    took, ends = [], time.perf_counter() + CHUNK
    while time.perf_counter() < ends:
        began = time.perf_counter()
        call()
        took.append(time.perf_counter() - began)
    return min(took)


def page(today: str, told: dict[str, str], rows: list[str]) -> str:
    """Return the results as Markdown."""
    head = "\n".join(f"- {name}: {value}" for name, value in told.items())
    return f"""# A call at batch 1, here and in ONNX Runtime

{today}

{head}

Microseconds of a call with {UNITS} units, {INPUTS} inputs and a batch of one sequence, from and to NumPy: `network(xs)`
as it stands, which runs operation by operation apart from the loop; the same in one `jax.jit` with the weights as
constants; and the file of `to_onnx` in ONNX Runtime on one thread. Native kernels run where `unroll` chooses them.
Minimum over the calls of all rounds, each {CHUNK * 1000:.0f} ms for each side, in turns.

| network | `network(xs)` | `jax.jit` | ONNX Runtime | times as fast as `network(xs)` | as `jax.jit` |
|---|---:|---:|---:|---:|---:|
{chr(10).join(rows)}
"""


if __name__ == "__main__":
    main()
