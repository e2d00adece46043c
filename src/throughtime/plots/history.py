"""Pictures and displays of the history of a training run: the losses, on batches and on validation data."""

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from throughtime.plots.notebook import Block, Picture
from throughtime.plots.records import records_block
from throughtime.plots.small import finish, log_if_wide, small_axes, thinned
from throughtime.plots.theme import BLUE, ORANGE, house_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from throughtime.training import History

ENDS = {
    "steps": "all steps done",
    "callback": "ended by a callback",
    "batches": "ended, the batches were exhausted",
    "diverged": "ended, a number was not finite",
}
LAST = 100  # steps, whose mean loss is shown


def history_picture(history: "History") -> "Figure":
    """Return the loss of each step, as means of neighbors, and the losses on validation data."""
    from matplotlib.figure import Figure

    with house_style():
        figure = Figure(figsize=(8, 4))
        axes = figure.subplots()
        _draw(axes, history)
        axes.set(xlabel="training step", ylabel="loss", title=_title(history))
        axes.legend()
    return figure


def history_block(history: "History") -> Block:
    """Return the display of a run."""
    watched = None if history.watched is None else records_block(history.watched)
    pictures = [Picture("loss", _title(history), partial(_small, history))] if len(history.losses) else []
    return Block(
        _title(history),
        facts=_facts(history),
        pictures=[*pictures, *(watched.pictures if watched else ())],
        tables=watched.tables if watched else (),
    )


def history_line(history: "History") -> str:
    """Return the end of the run in one line."""
    facts = [f"steps={len(history.losses)}"]
    if len(history.losses):
        facts.append(f"loss={_last(history):.4g}")
    if len(history.validation):
        facts.append(f"validation={np.min(history.validation):.4g}")
    return f"History({', '.join(facts)}, seconds={history.seconds:.3g}, ended={history.ended!r})"


def _title(history: "History") -> str:
    return f"Training run of {len(history.losses):,} steps: {ENDS[history.ended]}"


def _facts(history: "History") -> list[tuple[str, str]]:
    """Return the numbers of a run, by name."""
    facts = []
    if len(history.losses):
        facts.append((f"mean loss of the last {min(LAST, len(history.losses))} steps", f"{_last(history):.4g}"))
    if len(history.validation):
        best = int(np.argmin(history.validation))
        step = history.validation_steps[best]
        facts.append(("best validation loss", f"{history.validation[best]:.4g}, after {step:,} steps"))
    facts.append(("model", f"that after {history.step:,} steps"))
    rate = f", {len(history.losses) / history.seconds:,.0f} steps a second" if history.seconds else ""
    facts.append(("seconds", f"{history.seconds:.3g}{rate}, and {history.compile_seconds:.3g} to compile"))
    return facts


def _last(history: "History") -> float:
    return float(np.mean(history.losses[-LAST:]))


def _draw(axes: "Axes", history: "History") -> None:
    axes.plot(*thinned(np.arange(1, len(history.losses) + 1), history.losses), color=BLUE, label="batches")
    if len(history.validation):
        axes.plot(history.validation_steps, history.validation, ".-", color=ORANGE, label="validation")
    log_if_wide(axes, np.concatenate([history.losses, history.validation]))


def _small(history: "History", figure: "Figure") -> None:
    axes = small_axes(figure, "training step")
    _draw(axes, history)
    finish(axes)
