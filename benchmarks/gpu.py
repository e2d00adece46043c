"""The speed of training steps of LSTM and GRU on a GPU: throughtime's scan, cuDNN through JAX, and PyTorch's cuDNN.

    pip install '.[cuda]' torch
    python benchmarks/gpu.py [--rounds N] [--results DIR]

JAX offers cuDNN for the LSTM alone. It runs here with throughtime's weights, and its outputs are compared with those of
the scan first. PyTorch is left out where it is not installed. All compute in float32, without TF32, and take turns.
``--smoke`` runs tiny networks on any machine, with JAX's reference of cuDNN in its place.
"""

import argparse
import datetime
import importlib.util
import json
import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import machine
import numpy as np
import optax
from jax.experimental import rnn

import throughtime as tt


class Case(NamedTuple):
    """B sequences of T steps with D numbers, H units, and the training steps of one measured part."""

    cell: str
    batch: int
    length: int
    inputs: int
    hidden: int
    part: int


CASES = [
    Case(cell, *sizes)
    for cell in ("LSTM", "GRU")
    for sizes in ((32, 50, 8, 64, 100), (128, 100, 8, 256, 30), (256, 100, 64, 512, 10), (64, 500, 8, 128, 10))
]
TINY = [Case(cell, 3, 5, 2, 4, 2) for cell in ("LSTM", "GRU")]
LEARNING_RATE = 1e-3
CLOSE = 1e-4  # outputs of two methods in float32
NOTE = (
    "Milliseconds of a training step (forward, backward, Adam) on one batch, the median of {} parts after the first, "
    "and the least. Difference: of the outputs from those of the scan, the largest."
)


class WithCudnn(eqx.Module):
    """A network whose LSTM runs in cuDNN, from the weights of throughtime's.

    Attributes:
        network: throughtime's, with one LSTM.
        run: ``jax.experimental.rnn.lstm``, or a function of the same arguments.
    """

    network: tt.ManyToOne
    run: Callable[..., Any] = eqx.field(static=True)

    def __call__(self, xs: jax.Array) -> jax.Array:
        """Return the outputs (B, 1) for inputs (B, T, D)."""
        ys = self.hidden(xs)
        return jax.vmap(self.network.readout)(ys[:, -1])

    def hidden(self, xs: jax.Array) -> jax.Array:
        """Return the outputs (B, T, H) of the LSTM."""
        cell = self.network.layer
        zeros = jnp.zeros((1, len(xs), cell.hidden))
        lengths = jnp.full(len(xs), xs.shape[1], jnp.int32)
        sizes = (cell.inputs, cell.hidden, 1, 0.0, False, jax.lax.Precision.HIGHEST)
        return self.run(xs, zeros, zeros, flat_weights(cell), lengths, *sizes)[0]


def flat_weights(cell: tt.LSTM) -> jax.Array:
    """Return the weights of an LSTM as cuDNN has them: w_x, w_h, and a pair of biases, of which the second is zero."""
    parts = (cell.w_x, cell.w_h, cell.b, jnp.zeros_like(cell.b))
    return jnp.concatenate([part.ravel() for part in parts])


def reference(
    xs: Any, h: Any, c: Any, weights: Any, lengths: Any, inputs: int, hidden: int, *rest: Any
) -> tuple[Any, Any, Any]:
    """Compute what cuDNN computes on any device, by JAX's reference."""
    layers, dropout, both_ways, _ = rest
    unpacked = rnn.unpack_lstm_weights(weights, inputs, hidden, layers, both_ways)
    results: tuple[Any, Any, Any] = rnn.lstm_ref(
        xs, h, c, *unpacked, lengths, inputs, hidden, layers, dropout, both_ways
    )
    return results


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10, help="parts of each side (default: 10)")
    parser.add_argument("--smoke", action="store_true", help="tiny networks on any machine; says nothing about speed")
    parser.add_argument(
        "--results", type=Path, default=Path(__file__).parent / "results", help="the folder to write to"
    )
    args = parser.parse_args()
    if jax.default_backend() != "gpu" and not args.smoke:
        raise SystemExit(
            f"JAX computes on a {jax.default_backend()}, and this asks for an NVIDIA GPU: pip install '.[cuda]' torch, "
            "on a machine that has one; or --smoke for tiny networks anywhere"
        )
    jax.config.update("jax_default_matmul_precision", "highest")
    today, rows = datetime.date.today().isoformat(), []
    for case in TINY if args.smoke else CASES:
        rows += compare(case, args.rounds, reference if args.smoke else rnn.lstm)
    text = page(today, rows, args.rounds)
    print(text)
    args.results.mkdir(parents=True, exist_ok=True)
    file = args.results / f"gpu-{today}-{device_name()}.md"
    file.write_text(text)
    file.with_suffix(".json").write_text(json.dumps({"date": today, "rows": rows}) + "\n")


