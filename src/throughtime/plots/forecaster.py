"""The display of a forecaster in a notebook and a terminal: its decisions, its training, and the ends of a few series.

Nothing is computed at display time, because compiling a forecast takes seconds: forecasts are shown if they are passed.
"""

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from throughtime._registry import shown_name
from throughtime.forecasting import interval_columns, nonnegative, plan_facts
from throughtime.plots.notebook import Block, Picture, listed
from throughtime.plots.records import draw_loss
from throughtime.plots.small import finish, small_axes, thinned
from throughtime.plots.theme import INK, LINES

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from throughtime.forecasting import Forecaster

SHOWN = 3  # series that have a picture
LEVELS = (95, 80)
LEAST_PAST, HORIZONS_PAST, SEASONS_PAST, MOST_PAST = 24, 4, 2, 400  # steps of history in a picture
MEMBERS = 10  # networks that have a training curve
NOTES = 8
LETTERS = 40  # of a series' name


def forecaster_block(model: "Forecaster", quantiles: np.ndarray | None = None) -> Block:
    """Return the display of a forecaster, fitted or not.

    Args:
        model: the forecaster.
        quantiles: (N, F, Q) its forecasts, to be drawn after the ends of the first N series; None for none.
    """
    if not hasattr(model, "fitted_"):
        chosen = [(name, "found by fit" if value is None else str(value)) for name, value in model.get_params().items()]
        return Block("Forecaster, not fitted", ["fit(frame) comes next."], chosen)
    horizon = model.plan_.design.horizon
    title = f"Forecaster, {horizon} {'step' if horizon == 1 else 'steps'} ahead"
    facts = plan_facts(model.fitted_)
    sentences = ["predict() returns the forecasts."] if quantiles is None else []
    pictures = [*_series(model, quantiles), *_training(model)]
    return Block(title, sentences, [*facts, *_result(model)], pictures, notes=listed(model.notes_, NOTES))


def _result(model: "Forecaster") -> Iterator[tuple[str, str]]:
    yield "head", shown_name(model.plan_.design.head).replace("_", " ")
    ends = [losses[np.isfinite(losses)] for losses in model.losses_]
    last = [float(np.mean(done[-max(len(done) // 10, 1) :])) for done in ends if len(done)]
    if last:
        spread = f", {min(last):.4g} to {max(last):.4g}" if len(last) > 1 else ""
        yield "loss at the end", f"{np.mean(last):.4g}{spread}"


def _training(model: "Forecaster") -> Iterator[Picture]:
    members = [losses for losses in model.losses_ if np.isfinite(losses).any()][:MEMBERS]
    if members:
        caption = "training loss" if len(members) == 1 else "training loss, a line for each network"
        steps = np.arange(1, max(map(len, members)) + 1)
        yield Picture(caption, caption, partial(draw_loss, steps, members))


def _series(model: "Forecaster", quantiles: np.ndarray | None) -> Iterator[Picture]:
    """Yield the ends of the first series and their forecasts."""
    for row in range(min(SHOWN, len(model.panel_))):
        name, shown = _name(model, row), quantiles is not None and row < len(quantiles)
        draw = partial(_draw_end, model, row, quantiles[row] if quantiles is not None and shown else None)
        yield Picture(name or "(no name)", f"the end of {name}", draw)


def _name(model: "Forecaster", row: int) -> str:
    """Return the name of a series, shortened."""
    name = str(model.panel_.ids[row])
    return name if len(name) <= LETTERS else name[: LETTERS - 1] + "\N{HORIZONTAL ELLIPSIS}"


def _draw_end(model: "Forecaster", row: int, quantiles: np.ndarray | None, figure: "Figure") -> None:
    """Draw the end of a series, and the quantiles (F, Q) after it."""
    panel, design = model.panel_, model.plan_.design
    wanted = max(LEAST_PAST, HORIZONS_PAST * design.horizon, SEASONS_PAST * design.seasons[0])
    values, times = panel.series(row), panel.times(row)
    start = max(len(values) - min(wanted, MOST_PAST), 0)
    columns = None
    if quantiles is not None:
        positive = bool(nonnegative(panel, panel.lengths, model.plan_)[row])
        columns = interval_columns(quantiles, LEVELS, positive=positive)
    _draw_series(values[start:], [_stamp(stamp) for stamp in times[start:]], columns, figure)


def _draw_series(past: np.ndarray, stamps: list[str], columns: dict[str, np.ndarray] | None, figure: "Figure") -> None:
    """Draw the last values (P,) of a series at the steps 1 - P ... 0, and the columns of its forecast (F,) after 0."""
    axes = small_axes(figure, "")
    at = np.arange(1 - len(past), 1)
    axes.plot(*thinned(at, past), "-", color=INK, linewidth=1.3, label="observed")
    axes.axvline(0.5, color=INK, alpha=0.6, linestyle=":", linewidth=1)
    if columns is not None:
        ahead = np.arange(1, len(columns["throughtime"]) + 1)
        for level, opacity in zip(LEVELS, (0.22, 0.38), strict=True):
            low, high = (columns[f"throughtime-{side}-{level}"] for side in ("lo", "hi"))
            axes.fill_between(ahead, low, high, color=LINES[0], alpha=opacity, linewidth=0)
        axes.plot(ahead, columns["throughtime"], "-", color=LINES[0], linewidth=2, label="forecast, 80 and 95 %")
    finish(axes, [(float(at[0]), stamps[0]), (0.0, stamps[-1])] if len(past) else [])


def _stamp(stamp: object) -> str:
    """Return a time stamp without parts that are zero."""
    text = str(stamp)
    return text.replace("T00:00:00", "").split(".")[0].replace("T", " ")[:16]
