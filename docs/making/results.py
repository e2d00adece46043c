"""Figures from benchmarks/results as tables for the pages, so that no measurement is typed twice."""

import json
import re
from pathlib import Path

RESULTS = Path(__file__).parents[2] / "benchmarks" / "results"
ROW = re.compile(r"^\|.*\|$")


def newest(kind: str, suffix: str) -> Path:
    """Return the newest results of a benchmark; of one day, the name that sorts last: ``2core`` after ``1core``."""
    found = sorted(RESULTS.glob(f"{kind}-20*{suffix}"))
    if not found:
        raise FileNotFoundError(f"no results of {kind} in {RESULTS}: expected {kind}-DATE-MACHINE{suffix}")
    return found[-1]


def rows(table: list[str]) -> list[list[str]]:
    """Return the cells of a table's rows, without the line below its head."""
    cells = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in table]
    return [row for row in cells if not all(set(cell) <= set(":- ") and cell for cell in row)]


def tables(file: Path) -> dict[str, list[str]]:
    """Return the first table below each heading of a results page."""
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
    """Return the facts at the head of a results page: machine, versions, commands."""
    pairs = [line[2:].split(": ", 1) for line in file.read_text().splitlines() if re.match(r"- [\w ]+: ", line)]
    return {name: "; ".join(said for other, said in pairs if other == name) for name, _ in pairs}


def source(file: Path) -> str:
    """Return the line that names a table's file, machine, date and command."""
    head = told(file)
    machine = f"{head['processor']}, {head['cores']} core{'' if head['cores'] == '1' else 's'}"
    date = re.search(r"\d{4}-\d\d-\d\d", file.name)
    when = f", {date[0]}" if date else ""
    return f"`benchmarks/results/{file.name}`: {machine}{when}. {head.get('command', '')}\n{{ .source }}"


def results_table(kind: str, heading: str) -> str:
    """Return one table of the newest results and its source; ``kind/machine`` selects a machine."""
    kind, _, machine = kind.partition("/")
    file = newest(kind, f"{machine}.md")
    found = tables(file)
    dated = [known for known in found if known.startswith(heading)]  # "Recurrent training steps, 2026-11-25"
    heading = dated[0] if len(dated) == 1 else heading
    if heading not in found:
        raise KeyError(f"{file.name} has no table under {heading!r}: expected one of {', '.join(found)}")
    return "\n".join([*found[heading], "", source(file)])


def cells_table() -> str:
    """Return the table of cost and half-life of all cells."""
    file = newest("cells", ".md")
    head, *body = rows(tables(file)[next(iter(tables(file)))])
    wanted = ["cell", "parameters", "batch 32, default, x", "batch 32, scan, x", "half-life, steps", "left after 100"]
    places = [head.index(name) for name in wanted]
    names = ["cell", "parameters", "time, times Elman's", "by the scan", "half-life, steps", "left after 100 steps"]
    lines = [f"| {' | '.join(names)} |", f"|---|{'---:|' * (len(names) - 1)}"]
    lines += [f"| {' | '.join(row[place] for place in places)} |" for row in body]
    return "\n".join([*lines, "", f"{cells_note()}\n{{ .source }}", "", source(file)])


def cells_note() -> str:
    """Return the explanation of the cells' figures."""
    return (
        "Time: a forward and a backward pass through 100 steps of 100 units, relative to the Elman cell by the same "
        "method: as installed, with native kernels for cells that have one, and by the scan. Half-life: of a gradient "
        "in 32 untrained units, on white noise, by `tt.gradient_flow`; the median of five draws."
    )


def cell_figures(kind: str) -> str:
    """Return the figures of one cell as a table."""
    file = newest("cells", ".md")
    head, *body = rows(tables(file)[next(iter(tables(file)))])
    row = dict(zip(head, next(row for row in body if row[0] == kind), strict=True))
    half = row["half-life, steps"]
    lines = [
        "| measured | |",
        "|---|---|",
        f"| parameters, with 1 input and 100 units | {row['parameters']} |",
        f"| time forward and backward, batch 32 | {row['batch 32, default, x']} times the Elman cell's; "
        f"{row['batch 32, scan, x']} times if both are scanned |",
        f"| the same for one sequence | {row['batch 1, default, x']} times; {row['batch 1, scan, x']} times |",
        f"| half-life of a gradient before training | {half}{'' if half.startswith('does') else ' steps'}; "
        f"{row['left after 100']} is left after 100 |",
    ]
    return "\n".join([*lines, "", f"{cells_note()}\n{{ .source }}", "", source(file)])


def raw(kind: str) -> dict:
    """Return the raw figures of the newest results."""
    return json.loads(newest(kind, ".json").read_text())
