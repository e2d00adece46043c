"""Pictures of benchmark results: ``python docs/making/benchmark_pictures.py`` writes docs/pictures/benchmarks/.

All figures are read from benchmarks/results.
"""

import math
import re
from pathlib import Path
from typing import NamedTuple

import results
from matplotlib.ticker import MaxNLocator
from svg import Picture, write

FOLDER = Path(__file__).parents[1] / "pictures" / "benchmarks"
LEFT, RIGHT, ROW, TOP = 225, 700, 30, 44


class Series(NamedTuple):
    """A column of dots: its name, its color and a value for each row, None if there is none."""

    name: str
    color: str
    values: list[float | None]


def plain(value: float) -> str:
    """Return a number as a reader would write it."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def dots(title: str, rows: list[str], series: list[Series], *, unit: str, log: bool) -> Picture:
    """Draw one row per case and one dot per competitor; the axis is logarithmic if times differ by factors of ten."""
    picture = Picture(740, TOP + ROW * len(rows) + 46, title)
    known = [value for column in series for value in column.values if value is not None]
    spare = 0.1 * (max(known) - min(known))
    low, high = (min(known) / 1.3, max(known) * 1.3) if log else (min(known) - spare, max(known) + spare)

    def at(value: float) -> float:
        share = math.log(value / low) / math.log(high / low) if log else (value - low) / (high - low)
        return LEFT + share * (RIGHT - LEFT)

    bottom = TOP + ROW * len(rows)
    for tick in ticks(low, high, log=log):
        picture.line([(at(tick), TOP - 6), (at(tick), bottom)], color="line", width=1)
        picture.text(at(tick), bottom + 14, plain(tick), size=12, color="soft")
    picture.text((LEFT + RIGHT) / 2, bottom + 34, unit, size=12.5, color="soft")
    x = 10.0
    for column in series:
        picture.circle(x + 6, 16, 6, fill=column.color)
        picture.text(x + 18, 16, column.name, size=13, anchor="start")
        x += 34 + 7.3 * len(column.name)
    for place, name in enumerate(rows):
        y = TOP + ROW * (place + 0.5)
        picture.text(LEFT - 14, y, name, size=13, anchor="end")
        here = [(value, column.color) for column in series if (value := column.values[place]) is not None]
        if len(here) > 1:
            ends = [at(value) for value, _ in here]
            picture.line([(min(ends), y), (max(ends), y)], color="line", width=3)
        for value, color in reversed(here):  # ours is smaller and on top, so that an equal dot shows around it
            picture.circle(at(value), y, 5.5 if color == "model" else 7.5, fill=color)
    return picture


def bars(title: str, rows: list[str], values: list[float], *, unit: str, ours: int = 0) -> Picture:
    """Draw one bar per row with its figure after it; ours in blue."""
    picture = Picture(740, 12 + ROW * len(rows) + 26, title)
    widest = max(values)
    for place, (name, value) in enumerate(zip(rows, values, strict=True)):
        y = 12 + ROW * (place + 0.5)
        length = max(value / widest * (RIGHT - LEFT - 62), 1.5)
        picture.text(LEFT - 14, y, name, size=13, anchor="end", weight="600" if place == ours else "normal")
        picture.rectangle(LEFT, y - 9, length, 18, fill="model" if place == ours else "5", radius=2)
        picture.text(LEFT + length + 8, y, plain(value), size=13, anchor="start")
    picture.text((LEFT + RIGHT) / 2, 12 + ROW * len(rows) + 12, unit, size=12.5, color="soft")
    return picture


def ticks(low: float, high: float, *, log: bool) -> list[float]:
    """Return round numbers between the ends."""
    if log:
        powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        few = high / low > 300
        steps = [step * 10.0**power for power in powers for step in ((1,) if few else (1, 2, 5))]
        return [tick for tick in steps if low <= tick <= high]
    return [tick for tick in MaxNLocator(6, steps=[1, 2, 5, 10]).tick_values(low, high) if low <= tick <= high]


def number(cell: str) -> float | None:
    """Return the figure of a table's cell."""
    found = re.match(r"-?[\d,]+(\.\d+)?(e-?\d+)?", cell)
    return float(found[0].replace(",", "")) if found else None


def reference_step() -> Picture:
    table = results.tables(results.newest("reference_step", ".md"))["One training step, in microseconds"]
    head, *body = results.rows(table)
    values = [number(row[head.index("median")]) for row in body]
    return bars(
        "Microseconds of one training step of the demo's network",
        [row[0] for row in body], [value or 0.0 for value in values], unit="microseconds a training step, median",
    )  # fmt: skip


CELLS = {"elman": "ReLU RNN", "gru": "GRU", "lstm": "LSTM", "mingru": "minGRU", "minlstm": "minLSTM", "lru": "LRU"}


def recurrent_step() -> Picture:
    file = results.newest("recurrent_step", ".md")
    head, *body = results.rows(next(iter(results.tables(file).values())))
    body = [row for row in body if row[head.index("models")] == row[head.index("cores")] == "1" and row[3] == "30"]
    names = [f"{CELLS[row[0]]}, batch {row[1]}" for row in body]
    columns = (("native kernel", "model", "kernel"), ("the same by a scan", "2", "scan"), ("PyTorch", "1", "PyTorch"))
    series = [Series(name, color, [number(row[head.index(key)]) for row in body]) for name, color, key in columns]
    return dots("Microseconds of a whole training step by cell and batch", names, series, log=True,
                unit="microseconds a training step; the axis is logarithmic")  # fmt: skip


SETS = {
    "m4_hourly": "M4 Hourly, OWA",
    "m4_weekly": "M4 Weekly, OWA",
    "cif": "CIF 2016, MASE",
    "nn5": "NN5 daily, MASE",
    "hospital": "Hospital, MASE",
    "etth1": "ETTh1, MSE",
}
MODELS = {
    "throughtime": "throughtime",
    "lstm": "neuralforecast LSTM",
    "gru": "neuralforecast GRU",
    "autoets": "AutoETS",
}
COLORS = {"throughtime": "model", "lstm": "1", "gru": "3", "autoets": "2"}


def panels() -> Picture:
    series = [
        Series(name, COLORS[model], [panel_score(data, model) for data in SETS]) for model, name in MODELS.items()
    ]
    return dots("Scores on six panels, lower is better", list(SETS.values()), series, log=False,
                unit="OWA, MASE or MSE: lower is better")  # fmt: skip


def panel_score(data: str, model: str) -> float | None:
    """Return the score from the newest results that have this entry."""
    for file in sorted(results.RESULTS.glob("panels-20*.md"), reverse=True):
        for heading, table in results.tables(file).items():
            head, *body = results.rows(table)
            metric = SETS[data].rpartition(" ")[2]
            if heading.lower().replace(" ", "_").replace("2016", "").strip("_").startswith(data):
                for row in body:
                    if row[0].lower().replace("statsforecast ", "").replace("neuralforecast ", "") == model:
                        return number(row[head.index(metric)])
    return None


PICTURES = (reference_step, recurrent_step, panels)


if __name__ == "__main__":
    write(FOLDER, PICTURES)
