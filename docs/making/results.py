"""Figures from benchmarks/results as tables for the pages: nothing that was measured is typed a second time."""

import json
import re
from pathlib import Path

RESULTS = Path(__file__).parents[2] / "benchmarks" / "results"
ROW = re.compile(r"^\|.*\|$")


def newest(kind: str, suffix: str) -> Path:
    """The newest results of a benchmark; of one day's the name that sorts last: ``2core`` after ``1core``."""
    found = sorted(RESULTS.glob(f"{kind}-20*{suffix}"))
    if not found:
        raise FileNotFoundError(f"no results of {kind} in {RESULTS}: expected {kind}-DATE-MACHINE{suffix}")
    return found[-1]


def rows(table: list[str]) -> list[list[str]]:
    """The cells of a table's rows, without the line below its head."""
    cells = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in table]
    return [row for row in cells if not all(set(cell) <= set(":- ") and cell for cell in row)]


def tables(file: Path) -> dict[str, list[str]]:
    """The first table below each heading of a results page."""
    found: dict[str, list[str]] = {}
    heading, first = "", True
    for line in file.read_text().splitlines():
        if line.startswith("#"):
            heading, first = line.lstrip("# "), True
        elif ROW.match(line) and first:
            found.setdefault(heading, []).append(line)
        else:
            first = first and heading not in found
    return found


def told(file: Path) -> dict[str, str]:
    """What stands at the head of a results page: machine, versions, commands."""
    pairs = [line[2:].split(": ", 1) for line in file.read_text().splitlines() if re.match(r"- [\w ]+: ", line)]
    return {name: "; ".join(said for other, said in pairs if other == name) for name, _ in pairs}


def source(file: Path) -> str:
    """Where a table comes from."""
    head = told(file)
    machine = f"{head['processor']}, {head['cores']} core{'' if head['cores'] == '1' else 's'}"
    date = re.search(r"\d{4}-\d\d-\d\d", file.name)
    when = f", {date[0]}" if date else ""
    return f"`benchmarks/results/{file.name}`: {machine}{when}. {head.get('command', '')}\n{{ .source }}"


def results_table(kind: str, heading: str) -> str:
    """One table of the newest results, and where it comes from; ``kind/machine`` asks for a machine's."""
    kind, _, machine = kind.partition("/")
    file = newest(kind, f"{machine}.md")
    found = tables(file)
    dated = [known for known in found if known.startswith(heading)]  # "Recurrent training steps, 2026-11-25"
    heading = dated[0] if len(dated) == 1 else heading
    if heading not in found:
        raise KeyError(f"{file.name} has no table under {heading!r}: expected one of {', '.join(found)}")
    return "\n".join([*found[heading], "", source(file)])


def cells_table() -> str:
    """Cost and half-life of all cells."""
    file = newest("cells", ".md")
    head, *body = rows(tables(file)[next(iter(tables(file)))])
    wanted = ["cell", "parameters", "batch 32, default, x", "batch 32, scan, x", "half-life, steps", "left after 100"]
    places = [head.index(name) for name in wanted]
    names = ["cell", "parameters", "time, times Elman's", "by the scan", "half-life, steps", "left after 100 steps"]
    lines = [f"| {' | '.join(names)} |", f"|---|{'---:|' * (len(names) - 1)}"]
    lines += [f"| {' | '.join(row[place] for place in places)} |" for row in body]
    return "\n".join([*lines, "", f"{cells_note()}\n{{ .source }}", "", source(file)])


def cells_note() -> str:
    """What the figures of the cells are."""
    return (
        "Time: forward and back through 100 steps of 100 units, over the Elman cell's by the same way: as installed, "
        "with native kernels where there are any, and by the scan. Half-life: of a gradient in 32 units with the "
        "weights that they start with, on white noise, by `tt.gradient_flow`; the median of five draws."
    )


def cell_figures(kind: str) -> str:
    """The same of one cell, in a table of its own."""
    file = newest("cells", ".md")
    head, *body = rows(tables(file)[next(iter(tables(file)))])
    row = dict(zip(head, next(row for row in body if row[0] == kind), strict=True))
    half = row["half-life, steps"]
    lines = [
        "| measured | |",
        "|---|---|",
        f"| parameters, with 1 input and 100 units | {row['parameters']} |",
        f"| time forward and back, batch 32 | {row['batch 32, default, x']} times the Elman cell's; "
        f"{row['batch 32, scan, x']} times where both are scanned |",
        f"| the same for one sequence | {row['batch 1, default, x']} times; {row['batch 1, scan, x']} times |",
        f"| half-life of a gradient as it starts | {half}{'' if half.startswith('does') else ' steps'}; "
        f"{row['left after 100']} is left after 100 |",
    ]
    return "\n".join([*lines, "", f"{cells_note()}\n{{ .source }}", "", source(file)])


def raw(kind: str) -> dict:
    """The raw figures of the newest results."""
    return json.loads(newest(kind, ".json").read_text())
