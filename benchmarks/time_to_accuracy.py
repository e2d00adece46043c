"""The time to train a recurrent network to an accuracy, and many networks at once, here and in PyTorch and Keras.

All sides have the same data, first weights, optimizer and batch size. Each run is a process of its own, and the sides
take turns, seed by seed; see ``benchmarks/README.md``.

    python benchmarks/time_to_accuracy.py [--tasks NAME ...] [--seeds N] [--cores N] [--peers-python PATH]
        [--most RATIO] [--minutes M] [--resume FILE.json]
"""

import argparse
import datetime
import json
import math
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import pairwise, product
from pathlib import Path
from typing import Any, NamedTuple

import machine
from peers.accuracy_task import BATCH, EPOCH, MANY, NETWORKS, STEPS_OF_MANY, TASKS
from processes import has_modules, last_line

HERE = Path(__file__).parent
LAST = 5  # evaluations at the end of a run, whose mean is the accuracy at the end
Record = dict[str, Any]


class Side(NamedTuple):
    """A side: its title, script and arguments, the modules it needs, its tasks, and the cores that it needs."""

    title: str
    script: str
    arguments: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    tasks: tuple[str, ...] = tuple(TASKS)
    cores: int = 1


COLD, WARM = (
    Side("throughtime", "accuracy_throughtime.py"),
    Side("throughtime, filled cache", "accuracy_throughtime.py"),
)
OURS = COLD, WARM
SINGLE = tuple(task for task in TASKS if task not in MANY)
TORCH = ("torch",)
PEERS = (
    Side("PyTorch, 1 thread", "accuracy_pytorch.py", ("--threads=1",), TORCH),
    Side("PyTorch, 2 threads", "accuracy_pytorch.py", ("--threads=2",), TORCH, cores=2),
    Side("Keras on JAX", "accuracy_keras.py", ("--backend=jax",), ("keras", "jax"), SINGLE),
    Side("Keras on TensorFlow", "accuracy_keras.py", ("--backend=tensorflow",), ("keras", "tensorflow"), SINGLE),
    Side("torch.func, 1 thread", "accuracy_torch_func.py", ("--threads=1",), TORCH, MANY),
    Side("torch.func, 2 threads", "accuracy_torch_func.py", ("--threads=2",), TORCH, MANY, cores=2),
)
HEADINGS = {
    "classify": "Classify sequences: LSTM, 64 units",
    "tag": "Tag sequences: bidirectional GRU, 64 units",
    "add": "Adding problem, 200 steps: GRU, 128 units",
    "many": f"{NETWORKS} networks at once: LSTM, 64 units",
    "many-small": f"{NETWORKS} small networks at once: GRU, 16 units",
}


def main() -> None:
    """Measure, print, and write after each run, so that an interruption loses none."""
    args, began = arguments(), time.monotonic()
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: args.cores])
    sides = [side for side in PEERS if side.cores <= args.cores and has_modules(args.peers_python, side.needs)]
    facts = {
        "date": datetime.date.today().isoformat(),
        "command": machine.command(),
        "machine": machine.describe(),
        "versions": {},
    }
    args.results.mkdir(parents=True, exist_ok=True)
    some = "" if args.tasks == list(TASKS) else "-" + "-".join(args.tasks)
    file = args.results / f"time_to_accuracy{some}-{facts['date']}-{machine.name()}.md"
    records: list[Record] = []
    if args.resume:
        file, facts = args.resume.with_suffix(".md"), json.loads(args.resume.read_text())
        records = facts.pop("records")
    for seed, task in product(range(args.seeds), args.tasks):
        done = [record for record in records if (record["seed"], record["task"]) == (seed, task)]
        for record in measure(task, seed, [side for side in sides if task in side.tasks], done, args):
            records = [other for other in records if run_of(other) != run_of(record)] + [record]
            facts["versions"] |= record["versions"]
            print(words(record), flush=True)
            file.with_suffix(".json").write_text(json.dumps(facts | {"records": records}) + "\n")
            file.write_text(page(facts, records))
            if time.monotonic() - began > 60 * args.minutes:
                raise SystemExit(f"{args.minutes:g} minutes are over: go on with --resume {file.with_suffix('.json')}")
    print(f"\n{file.read_text()}\nWritten to {file}, with the raw figures beside it")


