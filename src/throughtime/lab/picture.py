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
        look: one window as the network computes it.
        targets: (T,) the values that it should predict.
        at: the step whose error is followed back.
    """

    name: str
    history: list[tuple[int, float]]
    look: Look
    targets: np.ndarray
    at: int


def lab_picture(runs: Sequence[Shown]) -> Figure:
    """Return a figure of predictions and targets, the loss, the gradient by lag, and the units over time."""
    with house_style():
        figure = Figure(figsize=(11, 7))
        panels = figure.subplots(2, 2)
        panels[0, 0].plot(runs[0].targets, "o", color=INK, markersize=3.5, label="target")
        for run, line in zip(runs, LINES, strict=False):
            label = run.name.replace("$", r"\$")  # matplotlib sets text between $ as mathematics
            panels[0, 0].plot(run.look.predictions, label=label, **line)
            if run.history:
                panels[0, 1].plot(*np.array(run.history).T, label=label, **line)
            panels[1, 0].plot(_by_lag(run), label=label, **line)
        for axes, title, label in zip(
            panels.flat,
            ("Prediction and target, one step ahead", "Mean squared error", "Gradient by lag"),
            ("time step of the window", "training step", "steps back"),
            strict=False,
        ):
            axes.set(title=title, xlabel=label)
        panels[0, 1].set_yscale("log")
        panels[1, 0].set_yscale("log")
        panels[0, 0].legend()
        _activity(panels[1, 1], runs)
    return figure


def _by_lag(run: Shown) -> np.ndarray:
    """Return the norm of the gradient over the units by lag; NaN instead of 0, which a logarithmic axis cannot show."""
    norms = np.linalg.norm(np.asarray(run.look.gradients)[run.at :: -1], axis=1)
    return np.where(norms > 0, norms, np.nan)


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
