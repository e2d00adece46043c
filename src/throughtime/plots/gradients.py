"""Pictures of what flows back through time."""

import textwrap
from collections.abc import Sequence
from typing import cast

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from throughtime.gradients import REACH_THRESHOLD, GradientFlow
from throughtime.plots.theme import BLUE, GREEN, INK, ORANGE, RED, SKY, house_style

FLOOR = 1e-16  # below it the logarithmic axis ends; float64 has no more digits
CEILING = 1e8
COLORS = (BLUE, ORANGE, GREEN, RED, SKY, INK)
DASHES = ("-", "--", "-.", ":")
WIDTH = 110  # characters of the verdict on a line


def flow_picture(flow: GradientFlow) -> Figure:
    """Four panels: the reach curve, the singular values, slopes and gates over time; a fifth for a forecaster."""
    with house_style():
        maps = flow.horizon_by_lag is not None
        figure = Figure(figsize=(11, 11 if maps else 7.6))
        panels: dict[str, Axes] = figure.subplot_mosaic("rs;lg;mm" if maps else "rs;lg")
        _reach(panels["r"], flow)
        _singular(panels["s"], flow)
        _over_time(panels["l"], flow)
        _gates(panels["g"], flow)
        if flow.horizon_by_lag is not None:
            _map(panels["m"], flow.horizon_by_lag)
        figure.suptitle(textwrap.fill(flow.verdict, WIDTH), x=0.01, ha="left", fontsize=9.5)
        return figure


def comparison_picture(flows: Sequence[GradientFlow], labels: Sequence[str], title: str) -> Figure:
    """Reach curves side by side, each labeled at its end, with half-life and reach in a table below.

    Args:
        flows: what was measured; of one length.
        labels: a name for each.
        title: the picture's.
    """
    with house_style():
        figure = Figure(figsize=(10, 5.2 + 0.24 * len(flows)))
        axes, table = figure.subplots(2, 1, height_ratios=[16, 1.5 + len(flows)])
        memory_curves(axes, flows, labels)
        axes.set_xlabel("lag: steps back in time")
        axes.set_ylabel("what is left of a gradient")
        axes.set_title(title)
        axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
        _table(table, flows, labels)
        return figure


def memory_curves(axes: Axes, flows: Sequence[GradientFlow], labels: Sequence[str]) -> None:
    """The memory of each by lag, on a logarithmic axis."""
    for index, (flow, label) in enumerate(zip(flows, labels, strict=True)):
        color, dash = COLORS[index % len(COLORS)], DASHES[index % len(DASHES)]
        axes.plot(np.arange(flow.steps + 1), _visible(flow.memory), color=color, linestyle=dash, label=label)
    _log_axis(axes, [flow.memory for flow in flows])
    axes.axhline(REACH_THRESHOLD, color="#888888", linestyle=":", linewidth=1)
    text = axes.annotate(
        "1 % is left ", (1, REACH_THRESHOLD), xycoords=("axes fraction", "data"), color="#666666", fontsize=8.5
    )
    text.set(ha="right", va="bottom")


def _reach(axes: Axes, flow: GradientFlow) -> None:
    lags = np.arange(flow.steps + 1)
    if len(flow.per_sequence) > 1:
        low, high = np.quantile(flow.per_sequence, [0.1, 0.9], axis=0)
        axes.fill_between(
            lags, _visible(low), _visible(high), color=BLUE, alpha=0.2, linewidth=0, label="80 % of windows"
        )
    axes.plot(lags, _visible(flow.memory), color=BLUE, label="of the whole state")
    if flow.paths:
        axes.plot(lags, _visible(flow.norms), color=SKY, label="of h")
    for (name, path), color in zip(flow.paths.items(), (RED, GREEN, ORANGE, SKY), strict=False):
        axes.plot(lags, _visible(path), color=color, linestyle="--", linewidth=1.2, label=f"through {name} alone")
    axes.plot(lags, _visible(flow.bound), color=INK, linestyle=":", linewidth=1.2, label="bound")
    axes.axhline(REACH_THRESHOLD, color="#888888", linestyle=":", linewidth=0.8)
    if flow.reach < flow.steps:
        axes.axvline(flow.reach, color="#888888", linestyle=":", linewidth=0.8)
        axes.annotate(
            f" 1 % left: {flow.reach} steps", (flow.reach, REACH_THRESHOLD), color="#555555", va="bottom", fontsize=8.5
        )
    _log_axis(axes, [flow.memory, flow.norms])
    axes.set_xlabel(
        f"lag: steps back in time{'' if flow.calendar_step is None else f', of {flow.calendar_step.label}'}"
    )
    axes.set_title("What is left of a gradient")
    axes.legend(loc="lower left", fontsize=8)