def arguments() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=list(TASKS), metavar="TASK", help=", ".join(TASKS))
    parser.add_argument("--seeds", type=int, default=3, help="how often each side runs (default: 3)")
    parser.add_argument("--full", type=int, default=1, help="seeds that run to the last epoch, not only to the target")
    parser.add_argument("--cores", type=int, default=machine.cores(), help="cores for each process (default: all)")
    parser.add_argument("--epochs", type=int, help="most epochs of a run, to try the script")
    parser.add_argument(
        "--most",
        type=float,
        default=math.inf,
        help="end a run until the target that takes this times throughtime's process time (default: none)",
    )
    parser.add_argument("--minutes", type=float, default=math.inf, help="begin no run after this time (default: any)")
    parser.add_argument("--resume", type=Path, help="a .json of results: do the runs that it lacks, and write there")
    parser.add_argument(
        "--peers-python",
        default=str(HERE.parent / ".venv-peers" / "bin" / "python"),
        help="a Python that has benchmarks/requirements.txt (default: that of .venv-peers)",
    )
    parser.add_argument("--results", type=Path, default=HERE / "results", help="the folder to write to")
    return parser.parse_args()


def measure(task: str, seed: int, peers: list[Side], done: list[Record], args: argparse.Namespace) -> Iterator[Record]:
    """Run every side once: throughtime with an empty compilation cache, then with the filled one, and the peers.

    Sides in ``done`` are left out, apart from the run that fills the cache for another one.
    """
    sides = {record["side"]: record for record in done}
    if WARM.title not in sides:
        sides.pop(COLD.title, None)
    with tempfile.TemporaryDirectory() as cache:
        for side in (*OURS, *peers):
            if side.title in sides:
                continue
            python = sys.executable if side in OURS else args.peers_python
            command = [python, str(HERE / "peers" / side.script), f"--task={task}", f"--seed={seed}", *side.arguments]
            command += [] if seed < args.full else ["--until-target"]
            command += [f"--epochs={args.epochs}"] if args.epochs else []
            if side not in OURS and seed >= args.full and (ours := figures(sides[COLD.title])):
                command.append(f"--seconds={args.most * ours.process}")
            load, began = os.getloadavg()[0], time.time()
            environment = {"JAX_COMPILATION_CACHE_DIR": cache} if side in OURS else {}
            _, told = last_line([*command, f"--began={began}"], environment)
            record = {"task": task, "side": side.title, "seed": seed, "cores": args.cores, "load": load, **told}
            sides[side.title] = record
            yield record


def run_of(record: Record) -> tuple[str, str, int]:
    """Return what tells runs apart."""
    return record["task"], record["side"], record["seed"]


class Figures(NamedTuple):
    """A run's figures.

    Attributes:
        steps: until the target, or of each of many networks.
        process: wall-clock seconds from the process's start to the target, without evaluations.
        process_cpu: CPU seconds, likewise.
        training: seconds of the training alone, as if the first epoch, which compiles, took as long as the others.
        training_cpu: CPU seconds, likewise.
        end: the accuracy at the end, None if the run ended at the target.
    """

    steps: int
    process: float
    process_cpu: float
    training: float
    training_cpu: float
    end: float | None


def figures(record: Record) -> Figures | None:
    """Return a run's figures, None if it did not reach the target."""
    task, evaluations = TASKS[record["task"]], record["evaluations"]
    reached = [place for place, found in enumerate(evaluations) if task.target is None or found[1] >= task.target]
    if not reached:
        return None
    place = reached[0]
    process, training = [], []
    for column in (2, 3):
        times = [found[column] for found in evaluations]
        others = [after - before for before, after in pairwise(times)] or times
        process.append(record["setup"][column - 2] + times[place])
        training.append(times[place] - times[0] + statistics.median(others))
    is_full = len(evaluations) > max(place + 1, LAST) or task.target is None
    end = statistics.mean(found[1] for found in evaluations[-LAST:]) if is_full else None
    steps = STEPS_OF_MANY if task.target is None else evaluations[place][0]
    return Figures(steps, process[0], process[1], training[0], training[1], end)


