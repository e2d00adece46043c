"""The evidence for the forecaster's defaults: one choice changed at a time, scored inside the training parts.

python benchmarks/forecast_choices.py --data DIR [--sets hospital nn5 ...] [--choices "one block" ...] [--seeds 0 1]

Networks that have not seen the last horizon of each training part forecast it; no test part is read. Everything else is
as :func:`make_plan` decides, without the decisions of held-out runs. Results are written to ``benchmarks/results``
after every run; a run with results is not repeated.
"""

import argparse
import json
import time
from collections.abc import Callable
from datetime import date
from importlib.metadata import version
from pathlib import Path

import machine
import numpy as np
import polars as pl
from panels import scores, sets

from throughtime.data import as_panel
from throughtime.forecasting import (
    Calibration,
    Fitted,
    ForecasterConfig,
    Plan,
    blocks_of,
    forecast_quantiles,
    interval_columns,
    known_values,
    make_plan,
    prepare,
    train_networks,
)

RESULTS = Path(__file__).parent / "results"
NAMES = ["hospital", "cif", "nn5", "m4_weekly", "m4_hourly"]
STEPS = {"hospital": 150, "cif": 300}  # these overfit early; 1,000 for the others
Change = Callable[[Plan], Plan]


def in_design(**fields: object) -> Change:
    return lambda plan: plan._replace(design=plan.design._replace(**fields))


CHOICES: dict[str, Change] = {
    "as it is": lambda plan: plan,
    "one block": in_design(blocks=1),
    "three blocks": in_design(blocks=3),
    "no linear map": in_design(skip=False),
    "values, not logarithms": lambda plan: plan._replace(log=False),
    "half the units": lambda plan: in_design(hidden=plan.design.hidden // 2)(plan),
    "twice the units": lambda plan: in_design(hidden=2 * plan.design.hidden)(plan),
    "LSTM": in_design(cell="lstm"),
    "half the learning rate": lambda plan: plan._replace(learning_rate=plan.learning_rate / 2),
}


def main() -> None:
    """Run the selected choices that have no results yet."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--sets", nargs="+", default=NAMES, choices=NAMES)
    parser.add_argument("--choices", nargs="+", default=list(CHOICES), choices=list(CHOICES))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1])
    asked = parser.parse_args()
    file = RESULTS / f"forecast_choices-{date.today()}-{machine.name()}.json"
    found = json.loads(file.read_text())["runs"] if file.exists() else []
    for name in asked.sets:
        given = inner(sets.load(name, asked.data))
        for choice in asked.choices:
            for seed in asked.seeds:
                if not any((run["set"], run["choice"], run["seed"]) == (name, choice, seed) for run in found):
                    found.append({"set": name, "choice": choice, "seed": seed, **run(given, CHOICES[choice], seed)})
                    print(found[-1], flush=True)
                    write(file, found)


def inner(given: sets.Set) -> sets.Set:
    """Return the set with its truth inside the training part."""
    if given.kind == "m4":
        return given  # no more than its training part is known
    history, truth = sets.last_horizon(given.history, given.horizon)
    return given._replace(history=history, truth=truth.drop_nulls("y"))


def run(given: sets.Set, change: Change, seed: int) -> dict[str, float]:
    """Return the scores and seconds of one network."""
    panel = as_panel(given.history)
    cutoffs = panel.lengths
    config = ForecasterConfig(horizon=given.horizon, season=given.season, steps=steps(given), members=1)
    plan = change(make_plan(config, known_values(panel, cutoffs), cutoffs))
    began = time.perf_counter()
    networks, losses = train_networks(lambda: blocks_of(prepare(panel, cutoffs, plan), plan), plan, seed=seed)
    seconds = time.perf_counter() - began
    fitted = Fitted(panel, plan, Calibration(plan.steps), networks, losses, [])
    return scores.scores(given, forecasts(fitted)) | {"seconds": seconds}


def steps(given: sets.Set) -> int:
    return STEPS.get(given.name, 1000)


def forecasts(fitted: Fitted) -> pl.DataFrame:
    """Return ``unique_id, cutoff, ds, point`` and the bounds of the intervals."""
    panel, plan = fitted.panel, fitted.plan
    quantiles = forecast_quantiles(fitted, panel, panel.lengths)
    columns = interval_columns(quantiles.reshape(-1, quantiles.shape[-1]), scores.LEVELS, scores.POINT)
    ids, times = panel.future(plan.design.horizon)
    cutoff = np.repeat(times[:: plan.design.horizon] - 1, plan.design.horizon)
    return pl.DataFrame({"unique_id": ids, "cutoff": cutoff, "ds": times, **columns})


def write(file: Path, found: list[dict]) -> None:
    """Write the runs as JSON, and a table of their means over the seeds."""
    head = machine.describe() | {"date": str(date.today()), "jax": version("jax")}
    file.write_text(json.dumps({"head": head, "runs": found}, indent=1) + "\n")
    table = pl.DataFrame(found)
    measures = [name for name in ("OWA", "MASE", "sMAPE", "coverage-80", "seconds") if name in table.columns]
    mean = table.group_by("set", "choice", maintain_order=True).agg(pl.col(measures).mean(), pl.len().alias("seeds"))
    lines = ["# What the forecaster's defaults rest on", "", *(f"- {key}: {value}" for key, value in head.items()), ""]
    lines += [
        "Means over seeds of single networks, on the last horizon inside the training parts. Lower is better.",
        "",
    ]
    lines += ["| " + " | ".join(mean.columns) + " |", "|" + "---|" * len(mean.columns)]
    for row in mean.rows():
        cells = ["" if one is None else f"{one:.3f}" if isinstance(one, float) else str(one) for one in row]
        lines.append("| " + " | ".join(cells) + " |")
    file.with_suffix(".md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
