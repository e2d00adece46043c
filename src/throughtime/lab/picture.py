"""The page's view of runs at one moment, as a picture to keep."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from throughtime.lab.look import Look
from throughtime.plots import BLUE, INK, ORANGE, house_style

LINES = ({"color": BLUE}, {"color": ORANGE, "linestyle": "--"})


class Shown(NamedTuple):
    """A run in the picture.

    Attributes:
        name: the name of the network.
        history: (step, mean loss).
        tests: (step, loss on the held-out values).
        look: one window as the network computes it.
        values: (up to 2 T,) those of the window and after it.
        memory: (T + 1,) the share of a gradient that is left, by steps back.
    """

    name: str
    history: list[tuple[int, float]]
    tests: list[tuple[int, float]]
    look: Look
    values: np.ndarray
    memory: np.ndarray


def lab_picture(runs: Sequence[Shown]) -> Figure:
    """Return a figure of the window and its continuations, the losses, the gradient by lag, and the units over time."""
    with house_style():
        figure = Figure(figsize=(11, 7))
        panels = figure.subplots(2, 2)
        panels[0, 0].plot(runs[0].values, "o", color=INK, markersize=3, label="the series")
        for run, line in zip(runs, LINES, strict=False):
            label = run.name.replace("$", r"\$")  # matplotlib sets text between $ as mathematics
            steps = len(run.look.predictions)
            panels[0, 0].plot(np.arange(1, steps + 1), run.look.predictions, label=label, **line)
            panels[0, 0].plot(steps + np.arange(steps), run.look.alone, alpha=0.6, **line)
            if run.history:
                panels[0, 1].plot(*np.array(run.history).T, linewidth=0.8, alpha=0.6, **line)
            if run.tests:
                panels[0, 1].plot(*np.array(run.tests).T, label=f"{label}, held out", **line)
            panels[1, 0].plot(np.where(run.memory > 0, run.memory, np.nan), label=label, **line)
        panels[0, 0].axvline(len(runs[0].look.predictions) - 0.5, color=INK, linestyle=":", linewidth=1)
        for axes, title, label in zip(
            panels.flat,
            ("One step ahead, then alone", "Held-out loss; thin: training", "What is left of a gradient"),
            ("time step", "training step", "steps back"),
            strict=False,
        ):
            axes.set(title=title, xlabel=label)
        panels[0, 1].set_yscale("log")
        panels[1, 0].set_yscale("log")
        panels[0, 0].legend()
        _activity(panels[1, 1], runs)
    return figure


def _activity(axes: Axes, runs: Sequence[Shown]) -> None:
    """Draw each unit's output over time as a row of colors, the units of a second run below the first's."""
    rows = np.concatenate([np.asarray(run.look.activity).T for run in runs])
    largest = float(np.abs(rows[np.isfinite(rows)]).max(initial=0)) or 1.0
    image = axes.imshow(rows, aspect="auto", cmap="PuOr_r", vmin=-largest, vmax=largest, interpolation="nearest")
    for run in runs[:-1]:
        axes.axhline(run.look.activity.shape[1] - 0.5, color=INK)
    axes.grid(visible=False)
    axes.set(title="Units over time", xlabel="time step of the window", ylabel="unit")
    axes.figure.colorbar(image, ax=axes, label="output")
