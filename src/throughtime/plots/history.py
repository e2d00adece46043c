"""A training run as it went, in one picture."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from throughtime.plots.theme import RED, house_style
from throughtime.training import History

CURVES = 6  # of the gradient by lag: more could not be told apart


def history_picture(history: History) -> Figure:
    """Loss, gradient and its clipping, the gradient by lag, updates beside weights, dead and saturated units."""
    with house_style():
        figure = Figure(figsize=(12, 7))
        panels = figure.subplots(2, 3)
        _curves(panels[0, 0], history.step, {"loss": history.loss}, "Loss")
        _curves(panels[0, 1], history.step, {"norm": history.gradient_norm}, "Gradient, and share of it clipped")
        share = panels[0, 1].twinx()
        share.fill_between(history.step, history.clip_share, color=RED, alpha=0.2, linewidth=0, label="share clipped")
        share.set(ylim=(0, 1), ylabel="share of steps clipped")
        share.grid(visible=False)
        _by_lag(panels[0, 2], history)
        _curves(panels[1, 0], history.step, history.update_ratio, "Update / weights")
        _shares(panels[1, 1], history.step, history.dead, "Dead units, by gate")
        _shares(panels[1, 2], history.step, history.saturated, "Saturated units, by gate")
    return figure


def _curves(axes: Axes, steps: np.ndarray, curves: dict[str, np.ndarray], title: str) -> None:
    """Positive numbers over the steps, by powers of ten."""
    for name, values in curves.items():
        if np.any(values > 0):
            axes.plot(steps, np.where(values > 0, values, np.nan), ".-", label=name.removeprefix("model."))
    axes.set_yscale("log")
    _finish(axes, title, "step")


def _by_lag(axes: Axes, history: History) -> None:
    """One curve for each of some records, from the first to the last."""
    chosen = np.unique(np.linspace(0, len(history.step) - 1, CURVES).round().astype(int))
    for place in chosen:
        norms = history.gradient_by_lag[place]
        axes.plot(np.where(norms > 0, norms, np.nan), label=f"step {history.step[place]}")
    axes.set_yscale("log")
    _finish(axes, "Gradient of the loss by the state k steps back", "k")


def _shares(axes: Axes, steps: np.ndarray, shares: dict[str, np.ndarray], title: str) -> None:
    for name, values in shares.items():
        axes.plot(steps, values, ".-", label=name)
    axes.set_ylim(-0.02, 1.02)
    _finish(axes, title, "step")


def _finish(axes: Axes, title: str, along: str) -> None:
    axes.set_title(title)
    axes.set_xlabel(along)
    if axes.lines:
        axes.legend(loc="best", fontsize=8)
