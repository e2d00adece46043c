"""The results as a page."""

import statistics
from typing import Any

from memory.contests import CONTESTS
from memory.runs import CLIP, TESTED, Contest, Contestant

COLUMNS = (
    "network",
    "units",
    "parameters",
    "learning rate",
    "steps",
    "s",
    "CPU s",
    "by seed",
    "median",
    "expected",
    "met",
)


NOTE = f"""\
Figures are over {TESTED:,} fresh sequences, after the last step, one for each seed. Adam: the learning rate at the
start; it falls along a cosine to a twentieth. Gradients are clipped to a global norm of {CLIP:g}. Trained until a check
is good enough or the steps are used up; steps: the largest of the seeds. s: seconds of training alone, by the clock.
CPU s: of the processor for the whole run, with compilation, checks and test. Load: that of the machine at the start.
These are means over the seeds."""


def page(facts: dict[str, Any], records: list[dict[str, Any]], picture: str) -> str:
    """Markdown: the machine, what was foretold and came, and a table for each task."""
    head = [f"- {name}: {value}" for name, value in {**facts["machine"], **facts["versions"]}.items()]
    head += [f"- command: {command}" for command in facts["commands"]]
    sections = [section(CONTESTS[name], found) for name, found in by_task(records).items()]
    image = f"![Each network's figure in the course of its training]({picture})"
    return "\n".join([f"# Long memories, {facts['date']}", "", *head, "", image, "", NOTE, *sections, ""])


def by_task(records: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """The records of each task, in order."""
    names = dict.fromkeys(record["task"] for record in records)
    return {name: [record for record in records if record["task"] == name] for name in names}


def section(contest: Contest, records: list[dict[str, Any]]) -> str:
    """One task's table."""
    rows = []
    for contestant in contest.contestants:
        found = [record for record in records if record["network"] == contestant.title]
        if found:
            rows.append(row(*cells(contestant, found)))
    failures = [f"- {r['network']}, seed {r['seed']}: {r['failure']}" for r in records if r["failure"]]
    told = ["", "Trainings that broke off, judged by the last state that was good:", "", *failures] if failures else []
    return "\n".join(
        [
            "",
            f"## {contest.title}",
            "",
            f"{contest.measure.capitalize()}; the best answer that does not look at the inputs: "
            f"{contest.baseline:.4f}. At most {contest.parameters:,} parameters, {contest.batch} sequences a step, at "
            f"most {contest.steps:,} steps.",
            "",
            row(*COLUMNS),
            row("---", *["---:"] * (len(COLUMNS) - 1)),
            *rows,
            *told,
        ]
    )


def cells(contestant: Contestant, records: list[dict[str, Any]]) -> tuple[str, ...]:
    """What a row says."""
    figures = [record["figure"] for record in records]
    met = [contestant.as_expected(figure) for figure in figures]
    expected = "" if contestant.expected is None else "{} {:.3g}".format(*contestant.expected)
    return (
        contestant.title,
        str(records[0]["units"]),
        f"{records[0]['parameters']:,}",
        f"{contestant.learning_rate:g}",
        f"{max(record['steps'] for record in records):,}",
        f"{statistics.mean(record['seconds'] for record in records):.0f}",
        f"{statistics.mean(record['processor_seconds'] for record in records):.0f}",
        f"{statistics.mean(record['load'] for record in records):.0f}",
        " ".join(f"{figure:.4f}" for figure in figures),
        f"{statistics.median(figures):.4f}",
        expected,
        f"{sum(map(bool, met))} of {len(met)}" if expected else "",
    )


def row(*cells: str) -> str:
    """A table's row."""
    return f"| {' | '.join(cells)} |"
