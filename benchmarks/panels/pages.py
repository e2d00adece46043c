"""The page of results."""

import statistics
from typing import Any

from panels.runs import MODELS
from panels.sets import TITLES

Record = dict[str, Any]
COVERAGE = {"coverage-80": "80 % covers", "coverage-95": "95 % covers"}
NOTE = """\
With several seeds: the mean, and the range from the least to the largest. s: the whole process, from its start to its
forecasts in a file, with imports and compilation, on all cores that it uses. CPU s: CPU time, which other work on the
machine hardly changes; blank if it was not measured. MiB: the peak memory of its largest process. Each model has its
library's defaults and gets the horizon and the season. reads: the number of past values that the model reads; blank if
it reads the whole history."""
ABOUT = {
    "m4_hourly": "The last 48 hours of the training parts, after training on the data before them. MASE: m = 24.",
    "m4_hourly_halves": "The same hours; each half of the series is forecast by a model trained on the other half.",
    "m4_weekly": "The last 13 weeks of the training parts, after training on the data before them. MASE: m = 1.",
    "cif": "The test parts, 12 or 6 months, depending on the series. MASE: m = 12.",
    "nn5": "The test parts, 56 days; missing true values do not count. MASE: m = 7, on the history with its gaps.",
    "hospital": "The test parts, 12 months. MASE: m = 12.",
    "etth1": "Every window of 96 hours in the last 4 of 20 months, trained on the first 12; 7 columns, standardized.",
}


def page(facts: dict[str, Any], records: list[Record]) -> str:
    """Return Markdown with the machine, the versions, and a table for each set."""
    versions = {name: number for record in records for name, number in record.get("versions", {}).items()}
    head = [f"- {name}: {value}" for name, value in {**facts["machine"], **versions}.items()]
    head += [f"- command: `{command}`" for command in facts["commands"]]
    sections = []
    for name in dict.fromkeys(record["set"] for record in records):
        sections.append(section(name, [record for record in records if record["set"] == name], facts["naive2"]))
    return "\n".join([f"# Panels, {facts['date']}", "", *head, "", NOTE, *sections, ""])


def section(name: str, records: list[Record], naive2: dict[str, Any]) -> str:
    """Return one set's table and the remarks below it."""
    good = [record for record in records if "scores" in record]
    measures = list(dict.fromkeys(key for record in good for key in record["scores"] if key not in COVERAGE))
    rows = []
    for model in MODELS:
        found = [record for record in good if record["model"] == model]
        if found:
            rows.append(row(MODELS[model].title, *cells(found, measures)))
    header = ["", *measures, *COVERAGE.values(), "s", "CPU s", "MiB", "steps", "reads", "seeds"]
    naive = naive2.get(name)
    told = [f"Naive2: sMAPE {naive['sMAPE']:.3f}, MASE {naive['MASE']:.3f}.", ""] if naive else []
    table = [row(*header), row("---", *["---:"] * (len(header) - 1)), *rows]
    return "\n".join(["", f"## {TITLES[name]}", "", ABOUT[name], "", *told, *table, *remarks(records)])


def remarks(records: list[Record]) -> list[str]:
    """Return the decisions of each model and the failed processes, for below a table."""
    decided = {}
    for record in records:
        decided.setdefault(record["model"], record.get("decided", []))
    lines = [f"- {MODELS[model].title}: {note}" for model, notes in decided.items() for note in notes]
    lines += [
        f"- {MODELS[record['model']].title}, seed {record['seed']}, FAILED after {record['seconds']:.0f} s: "
        f"{record['failure'].splitlines()[-1]}"
        for record in records
        if "failure" in record
    ]
    return ["", *lines] if lines else []


def cells(records: list[Record], measures: list[str]) -> list[str]:
    """Return a model's row."""

    def scores(name: str) -> list[float]:
        return [record["scores"][name] for record in records if name in record["scores"]]

    return [
        *(spread(scores(name), "{:.3f}") for name in measures),
        *(spread([100 * share for share in scores(name)], "{:.1f}") for name in COVERAGE),
        spread([record["seconds"] for record in records], "{:.0f}"),
        spread([record["cpu_seconds"] for record in records if "cpu_seconds" in record], "{:.0f}"),
        f"{max(record['peak_mib'] for record in records):,}",
        spread([record["steps"] for record in records if record["steps"]], "{:.0f}"),
        str(records[0]["reads"] or ""),
        " ".join(str(record["seed"]) for record in records),
    ]


def spread(values: list[float], form: str) -> str:
    """Return the mean, with the range if there are several values; empty if there is none."""
    if not values:
        return ""
    mean = form.format(statistics.mean(values))
    return mean if len(values) == 1 else f"{mean} ({form.format(min(values))} to {form.format(max(values))})"


def row(*cells: str) -> str:
    """Return a table's row."""
    return f"| {' | '.join(cells)} |"
