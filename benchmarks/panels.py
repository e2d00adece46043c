"""Accuracy and time of forecasts of real panels, beside other recurrent networks and ETS.

Each model forecasts each set in a separate process, with its defaults; see ``benchmarks/README.md``.

    python benchmarks/panels.py [--data DIR] [--sets NAME ...] [--models NAME ...] [--seeds N ...]
"""

import argparse
import datetime
import os
from collections.abc import Iterator
from pathlib import Path

import machine
import processes
from panels.results import Record, write
from panels.runs import MODELS, run
from panels.sets import SETS, Set, load

HERE = Path(__file__).parent


def main() -> None:
    """Measure, and write after each entry, so that an interruption loses none."""
    args = arguments()
    if (busy := os.getloadavg()[0]) > 0.5:
        print(f"Load average {busy:.1f}: with other work on the machine, the times are not reliable.")
    needed = {
        name: MODELS[name].ours or processes.has_modules(args.peers_python, MODELS[name].needs) for name in args.models
    }
    for name in (name for name, present in needed.items() if not present):
        print(f"{MODELS[name].title} is missing from {args.peers_python}: see benchmarks/requirements.txt")
    models = [name for name, present in needed.items() if present]
    for name in args.sets:
        given = load(name, args.data)
        for record in measure(given, models, args):
            print(words(record), flush=True)
            if args.steps is None:
                write(args.into, given, record, machine.command())
    print("Tried out, nothing written" if args.steps is not None else f"Written to {args.into} and a .md beside it")


def arguments() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    today = f"panels-{datetime.date.today().isoformat()}-{machine.name()}.json"
    parser.add_argument("--data", type=Path, default=HERE.parents[1] / "shared" / "data", help="the folder of the sets")
    parser.add_argument(
        "--sets", nargs="+", choices=list(SETS), default=list(SETS), metavar="SET", help=", ".join(SETS)
    )
    parser.add_argument(
        "--models", nargs="+", choices=list(MODELS), default=list(MODELS), metavar="MODEL", help=", ".join(MODELS)
    )
    parser.add_argument("--seeds", nargs="+", type=int, default=[0], metavar="N", help="default: 0")
    parser.add_argument("--steps", type=int, help="training steps of every network, to try things out: writes nothing")
    parser.add_argument(
        "--into",
        type=Path,
        default=HERE / "results" / today,
        help="the JSON file whose cells are replaced or added to; a page of the same name goes with it",
    )
    parser.add_argument(
        "--peers-python",
        default=str(HERE.parent / ".venv-peers" / "bin" / "python"),
        help="a Python that has benchmarks/requirements.txt (default: that of .venv-peers)",
    )
    args = parser.parse_args()
    if not args.data.is_dir():
        parser.error(f"there is no folder {args.data}: give the folder that has the sets with --data")
    return args


def measure(given: Set, models: list[str], args: argparse.Namespace) -> Iterator[Record]:
    """Measure the entries of a set, with one seed if seeds change nothing."""
    for name in models:
        if given.folds > 1 and not MODELS[name].folds:
            continue
        for seed in args.seeds if MODELS[name].random else args.seeds[:1]:
            yield run(given, name, seed=seed, peers_python=args.peers_python, steps=args.steps)


def words(record: Record) -> str:
    """Return a line about an entry."""
    found = " ".join(f"{name} {value:.3f}" for name, value in record.get("scores", {}).items())
    told = found or f"FAILED {record['failure']}"
    start = f"{record['set']:<17}{record['model']:<12}seed {record['seed']}"
    return f"{start} {record['seconds']:7.1f} s {record['peak_mib']:6,} MiB  {told}"


if __name__ == "__main__":
    main()
