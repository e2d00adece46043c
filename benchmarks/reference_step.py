"""The time of a training step of a small RNN, and of a whole process that trains one.

throughtime, PyTorch, Keras and TensorFlow do the reference step of ``peers/task.py`` side by side: each in its own
process, in turn, for several rounds. See ``benchmarks/README.md``.

    python benchmarks/reference_step.py [--rounds N] [--peers-python PATH] [--results DIR]
"""

import argparse
import datetime
import json
import os
import statistics
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import machine
from peers import task
from processes import has_modules, last_line

HERE = Path(__file__).parent


class Peer(NamedTuple):
    """An implementation of the reference step: a script of ``peers``, its arguments and its modules."""

    title: str
    script: str
    arguments: tuple[str, ...]
    needs: tuple[str, ...]


OURS = Peer("throughtime", "throughtime_step.py", (), ())
COLD, WARM = "throughtime demo, empty compilation cache", "throughtime demo, warm compilation cache"
TORCH, KERAS, TENSORFLOW = ("torch",), ("keras", "tensorflow"), ("tensorflow", "tf_keras")
PEERS = (
    Peer("PyTorch, 1 thread", "pytorch_step.py", ("--threads=1", "--adam=default"), TORCH),
    Peer("PyTorch, 2 threads", "pytorch_step.py", ("--threads=2", "--adam=default"), TORCH),
    Peer("PyTorch, 1 thread, fused Adam", "pytorch_step.py", ("--threads=1", "--adam=fused"), TORCH),
    Peer("Keras 3, compiled fit", "keras_step.py", ("--way=compiled_fit",), KERAS),
    Peer("Keras 3, train_on_batch", "keras_step.py", ("--way=train_on_batch",), KERAS),
    Peer("TensorFlow, graph mode", "tensorflow1_step.py", (), TENSORFLOW),
)
VERSIONS = ("versions of throughtime", "versions of the peers")
Record = dict[str, Any]


def main() -> None:
    """Measure, print, write."""
    args = arguments()
    load = os.getloadavg()[0]
    if load > 0.5:
        print(f"Load average {load:.1f}: with other work on the machine, the figures are not reliable.")
    present = [peer for peer in PEERS if has_modules(args.peers_python, peer.needs)]
    records: list[Record] = []
    for number in range(args.rounds):
        for record in measure_round(args.peers_python, present, seed=number):
            step = f"{step_times([record])[0]:7,.0f} us a step, " if "chunk_us" in record else " " * 20
            words = f"{step}{record['process_seconds']:5.1f} s, MSE {record['mse']:.1e}"
            print(f"round {number + 1}/{args.rounds}  {record['peer']:<42}{words}", flush=True)
            records.append(record)
    missing = [peer.title for peer in PEERS if peer not in present]
    facts = {
        "date": datetime.date.today().isoformat(),
        "command": f"python benchmarks/reference_step.py --rounds {args.rounds}",
        "machine": machine.describe() | {"load average at the start": f"{load:.2f}"},
        VERSIONS[0]: versions(records, [OURS]),
        VERSIONS[1]: versions(records, present),
    }
    text = page(facts, records, missing)
    print(f"\n{text}")
    args.results.mkdir(parents=True, exist_ok=True)
    file = args.results / f"reference_step-{facts['date']}-{machine.name()}.md"
    file.write_text(text)
    file.with_suffix(".json").write_text(json.dumps(facts | {"missing": missing, "rounds": records}) + "\n")
    print(f"Written to {file} and {file.with_suffix('.json').name}")


def arguments() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="how often each peer runs (default: 5)")
    parser.add_argument(
        "--peers-python",
        default=str(HERE.parent / ".venv-peers" / "bin" / "python"),
        help="a Python that has benchmarks/requirements.txt (default: that of .venv-peers)",
    )
    parser.add_argument("--results", type=Path, default=HERE / "results", help="the folder to write to")
    args = parser.parse_args()
    if args.rounds < 1:
        parser.error(f"expected at least 1 round, got {args.rounds}")
    return args


def measure_round(peers_python: str, peers: list[Peer], *, seed: int) -> Iterator[Record]:
    """Run every peer once, in its own process, and the demo twice, the second time with the filled cache."""
    with tempfile.TemporaryDirectory() as scratch:
        cache = {"JAX_COMPILATION_CACHE_DIR": f"{scratch}/cache"}
        for title in (COLD, WARM):
            yield measure_demo(title, Path(scratch), cache, seed)
        yield measure_peer(OURS, sys.executable, Path(scratch), cache, seed)
        for peer in peers:
            yield measure_peer(peer, peers_python, Path(scratch), {}, seed)


