"""The pages of results."""

import datetime
import os
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

import machine
import numpy as np

RESULTS = Path(__file__).parents[1] / "results"
PACKAGES = ("throughtime", "numpy", "scipy")


def write(part: str, title: str, peers: Mapping[str, str], lines: Sequence[str]) -> Path:
    """Write a page with the machine and the versions, those of peers too, and return its file."""
    today = datetime.date.today().isoformat()
    versions = {name: version(name) for name in PACKAGES} | dict(peers)
    facts = {
        "load average": f"{os.getloadavg()[0]:.1f}",
        "versions": ", ".join(" ".join(pair) for pair in versions.items()),
        "command": f"`{machine.command()}`",
    }
    head = machine.describe() | facts
    page = [f"# {title}, {today}", "", *(f"- {name}: {value}" for name, value in head.items()), "", *lines]
    file = RESULTS / f"zero_shot-{part}-{today}-{machine.name()}.md"
    file.write_text("\n".join(page) + "\n")
    return file


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return a table whose first column is one of words."""
    return [row(header), row(["---", *["---:"] * (len(header) - 1)]), *(row(cells) for cells in rows)]


def row(cells: Sequence[str]) -> str:
    """Return a row of a table."""
    return f"| {' | '.join(cells)} |"


def number(value: float, form: str = ".3f") -> str:
    """Return a number in words; empty if there is none."""
    return format(value, form) if np.isfinite(value) else ""
