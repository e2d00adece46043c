"""Memory tasks for recurrent networks with equal numbers of parameters.

Networks are trained on diagnostic tasks from the literature with several seeds, two at a time in processes with one
thread each, and tested on fresh examples. See ``benchmarks/README.md``.

    python benchmarks/memory_tasks.py [--only TASK] [--seeds N] [--processes N] [--results DIR]
"""

import argparse
import datetime
import json
import multiprocessing
import os
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import machine

from throughtime import configure

HERE = Path(__file__).parent
Record = dict[str, Any]


def main() -> None:
    """Train, test, print, write."""
    prepare()
    from memory.contests import CONTESTS  # after the settings, which JAX reads on import

    args = arguments(list(CONTESTS))
    names = args.only or list(CONTESTS)
    began, records = time.perf_counter(), []
    for record in measure(names, args.seeds, args.processes):
        records.append(record)
        print(words(record), flush=True)
    options = [*(f"--only {name}" for name in args.only), f"--seeds {args.seeds}", f"--processes {args.processes}"]
    minutes = (time.perf_counter() - began) / 60
    write(args.results, f"`python benchmarks/memory_tasks.py {' '.join(options)}`, {minutes:.0f} minutes", records)


def prepare() -> None:
    """Set up JAX as the command line does, with one thread per process: these products are too small for two."""
    configure()
    os.environ["XLA_FLAGS"] += " --xla_cpu_multi_thread_eigen=false"
    os.environ["JAX_PLATFORMS"] = "cpu"  # small networks; an accelerator would wait most of the time


def arguments(names: list[str]) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", default=[], choices=names, help="a task; may be given repeatedly")
    parser.add_argument("--seeds", type=int, default=3, help="how often each network is trained (default: 3)")
    parser.add_argument("--processes", type=int, default=2, help="trainings at a time (default: 2)")
    parser.add_argument("--results", type=Path, default=HERE / "results", help="the folder to write to")
    args = parser.parse_args()
    if args.seeds < 1 or args.processes < 1:
        parser.error(f"expected at least 1 seed and 1 process, got {args.seeds} and {args.processes}")
    return args


def measure(names: list[str], seeds: int, processes: int) -> Iterator[Record]:
    """Train every network of these contests with every seed."""
    from memory.contests import CONTESTS

    jobs = [
        (name, number, seed)
        for name in names
        for number in range(len(CONTESTS[name].contestants))
        for seed in range(seeds)
    ]
    with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn")) as pool:
        yield from pool.map(work, *zip(*jobs, strict=True))


def work(name: str, number: int, seed: int) -> Record:
    """Run one training and its test, in a separate process."""
    from memory.contests import CONTESTS
    from memory.runs import run

    contest = CONTESTS[name]
    contestant = contest.contestants[number]
    return {"task": name, "network": contestant.title} | run(contest, contestant, seed)


def versions() -> dict[str, str]:
    """Return the versions of the packages that affect the results."""
    import jax
    import optax

    import throughtime

    return {"throughtime": throughtime.__version__, "jax": jax.__version__, "optax": optax.__version__}


def words(record: Record) -> str:
    """Return a line about a training."""
    failed = f", FAILED: {record['failure']}" if record["failure"] else ""
    return (
        f"{record['task']:<15}{record['network']:<32}seed {record['seed']}  {record['figure']:.4f} after "
        f"{record['steps']:>6,} steps, {record['seconds']:5.1f} s{failed}"
    )


def write(folder: Path, command: str, records: list[Record]) -> None:
    """Write the page, the numbers and the picture, and keep the day's earlier results of other tasks."""
    from memory.contests import CONTESTS
    from memory.pages import page
    from memory.picture import picture

    folder.mkdir(parents=True, exist_ok=True)
    date = datetime.date.today().isoformat()
    file = folder / f"memory_tasks-{date}-{machine.name()}.md"
    numbers, image = file.with_suffix(".json"), file.with_suffix(".png")
    earlier = json.loads(numbers.read_text()) if numbers.exists() else {"commands": [], "runs": []}
    measured = {record["task"] for record in records}
    records = records + [record for record in earlier["runs"] if record["task"] not in measured]
    records.sort(key=lambda record: list(CONTESTS).index(record["task"]))
    facts = {
        "date": date,
        "commands": [*earlier["commands"], command],
        "machine": machine.describe(),
        "versions": versions(),
    }
    file.write_text(page(facts, records, image.name))
    numbers.write_text(json.dumps(facts | {"runs": records}) + "\n")
    picture(image, records)
    print(f"\n{file.read_text()}\nWritten to {file}, with a .json and a .png beside it")


if __name__ == "__main__":
    main()