def device_name() -> str:
    """Return the device for a file name."""
    return "-".join(jax.devices()[0].device_kind.lower().split())


def compare(case: Case, rounds: int, cudnn: Callable[..., Any]) -> list[dict[str, Any]]:
    """Return a row for each side: its times, and how far its outputs are from the scan's.

    Raises:
        SystemExit: if they are too far.
    """
    rng = np.random.default_rng(0)
    xs = rng.standard_normal((case.batch, case.length, case.inputs)).astype(np.float32)
    targets = xs.mean((1, 2))[:, None]
    key = jax.random.key(0)
    network = tt.ManyToOne(getattr(tt, case.cell)(case.inputs, case.hidden, key=key), 1, key=key)
    expected = np.asarray(tt.unroll(network.layer, jnp.asarray(xs), method="scan")[1])
    sides: dict[str, tuple[Iterator[float], np.ndarray]] = {
        "throughtime": (parts(network, lambda n, x: n(x)[1], (xs, targets), case.part), expected)
    }
    if case.cell == "LSTM":
        own = WithCudnn(network, cudnn)
        hidden = np.asarray(eqx.filter_jit(own.hidden)(xs))
        sides["cuDNN through JAX"] = (parts(own, lambda n, x: n(x), (xs, targets), case.part), hidden)
    if importlib.util.find_spec("torch"):
        sides["PyTorch"] = torch_parts(network, xs, targets, case)
    times: dict[str, list[float]] = {name: [] for name in sides}
    for number in range(rounds + 1):
        for name in sorted(sides, reverse=number % 2 == 1):
            times[name].append(next(sides[name][0]))
    rows = []
    for name, (_, outputs) in sides.items():
        difference = float(np.abs(outputs - expected).max())
        if difference > CLOSE:
            raise SystemExit(f"{name}, {case}: outputs differ from the scan's by {difference}")
        measured = [1e3 * second for second in times[name][1:]]
        rows.append(case._asdict() | {"side": name, "difference": difference, "milliseconds": measured})
    return rows


def parts(network: Any, outputs: Callable[..., Any], batch: Any, part: int) -> Iterator[float]:
    """Yield the seconds of a step in each part of a training by throughtime, whose first one compiles."""

    def loss(network: Any, batch: Any) -> Any:
        return jnp.mean((outputs(network, batch[0]) - batch[1]) ** 2)

    adam = optax.adam(LEARNING_RATE)
    for progress in tt.steps(network, loss, batch, optimizer=adam, steps=10**9, key=0, every=part):
        yield progress.seconds / part


def torch_parts(
    network: tt.ManyToOne, xs: np.ndarray, targets: np.ndarray, case: Case
) -> tuple[Iterator[float], np.ndarray]:
    """Return the same of a training by PyTorch, from the same weights, and the outputs before it."""
    import torch

    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    device = "cuda" if torch.cuda.is_available() else "cpu"
    layer = tt.to_torch(network.layer).module().to(device)
    readout = torch.nn.Linear(case.hidden, 1).to(device)
    x, y = (torch.from_numpy(array).to(device) for array in (xs, targets))
    wait = torch.cuda.synchronize if device == "cuda" else partial(int, 0)
    parameters = [*layer.parameters(), *readout.parameters()]
    optimizer = torch.optim.Adam(parameters, lr=LEARNING_RATE, fused=device == "cuda")
    with torch.no_grad():
        outputs = layer(x)[0].cpu().numpy()

    def train() -> Iterator[float]:
        while True:
            wait()
            began = time.perf_counter()
            for _ in range(case.part):
                optimizer.zero_grad()
                loss = ((readout(layer(x)[0][:, -1]) - y) ** 2).mean()
                loss.backward()
                optimizer.step()
            wait()
            yield (time.perf_counter() - began) / case.part

    return train(), outputs


def page(today: str, rows: list[dict[str, Any]], rounds: int) -> str:
    """Return the results as Markdown."""
    told = machine.describe() | {"device": jax.devices()[0].device_kind, "command": f"`{machine.command()}`"}
    lines = [f"# LSTM and GRU on a GPU, {today}", "", *(f"- {name}: {value}" for name, value in told.items()), ""]
    lines.append("| cell | batch | steps | inputs | units | side | ms a step | least | difference |")
    lines.append("|---|---:|---:|---:|---:|---|---:|---:|---:|")
    for row in rows:
        sizes = [str(row[name]) for name in ("cell", "batch", "length", "inputs", "hidden", "side")]
        times = [f"{statistics.median(row['milliseconds']):.3f}", f"{min(row['milliseconds']):.3f}"]
        lines.append(f"| {' | '.join([*sizes, *times, format(row['difference'], '.1e')])} |")
    return "\n".join([*lines, "", NOTE.format(rounds)]) + "\n"


if __name__ == "__main__":
    main()
