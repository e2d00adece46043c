"""What a notebook and a terminal show of a training run: the loss, the gradient by lag, who is dead or saturated."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from throughtime.plots.charts import Line, Ticks, chart, heat_map, power_words, some, wide
from throughtime.plots.notebook import Block, Picture, Table
from throughtime.plots.theme import DASHES, LINES

if TYPE_CHECKING:
    from throughtime.training import History

DECADES = 8  # below the largest gradient, that can be told apart
MOST = 256  # records and lags of the map: some in between stand for all
ROWS = 8  # of the table of updates


def history_block(history: "History") -> Block:
    """The display of a run."""
    records = len(history.step)
    if not records:
        return Block("Training history without records")
    title = f"Training history, {records:,} record{'s' if records > 1 else ''} to step {history.step[-1]:,}"
    return Block(title, pictures=list(_pictures(history)), tables=list(_tables(history)))


def history_line(history: "History") -> str:
    """The same on a line."""
    if not len(history.step):
        return "History(records=0)"
    last = f"step={history.step[-1]}, loss={history.loss[-1]:.4g}, gradient_norm={history.gradient_norm[-1]:.4g}"
    gates = ", ".join(history.saturated)
    return f"History(records={len(history.step)}, {last}, lags={history.gradient_by_lag.shape[1]}, gates=({gates}))"


def _pictures(history: "History") -> Iterator[Picture]:
    steps = history.step
    loss = Line(steps, history.loss, color=LINES[0], width=1.8)
    words = f"loss, from {history.loss[0]:.3g} to {history.loss[-1]:.3g}"
    yield Picture("loss", chart([loss], x_label="training step", name=words, log=wide(history.loss)))
    if history.gradient_by_lag.size and np.isfinite(history.gradient_by_lag).any():
        yield _gradient(history)
    lines = []
    for place, (gate, shares) in enumerate(history.saturated.items()):
        lines.append(Line(steps, shares, gate, LINES[place % len(LINES)], DASHES[place % len(DASHES)]))
    for place, (gate, shares) in enumerate(history.dead.items()):
        if np.any(shares > 0):
            color = LINES[(place + len(history.saturated)) % len(LINES)]
            lines.append(Line(steps, shares, f"{gate} dead", color, "1 2", 2.2))
    if lines:
        name = "shares of saturated and dead units, by gate"
        body = chart(lines, x_label="training step", name=name, y_range=(-0.03, 1.03))
        yield Picture("share of units that are saturated, by gate", body)


def _gradient(history: "History") -> Picture:
    """The gradient by lag over the training, on a logarithmic scale of colors."""
    chosen, lags = some(len(history.step), MOST), some(history.gradient_by_lag.shape[1], MOST)
    norms = history.gradient_by_lag[np.ix_(chosen, lags)].T.astype(float)
    norms[~np.isfinite(norms)] = np.nan
    largest = float(np.nanmax(norms))
    exponent = int(np.ceil(np.log10(largest))) if largest > 0 else 0
    with np.errstate(divide="ignore"):
        shares = (np.log10(norms) - (exponent - DECADES)) / DECADES
    x_ticks = _ticks(len(chosen), [f"{history.step[place]:,}" for place in chosen], 4)
    y_ticks = _ticks(len(lags), [str(lag) for lag in lags], 5)
    name = f"norm of the gradient by lag over the training, at most {largest:.2g}"
    body = heat_map(
        shares, x_ticks=x_ticks, y_ticks=y_ticks, x_label="training step", y_label="lag: steps back in time", name=name
    )
    return Picture(
        f"gradient by lag, {power_words(exponent - DECADES)} or less clear, {power_words(exponent)} blue", body
    )


def _tables(history: "History") -> Iterator[Table]:
    """The last record."""
    rows = [
        ["loss", f"{history.loss[-1]:.4g}"],
        ["gradient norm", f"{history.gradient_norm[-1]:.4g}"],
        ["steps clipped", f"{history.clip_share[-1]:.0%}"],
    ]
    yield Table(["last record", f"step {history.step[-1]:,}"], rows)
    if history.saturated:
        dead = {gate: f"{shares[-1]:.0%}" for gate, shares in history.dead.items()}
        rows = [[gate, f"{shares[-1]:.0%}", dead.get(gate, "")] for gate, shares in history.saturated.items()]
        yield Table(["gate", "saturated", "dead"], rows)
    ratios = [[name.removeprefix("model."), f"{values[-1]:.2g}"] for name, values in history.update_ratio.items()]
    if ratios:
        more = [["... and more", f"{len(ratios) - ROWS}"]] if len(ratios) > ROWS else []
        yield Table(["weights", "update / weights"], [*ratios[:ROWS], *more])


def _ticks(count: int, words: list[str], most: int) -> Ticks:
    """At most so many of the places, from the first to the last."""
    return [(int(place), words[place]) for place in some(count, most)]
