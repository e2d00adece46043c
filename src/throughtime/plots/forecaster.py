"""What a notebook and a terminal show of a forecaster: what it decided, its training, a few series and their forecasts.

Nothing is computed for it: to compile a forecast takes seconds, so the pictures hold what ``predict`` said last.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from throughtime.forecasting import interval_columns, plan_facts
from throughtime.plots.charts import Band, Line, chart, wide
from throughtime.plots.notebook import Block, Picture, listed
from throughtime.plots.theme import LINES

if TYPE_CHECKING:
    from throughtime.forecasting import Forecaster

SHOWN = 3  # series that have a picture
LEVELS = (95, 80)
LEAST_PAST, HORIZONS_PAST, SEASONS_PAST, MOST_PAST = 24, 4, 2, 400  # steps of history in a picture
MEMBERS = 10  # networks that have a training curve
NOTES = 8
LETTERS = 40  # of a series' name


def forecaster_block(model: "Forecaster") -> Block:
    """The display of a forecaster, fitted or not."""
    if not hasattr(model, "plan_"):
        chosen = [(name, "found by fit" if value is None else str(value)) for name, value in model.get_params().items()]
        return Block("Forecaster, not fitted", ["fit(frame) comes next."], chosen)
    horizon = model.plan_.design.horizon
    title = f"Forecaster, {horizon} {'step' if horizon == 1 else 'steps'} ahead"
    facts = plan_facts(model.panel_, model.plan_, len(model.networks_))
    notes = listed(model.notes_, NOTES)
    sentences = [] if model._shown is not None else ["predict() adds the forecasts to the pictures of the series."]
    return Block(title, sentences, [*facts, *_result(model)], [*_series(model), *_training(model)], notes=notes)


def _result(model: "Forecaster") -> Iterator[tuple[str, str]]:
    yield "head", model.plan_.design.head.replace("_", " ")
    ends = [losses[np.isfinite(losses)] for losses in model.losses_]
    last = [float(np.mean(done[-max(len(done) // 10, 1) :])) for done in ends if len(done)]
    if last:
        spread = f", {min(last):.4g} to {max(last):.4g}" if len(last) > 1 else ""
        yield "loss at the end", f"{np.mean(last):.4g}{spread}"


def _training(model: "Forecaster") -> Iterator[Picture]:
    members = [losses for losses in model.losses_ if np.isfinite(losses).any()][:MEMBERS]
    if not members:
        return
    opacity = 1.0 if len(members) == 1 else 0.5
    lines = [
        Line(np.arange(1, len(losses) + 1), losses, color=LINES[0], width=1.3, opacity=opacity) for losses in members
    ]
    log = wide(np.concatenate(members))
    caption = "training loss" if len(members) == 1 else "training loss, a line for each network"
    yield Picture(caption, chart(lines, x_label="training step", name=caption, log=log))


def _series(model: "Forecaster") -> Iterator[Picture]:
    panel, design, shown = model.panel_, model.plan_.design, model._shown
    wanted = max(LEAST_PAST, HORIZONS_PAST * design.horizon, SEASONS_PAST * design.seasons[0])
    for row in range(min(SHOWN, len(panel))):
        values = panel.series(row)
        past = values[max(len(values) - min(wanted, MOST_PAST), 0) :]
        stamps = panel.times(row)[len(values) - len(past) :]
        at = np.arange(1 - len(past), 1)
        lines = [Line(at, past, "observed", width=1.3)]
        bands: list[Band] = []
        ticks = [(float(at[0]), _stamp(stamps[0])), (0.0, _stamp(stamps[-1]))] if len(past) else []
        if shown is not None and row < len(shown):
            ahead = np.arange(1, len(shown[row]) + 1)
            columns = interval_columns(shown[row], LEVELS, positive=model.plan_.positive)
            for level, opacity in zip(LEVELS, (0.22, 0.38), strict=True):
                low, high = (columns[f"throughtime-{side}-{level}"] for side in ("lo", "hi"))
                bands.append(Band(ahead, low, high, LINES[0], opacity))
            lines.append(Line(ahead, columns["throughtime"], "forecast, 80 and 95 %", LINES[0], width=2))
        name = str(panel.ids[row])
        name = name if len(name) <= LETTERS else name[: LETTERS - 1] + "\N{HORIZONTAL ELLIPSIS}"
        body = chart(lines, bands, x_label="", name=f"the end of {name}", x_ticks=ticks, borders=[0.5])
        yield Picture(name or "(no name)", body)


def _stamp(stamp: object) -> str:
    """A time stamp without the parts that say nothing."""
    words = str(stamp)
    return words.replace("T00:00:00", "").split(".")[0].replace("T", " ")[:16]