def _singular(axes: Axes, flow: GradientFlow) -> None:
    lags = np.arange(flow.steps + 1)
    values = flow.singular_values
    axes.plot(lags, _visible(values), color=BLUE, linewidth=0.7, alpha=0.5)
    axes.plot(lags, _visible(values[:, 0]), color=BLUE, label="largest")
    axes.plot(lags, _visible(np.median(values, axis=1)), color=ORANGE, label="median")
    _log_axis(axes, [values])
    axes.set_xlabel("lag")
    axes.set_title("Singular values of dh_T / dh_(T-k): how many directions survive")
    axes.legend(loc="lower left", fontsize=8)


def _over_time(axes: Axes, flow: GradientFlow) -> None:
    time = np.arange(flow.steps)
    for (name, slopes), color in zip(flow.slopes.items(), COLORS, strict=False):
        axes.plot(time, slopes, color=color, label=f"slope of {name}")
    axes.plot(
        time, flow.gate_statistics.saturated.by_time, color=INK, linestyle="--", linewidth=1.2, label="share saturated"
    )
    axes.plot(time, flow.gate_statistics.dead.by_time, color=INK, linestyle=":", linewidth=1.2, label="share dead")
    axes.set_xlabel("time step")
    axes.set_title("Why: mean slopes, and who lets nothing through")
    axes.legend(loc="best", fontsize=8)


def _gates(axes: Axes, flow: GradientFlow) -> None:
    time = np.arange(flow.steps)
    for (name, values), color in zip(flow.gates.items(), COLORS, strict=False):
        axes.plot(time, values, color=color, label=name)
    axes.set_xlabel("time step")
    axes.set_title("Gates, mean over the units")
    if flow.gates:
        axes.legend(loc="best", fontsize=8)


def _map(axes: Axes, influence: np.ndarray) -> None:
    edges = (-0.5, influence.shape[1] - 0.5, 0.5, len(influence) + 0.5)
    image = axes.imshow(influence, aspect="auto", origin="lower", cmap="viridis", extent=edges)
    axes.grid(visible=False)
    axes.set_xlabel("lag: values before the cutoff")
    axes.set_ylabel("step ahead")
    axes.set_title("By how much each step of the forecast moves with each value that it looked at")
    cast(Figure, axes.figure).colorbar(image, ax=axes)


def _table(axes: Axes, flows: Sequence[GradientFlow], labels: Sequence[str]) -> None:
    axes.set_axis_off()
    rows = [
        [label, f"{flow.half_life:.3g}", _reach_words(flow), f"{flow.memory[-1]:.1e}"]
        + [f"{share:.0%}" for share in (flow.saturated, flow.dead)]
        for flow, label in zip(flows, labels, strict=True)
    ]
    header = ["", "half-life, steps", "1 % left after", f"left after {flows[0].steps}", "saturated", "dead"]
    table = axes.table(rows, colLabels=header, loc="upper center", cellLoc="right", edges="horizontal")
    table.auto_set_font_size(False)
    table.set_fontsize(8.5)
    for cell in table.get_celld().values():
        cell.set_edgecolor("#cccccc")


def _reach_words(flow: GradientFlow) -> str:
    return str(flow.reach) if flow.reach < flow.steps else f"{flow.steps} or more"


def _log_axis(axes: Axes, curves: Sequence[np.ndarray]) -> None:
    seen = np.concatenate([_visible(curve).ravel() for curve in curves])
    seen = seen[np.isfinite(seen)]
    axes.set_yscale("log")
    if len(seen):
        axes.set_ylim(max(seen.min() / 3, FLOOR), min(max(seen.max(), 1.0) * 3, CEILING))


def _visible(values: np.ndarray) -> np.ndarray:
    """Values between floor and ceiling of the axis: what is 0 runs along the bottom instead of out of sight."""
    return np.clip(values, FLOOR, CEILING)
