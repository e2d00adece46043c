"""The picture of results: each check during training."""

from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from memory.contests import CONTESTS
from memory.pages import by_task

MOST_ACROSS = 3


def picture(file: Path, records: list[dict[str, Any]]) -> None:
    """Draw a panel for each task and a line for each training, with the baseline dashed."""
    tasks = by_task(records)
    across = min(len(tasks), MOST_ACROSS)
    down = -(-len(tasks) // across)
    figure = Figure(figsize=(5 * across, 3.8 * down), layout="constrained")
    for place, (name, found) in enumerate(tasks.items(), start=1):
        panel(figure.add_subplot(down, across, place), name, found)
    figure.savefig(file, dpi=100)


def panel(axes: Any, name: str, records: list[dict[str, Any]]) -> None:
    """Draw one task; errors have a logarithmic scale."""
    contest = CONTESTS[name]
    for number, contestant in enumerate(contest.contestants):
        for record in (record for record in records if record["network"] == contestant.title):
            steps, figures = zip(*record["curve"], strict=True)
            label = contestant.title if record["seed"] == 0 else None
            axes.plot(steps[1:], figures[1:], color=f"C{number}", label=label, linewidth=1.2, marker=".")
    axes.axhline(contest.baseline, color="gray", linestyle="--", linewidth=1, label="without looking")
    if contest.measure != "accuracy":
        axes.set_yscale("log")
    axes.set_title(contest.title, fontsize=10)
    axes.set_xlabel("training steps")
    axes.set_ylabel(contest.measure)
    axes.legend(fontsize=7)
