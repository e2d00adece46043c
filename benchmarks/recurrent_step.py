"""The time of a whole training step with the native kernels, by the plain scan, in PyTorch and in Keras on JAX.

Every side runs in its own processes, in turn, for several rounds; see ``benchmarks/README.md``.

    python benchmarks/recurrent_step.py [--rounds N] [--grid] [--cells NAME ...] [--peers-python PATH] [--results DIR]
"""

import argparse
import datetime
import json
import os
import sys
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import machine
import matplotlib as mpl
from processes import has_modules, last_line

mpl.use("Agg")
import matplotlib.pyplot as plt

HERE = Path(__file__).parent
GATES = {"elman": 1, "gru": 3, "lstm": 4}
LINEAR = ("mingru", "minlstm", "lru")  # linear in their state: no matrix product with it
CELLS = (*GATES, *LINEAR)
PEERS = {"recurrent_pytorch.py": "torch", "recurrent_keras.py": "keras"}  # and the module that each needs
SIDES = ("kernel", "scan", "PyTorch", "PyTorch without oneDNN", "torch.compile", "Keras on JAX")
CHUNKS = 3  # of each side in a process


class Case(NamedTuple):
    """The sizes of a step."""

    cell: str
    batch: int
    hidden: int = 100
    steps: int = 30
    models: int = 1
    cores: int = 1

    @property
    def states(self) -> float:
        """The count of numbers in all states."""
        return float(self.models * self.batch * self.steps * self.hidden)

    @property
    def flops(self) -> float:
        """The operations of the products with state, input and bias, one forward and two backward: 2 per weight."""
        weights = GATES.get(self.cell, 0) * self.hidden * (self.hidden + 2)
        return 6.0 * self.models * self.batch * self.steps * weights


CASES = [
    *(Case(cell, batch) for cell, batch in product(CELLS, (1, 32, 128))),
    *(Case(cell, 128, cores=2) for cell in GATES),
    *(Case(cell, batch, models=20) for cell, batch in product(("elman", "lstm"), (1, 32))),
    *(Case("lstm", 32, steps=steps) for steps in (300, 3000)),
]
GRID = [Case(*sizes) for sizes in product(CELLS, (1, 8, 32, 128, 512), (8, 32, 100, 256, 512), (10, 30, 300))]


def main() -> None:
    """Measure, print, and write after each case, so that an interruption loses none."""
    args = arguments()
    load = os.getloadavg()[0]
    if load > 0.5:
        print(f"Load average {load:.1f}: with other work on the machine, the figures are not reliable.")
    cases = [case for case in (GRID if args.grid else CASES) if case.cell in args.cells]
    cases = [case for case in cases if case.flops < args.most_gflop * 1e9 and case.states < args.most_states * 1e6]
    facts: dict[str, Any] = {
        "date": datetime.date.today().isoformat(),
        "command": machine.command(),
        "machine": machine.describe() | {"load average at the start": f"{load:.2f}"},
        "versions": {},
        "sgemm": {1: 0.0, 2: 0.0},
    }
    peers = [] if args.grid else [peer for peer, needs in PEERS.items() if has_modules(args.peers_python, (needs,))]
    file = results_file(args, facts["date"])
    found: dict[Case, dict[str, list[float]]] = {}
    for _ in range(args.rounds):
        for cores, fastest in facts["sgemm"].items():
            speed = last_line([sys.executable, str(HERE / "peers" / "sgemm.py"), str(cores)], {})[1]
            facts["sgemm"][cores] = max(fastest, speed)
        for case in cases:
            for told in measure(case, args.peers_python, peers):
                facts["versions"] |= told["versions"]
                for side, times in told["us"].items():
                    found.setdefault(case, {}).setdefault(side, []).extend(times)
            print(words(case, found[case]), flush=True)
            write(file, facts, found)
    if not args.grid and set(GATES) <= set(args.cells):
        roofline(facts, found, HERE.parent / "docs" / "pictures" / "kernels.png")
    print(f"Written to {file}, with the raw times beside it")


def arguments() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="how often each side runs (default: 3)")
    parser.add_argument("--grid", action="store_true", help="kernels and scan over many sizes, without peers")
    parser.add_argument("--cells", nargs="+", choices=CELLS, default=CELLS, metavar="CELL", help=", ".join(CELLS))
    parser.add_argument("--most-gflop", type=float, default=60, help="leave out larger steps (default: 60)")
    parser.add_argument(
        "--most-states", type=float, default=20, help="leave out more million numbers in all states (default: 20)"
    )
    parser.add_argument(
        "--peers-python",
        default=str(HERE.parent / ".venv-peers" / "bin" / "python"),
        help="a Python that has benchmarks/requirements.txt (default: that of .venv-peers)",
    )
    parser.add_argument("--results", type=Path, default=HERE / "results", help="the folder to write to")
    return parser.parse_args()