def words(record: Record) -> str:
    """Return a line about a run."""
    found = figures(record)
    said = f"best {max(e[1] for e in record['evaluations']):.3f}, target not reached"
    if found:
        said = f"{found.steps:5d} steps, process {found.process:6.1f} s ({found.process_cpu:6.1f} s CPU), "
        said += f"training {found.training:6.1f} s ({found.training_cpu:6.1f} s CPU)"
    return f"{record['task']:<10} seed {record['seed']}  {record['side']:<26} {said}  load {record['load']:.1f}"


def page(facts: Record, records: list[Record]) -> str:
    """Return the results as Markdown."""
    loads = [record["load"] for record in records]
    head = facts["machine"] | {"load average": f"{min(loads):.1f} to {max(loads):.1f} before the runs"}
    head |= {"versions": ", ".join(f"{name} {number}" for name, number in facts["versions"].items())}
    tables = [table(task, records) for task in HEADINGS if any(record["task"] == task for record in records)]
    return f"""# Time to accuracy, {facts["date"]}

{chr(10).join(f"- {name}: {value}" for name, value in head.items())}
- command: `{facts["command"]}`

Medians of the seeds, in seconds; each process had {records[0]["cores"]} core(s). Ratios are a side's time over
throughtime's with an empty compilation cache.

{chr(10).join(tables)}"""


def table(task: str, records: list[Record]) -> str:
    """Return a task's heading, its table and what it says."""
    records = [record for record in records if record["task"] == task]
    titles = list(dict.fromkeys(record["side"] for record in records))
    of = {title: medians([record for record in records if record["side"] == title]) for title in titles}
    columns = ("process", "training", "process, CPU", "training, CPU")
    names = [name for column in columns for name in (column, "ratio")]
    rows = [row("", *names, "steps", "ms a step, CPU", "accuracy at the end", "parameters")]
    rows.append(row("---", *["---:"] * (len(names) + 4)))
    for title in titles:
        found, ours = of[title], of[COLD.title]
        parameters = next(record["parameters"] for record in records if record["side"] == title)
        if found is None or ours is None:
            longest = max(r["setup"][0] + r["evaluations"][-1][2] for r in records if r["side"] == title)
            rows.append(row(title, f"not within {longest:.1f}", *[""] * (len(names) + 2), f"{parameters:,}"))
            continue
        times = [found.process, found.training, found.process_cpu, found.training_cpu]
        our_times = [ours.process, ours.training, ours.process_cpu, ours.training_cpu]
        cells = [
            cell for time, our in zip(times, our_times, strict=True) for cell in (f"{time:.1f}", f"{time / our:.2f}")
        ]
        cells.append(f"{found.steps}")
        cells.append(f"{found.training_cpu / found.steps / (NETWORKS if task in MANY else 1) * 1e3:.2f}")
        rows.append(row(title, *cells, "" if found.end is None else f"{found.end:.3f}", f"{parameters:,}"))
    return f"## {HEADINGS[task]}\n\n{chr(10).join(rows)}\n\n{explanation(task)}\n"


def medians(records: list[Record]) -> Figures | None:
    """Return the medians of the runs that reached the target, None if fewer than half did."""
    found = [each for record in records if (each := figures(record))]
    if 2 * len(found) <= len(records):
        return None
    *times, _ = zip(*found, strict=True)
    ends = [each.end for each in found if each.end is not None]
    steps, *seconds = (statistics.median(values) for values in times)
    return Figures(int(steps), *seconds, statistics.mean(ends) if ends else None)


def explanation(task: str) -> str:
    """Return what a task's table says."""
    what = TASKS[task]
    learns = f"batch size {BATCH}, Adam with learning rate {what.learning_rate:g}"
    if what.target is None:
        return f"{STEPS_OF_MANY} steps of each network; {learns}. Accuracy at the end: the mean of all networks."
    return (
        f"Until {100 * what.target:g} % of the held-out answers are right, tested every {EPOCH} steps; {learns}. "
        f"Accuracy at the end: after {what.epochs * EPOCH} steps, the mean of the last {LAST} tests."
    )


def row(*cells: object) -> str:
    """Return a table's row."""
    return f"| {' | '.join(map(str, cells))} |"


if __name__ == "__main__":
    main()