def measure_demo(title: str, scratch: Path, environment: dict[str, str], seed: int) -> Record:
    """Measure the whole process of ``throughtime demo``: training with 20 checkpoints, and saving."""
    with tempfile.TemporaryDirectory(dir=scratch) as out:
        throughtime = Path(sysconfig.get_path("scripts"), "throughtime")
        options = ["--no-pictures", "--quiet", "--json", f"--steps={task.STEPS}", f"--seed={seed}", f"--out={out}"]
        seconds, metrics = last_line([str(throughtime), "demo", *options], environment)
    return {"peer": title, "seed": seed, "process_seconds": seconds, "mse": metrics["mse"][-1][1]}


def measure_peer(peer: Peer, python: str, scratch: Path, environment: dict[str, str], seed: int) -> Record:
    """Measure a peer's process from start to end: import, train, save, evaluate."""
    with tempfile.TemporaryDirectory(dir=scratch) as out:
        script = HERE / "peers" / peer.script
        seconds, told = last_line([python, str(script), f"--seed={seed}", f"--out={out}", *peer.arguments], environment)
    return {"peer": peer.title, "seed": seed, "process_seconds": seconds, **told}


def versions(records: list[Record], peers: list[Peer]) -> dict[str, str]:
    """Return the versions of these peers; all of one environment agree."""
    titles = [peer.title for peer in peers]
    told = [record["versions"] for record in records if record["peer"] in titles]
    return {name: number for versions in told for name, number in versions.items()}


def step_times(records: list[Record]) -> tuple[float, float]:
    """Return minimum and median microseconds per step, without each process's first chunk, which compiles."""
    times = [time for record in records for time in record["chunk_us"][1:]]
    return min(times), statistics.median(times)


def process_times(records: list[Record]) -> tuple[float, float]:
    """Return minimum and median seconds per process."""
    times = [record["process_seconds"] for record in records]
    return min(times), statistics.median(times)


def page(facts: dict[str, Any], records: list[Record], missing: list[str]) -> str:
    """Return the results as Markdown."""
    of = {title: [r for r in records if r["peer"] == title] for title in dict.fromkeys(r["peer"] for r in records)}
    ours, cold, warm = step_times(of[OURS.title]), process_times(of[COLD]), process_times(of[WARM])
    steps, processes = [], []
    for title, found in of.items():
        if "chunk_us" in found[0]:
            least, middle = step_times(found)
            errors = [record["mse"] for record in found]
            cells = (f"{least:,.0f}", f"{middle:,.0f}", f"{least / ours[0]:.1f}", f"{middle / ours[1]:.1f}")
            steps.append(row(title, *cells, f"{statistics.median(errors):.1e}", f"{max(errors):.1e}"))
        if title != OURS.title:
            least, middle = process_times(found)
            cells = (f"{least:.2f}", f"{middle:.2f}", f"{middle / cold[1]:.2f}", f"{middle / warm[1]:.2f}")
            processes.append(row(title, *cells))
    for title in missing:
        steps.append(row(title, "missing", "", "", "", "", ""))
        processes.append(row(title, "missing", "", "", ""))
    head = facts["machine"] | {name: ", ".join(f"{k} {v}" for k, v in facts[name].items()) for name in VERSIONS}
    listed = "\n".join(f"- {name}: {value}" for name, value in head.items() if value)
    return f"""# The reference step, {facts["date"]}

{listed}
- command: `{facts["command"]}`

## One training step, in microseconds

{row("", "minimum", "median", "minimum / throughtime's", "median / throughtime's", "MSE, median", "MSE, worst")}
{row("---", *["---:"] * 6)}
{chr(10).join(steps)}

Over chunks of {task.CHUNK} steps; the first chunk of each process, which compiles or warms up, is left out. MSE: after
{task.STEPS} steps, over {task.EVALUATION_WINDOWS} evenly spaced windows, one figure per round.

## From the process's start to a trained, saved network, in seconds

{row(f"{task.STEPS} steps", "minimum", "median", "median / empty cache", "median / warm cache")}
{row("---", *["---:"] * 4)}
{chr(10).join(processes)}
"""


def row(*cells: str) -> str:
    """Return a table's row."""
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