def measure(case: Case, peers_python: str, peers: list[str]) -> list[dict[str, Any]]:
    """Measure both of throughtime's sides, in turns in one process, and each peer in another process."""
    sides = [(sys.executable, "recurrent_throughtime.py")]
    if case.models == 1 and case.steps <= 30 and case.cell in GATES:
        sides += [(peers_python, peer) for peer in peers]
    sizes = [f"--{name}={value}" for name, value in case._asdict().items()]
    sizes.append(f"--chunks={CHUNKS}")
    return [last_line([python, str(HERE / "peers" / script), *sizes], {})[1] for python, script in sides]


def words(case: Case, times: dict[str, list[float]]) -> str:
    """Return a line about a case."""
    sizes = " ".join(f"{name}={value}" for name, value in case._asdict().items())
    return f"{sizes}: " + ", ".join(f"{side} {min(us):,.0f} us" for side, us in times.items())


def results_file(args: argparse.Namespace, date: str) -> Path:
    """Return the page's file, and create its folder."""
    kind = "grid" if args.grid else "step"
    if tuple(args.cells) != CELLS:
        kind += "-" + "-".join(args.cells)
    args.results.mkdir(parents=True, exist_ok=True)
    return args.results / f"recurrent_{kind}-{date}-{machine.name()}.md"


def write(file: Path, facts: dict[str, Any], found: dict[Case, dict[str, list[float]]]) -> None:
    """Write a page and the raw times."""
    cells = [case._asdict() | {"us": times} for case, times in found.items()]
    file.with_suffix(".json").write_text(json.dumps(facts | {"cases": cells}) + "\n")
    file.write_text(page(facts, found))


def page(facts: dict[str, Any], found: dict[Case, dict[str, list[float]]]) -> str:
    """Return the results as Markdown."""
    head = facts["machine"] | {"versions": ", ".join(f"{name} {number}" for name, number in facts["versions"].items())}
    head |= {"sgemm": ", ".join(f"{speed:.0f} GFLOP/s on {cores} core(s)" for cores, speed in facts["sgemm"].items())}
    lines = [f"- {name}: {value}" for name, value in head.items()]
    sides = [side for side in SIDES if any(side in times for times in found.values())]
    titles = ["cell", "batch", "units", "steps", "models", "cores", *sides]
    titles += [f"{side} / kernel" for side in sides[1:3]] + ["of sgemm's speed"]
    rows = [row(*titles), row(*["---:"] * len(titles))]
    for case, times in found.items():
        least = {side: min(us) for side, us in times.items()}
        share = case.flops / least["kernel"] / 1e3 / facts["sgemm"][case.cores]
        cells = [*case, *(f"{least[side]:,.0f}" if side in least else "" for side in sides)]
        cells += [f"{least[side] / least['kernel']:.2f}" if side in least else "" for side in sides[1:3]]
        rows.append(row(*cells, f"{share:.2f}" if share else ""))
    return f"""# Recurrent training steps, {facts["date"]}

{chr(10).join(lines)}
- command: `{facts["command"]}`

Microseconds of a whole training step: drawing the batch, forward, backward, Adam; minimum over all chunks and rounds.
Share of sgemm's speed: the step's matrix products over the step's time, relative to NumPy's product of 1,024 x 1,024.

{chr(10).join(rows)}
"""


def row(*cells: object) -> str:
    """Return a table's row."""
    return f"| {' | '.join(map(str, cells))} |"


def roofline(facts: dict[str, Any], found: dict[Case, dict[str, list[float]]], file: Path) -> None:
    """Draw the speed of the step's products by batch, under the machine's own speed."""
    figure, axes = plt.subplots(figsize=(7, 4.2), layout="constrained")
    colors = {"elman": "#0072b2", "gru": "#009e73", "lstm": "#d55e00"}
    styles = {"kernel": "-", "scan": "--", "PyTorch": ":"}
    one_core = [case for case in found if case.cores == 1 and case.models == 1 and case.steps == 30]
    for cell, side in product(GATES, styles):
        points = [
            (c.batch, c.flops / min(found[c][side]) / 1e3) for c in one_core if c.cell == cell and side in found[c]
        ]
        if points:
            axes.plot(*zip(*points, strict=True), styles[side], color=colors[cell], marker="o", label=f"{cell}, {side}")
    axes.axhline(facts["sgemm"][1], color="0.3", lw=1)
    axes.text(1, facts["sgemm"][1] * 1.03, "sgemm, 1,024 x 1,024", color="0.3")
    axes.set(xscale="log", yscale="log", xlabel="batch", ylabel="GFLOP/s of the whole step, one core")
    axes.set_xticks([1, 32, 128], ["1", "32", "128"])
    axes.legend(ncols=3, fontsize=8, frameon=False, loc="lower right")
    axes.set_title("A training step: 30 time steps, 100 units")
    figure.savefig(file, dpi=120)
    plt.close(figure)


if __name__ == "__main__":
    main()
