"""The page of results."""

import statistics
from typing import Any

from memory.contests import CONTESTS
from memory.runs import CLIP, TESTED, Contest, Contestant

NOTE = f"""\
Figures are over {TESTED:,} fresh sequences, after the last step, one for each seed. Adam: the learning rate at the
start; it falls along a cosine to a twentieth. Gradients are clipped to a global norm of {CLIP:g}. Training ends when a
check is good enough or the steps are used up; steps: the largest of the seeds. s: wall-clock seconds of training alone.
CPU s: CPU seconds of the whole run, with compilation, checks and test. Load: that of the machine at the start.
Times and loads are means over the seeds."""


def page(facts: dict[str, Any], records: list[dict[str, Any]], picture: str) -> str:
    """Return Markdown with the machine, the expected and actual results, and a table for each task."""
    head = [f"- {name}: {value}" for name, value in {**facts["machine"], **facts["versions"]}.items()]
    head += [f"- command: {command}" for command in facts["commands"]]
    sections = [section(CONTESTS[name], found) for name, found in by_task(records).items()]
    image = f"![Each network's figure during its training]({picture})"
    return "\n".join([f"# Long memories, {facts['date']}", "", *head, "", image, "", NOTE, *sections, ""])


def by_task(records: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Return the records of each task, in order."""
    names = dict.fromkeys(record["task"] for record in records)
    return {name: [record for record in records if record["task"] == name] for name in names}


def section(contest: Contest, records: list[dict[str, Any]]) -> str:
    """Return one task's table."""
    rows = []
    for contestant in contest.contestants:
        found = [record for record in records if record["network"] == contestant.title]
        if found:
            rows.append(columns(contestant, found))
    failures = [f"- {r['network']}, seed {r['seed']}: {r['failure']}" for r in records if r["failure"]]
    told = ["", "Trainings that diverged, judged by the last valid state:", "", *failures] if failures else []
    return "\n".join(
        [
            "",
            f"## {contest.title}",
            "",
            f"{contest.measure.capitalize()}; without the inputs: {contest.baseline:.4f}.",
            f"At most {contest.parameters:,} parameters, {contest.batch} sequences a step and {contest.steps:,} steps.",
            "",
            row(*rows[0]),
            row("---", *["---:"] * (len(rows[0]) - 1)),
            *(row(*named.values()) for named in rows),
            *told,
        ]
    )


def columns(contestant: Contestant, records: list[dict[str, Any]]) -> dict[str, str]:
    """Return a row by its columns' names."""
    figures = [record["figure"] for record in records]
    met = [contestant.as_expected(figure) for figure in figures]

    def mean(name: str) -> str:
        return f"{statistics.mean(record[name] for record in records):.0f}"

    return {
        "network": contestant.title,
        "units": str(records[0]["units"]),
        "parameters": f"{records[0]['parameters']:,}",
        "Adam": f"{contestant.learning_rate:g}",
        "steps": f"{max(record['steps'] for record in records):,}",
        "s": mean("seconds"),
        "CPU s": mean("processor_seconds"),
        "load": mean("load"),
        "by seed": " ".join(f"{figure:.4f}" for figure in figures),
        "median": f"{statistics.median(figures):.4f}",
        "expected": "" if contestant.expected is None else "{} {:.3g}".format(*contestant.expected),
        "met": "" if contestant.expected is None else f"{sum(map(bool, met))} of {len(met)}",
    }


def row(*cells: str) -> str:
    """Return a table's row."""
    return f"| {' | '.join(cells)} |"
