"""Pictures and displays of a gradient's flow back through time."""

import textwrap
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import cast

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from throughtime.gradients import REACH_THRESHOLD, GradientFlow
from throughtime.plots.matrices import draw_map, largest_size
from throughtime.plots.notebook import Block, Picture, Table
from throughtime.plots.small import POINTS, finish, small_axes, some
from throughtime.plots.theme import BLUE, DASHES, GRAY, GREEN, INK, LINES, ORANGE, RED, SKY, house_style, share_colors

FLOOR = 1e-16  # below it the logarithmic axis ends; float64 has no more digits
CEILING = 1e8
COLORS = (BLUE, ORANGE, GREEN, RED, SKY, INK)
STYLES = ("-", "--", "-.", ":")
WIDTH = 110  # characters of the verdict on a line


def flow_picture(flow: GradientFlow) -> Figure:
    """Return four panels: reach curve, singular values, slopes and gates over time; a fifth for forecasters."""
    influence = flow.horizon_by_lag
    lags = np.arange(flow.steps + 1)
    with house_style():
        figure = Figure(figsize=(11, 7.6 if influence is None else 11))
        panels: dict[str, Axes] = figure.subplot_mosaic("rs;lg" if influence is None else "rs;lg;mm")
        _reach_panel(panels["r"], flow, lags)
        _singular_panel(panels["s"], flow, lags)
        _over_time(panels["l"], flow)
        _gates(panels["g"], flow)
        if influence is not None:
            _map(panels["m"], influence)
        figure.suptitle(textwrap.fill(flow.verdict, WIDTH), x=0.01, ha="left", fontsize=9.5)
        return figure


def flow_block(flow: GradientFlow) -> Block:
    """Return the display of a flow."""
    rows = [
        ["half-life, steps", _half_life_words(flow)],
        ["reach (1 % left)", f"{flow.reach} of {flow.steps} steps"],
        [f"left after {flow.steps} steps", f"{flow.memory[-1]:.2g}"],
        ["saturated", f"{flow.saturated:.0%}"],
        ["dead", f"{flow.dead:.0%}"],
    ]
    return Block(
        title="Gradient flow",
        sentences=[flow.verdict],
        pictures=list(_pictures(flow)),
        tables=[Table(["", f"over {flow.steps} steps"], rows), *_gate_table(flow)],
    )


def comparison_picture(flows: Sequence[GradientFlow], labels: Sequence[str], title: str) -> Figure:
    """Return reach curves side by side, with half-life and reach in a table below.

    Args:
        flows: measurements of one length.
        labels: a name for each flow.
        title: the picture's title.
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
    """Draw the memory of each flow by lag, on a logarithmic axis."""
    for index, (flow, label) in enumerate(zip(flows, labels, strict=True)):
        color, dash = COLORS[index % len(COLORS)], STYLES[index % len(STYLES)]
        axes.plot(np.arange(flow.steps + 1), _visible(flow.memory), color=color, linestyle=dash, label=label)
    _log_axis(axes, [flow.memory for flow in flows])
    axes.axhline(REACH_THRESHOLD, color="#888888", linestyle=":", linewidth=1)
    text = axes.annotate(
        "1 % is left ", (1, REACH_THRESHOLD), xycoords=("axes fraction", "data"), color="#666666", fontsize=8.5
    )
    text.set(ha="right", va="bottom")


def _gate_table(flow: GradientFlow) -> Iterator[Table]:
    if flow.gates:
        slopes = {name: f"{np.mean(values):.3g}" for name, values in flow.slopes.items()}
        rows = [[name, f"{np.mean(values):.3g}", slopes.get(name, "")] for name, values in flow.gates.items()]
        yield Table(["gate", "mean value", "mean slope"], rows)


def _pictures(flow: GradientFlow) -> Iterator[Picture]:
    name = f"what is left of a gradient by lag; 1 % after {flow.reach} steps"
    yield Picture("what is left of a gradient (dotted: 1 %)", name, partial(_draw_small, _reach, flow))
    if np.isfinite(flow.singular_values).any() and (flow.singular_values > 0).any():
        name = "singular values of the Jacobian by lag"
        yield Picture("singular values: how many directions survive", name, partial(_draw_small, _singular, flow))
    if flow.horizon_by_lag is not None:
        caption = f"what the forecast moves with (blue: {largest_size(flow.horizon_by_lag):.2g})"
        name = "by how much each step of the forecast moves with each value of the window"
        yield Picture(caption, name, partial(_draw_small_map, flow.horizon_by_lag))


def _draw_small(draw: Callable[[Axes, GradientFlow, np.ndarray], None], flow: GradientFlow, figure: Figure) -> None:
    axes = small_axes(figure, "")
    draw(axes, flow, some(flow.steps + 1, POINTS))
    axes.xaxis.label.set_alpha(0.75)
    finish(axes)


def _draw_small_map(influence: np.ndarray, figure: Figure) -> None:
    y_ticks = [(step, f"{step + 1:,}") for step in some(len(influence), 4).tolist()]
    axes = small_axes(figure, "lag: values before the cutoff")
    draw_map(axes, influence / (largest_size(influence) or 1.0), "step ahead", y_ticks=y_ticks)


def _reach(axes: Axes, flow: GradientFlow, lags: np.ndarray) -> None:
    """Draw the memory by lag, what flows along each path alone, the bound, and 1 %."""
    axes.plot(lags, _visible(flow.memory[lags]), "-", color=LINES[0], linewidth=2, label="state", zorder=3)
    for place, (name, path) in enumerate(flow.paths.items(), start=1):
        color, dash = LINES[place % len(LINES)], DASHES[place % len(DASHES)]
        axes.plot(lags, _visible(path[lags]), color=color, linestyle=dash, linewidth=1.4, label=f"via {name}")
    axes.plot(lags, _visible(flow.bound[lags]), ":", color=INK, linewidth=1.2, label="bound")
    if len(flow.per_sequence) > 1:
        low, high = _visible(np.quantile(flow.per_sequence[:, lags], [0.1, 0.9], axis=0))
        axes.fill_between(lags, low, high, color=LINES[0], alpha=0.2, linewidth=0, label="80 % of sequences")
    axes.axhline(REACH_THRESHOLD, color=GRAY, linestyle=":", linewidth=1)
    if flow.reach < flow.steps:
        axes.axvline(flow.reach, color=GRAY, linestyle=":", linewidth=1)
    _log_axis(axes, [flow.memory, flow.norms])
    axes.set_xlabel(
        "lag: steps back in time" + ("" if flow.calendar_step is None else f", of {flow.calendar_step.label}")
    )


def _reach_panel(axes: Axes, flow: GradientFlow, lags: np.ndarray) -> None:
    _reach(axes, flow, lags)
    if flow.paths:
        axes.plot(lags, _visible(flow.norms), "-", color=SKY, label="h")
    if flow.reach < flow.steps:
        axes.annotate(
            f" 1 % left: {flow.reach} steps", (flow.reach, REACH_THRESHOLD), color="#555555", va="bottom", fontsize=8.5
        )
    axes.set_title("What is left of a gradient")
    axes.legend(loc="lower left", fontsize=8)


def _singular(axes: Axes, flow: GradientFlow, lags: np.ndarray) -> None:
    """Draw the largest, the median and the smallest singular value by lag."""
    values = _visible(flow.singular_values[lags])
    axes.plot(lags, values[:, 0], "-", color=LINES[0], linewidth=2, label="largest")
    if values.shape[1] > 1:
        axes.plot(lags, np.median(values, axis=1), color=LINES[1], linestyle=DASHES[1], label="median")
        axes.plot(lags, values[:, -1], color=LINES[2], linestyle=DASHES[2], label="smallest")
    _log_axis(axes, [flow.singular_values])
    axes.set_xlabel("lag")


def _singular_panel(axes: Axes, flow: GradientFlow, lags: np.ndarray) -> None:
    axes.plot(lags, _visible(flow.singular_values), "-", color=BLUE, linewidth=0.7, alpha=0.3)
    _singular(axes, flow, lags)
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
    image = axes.imshow(influence, aspect="auto", origin="lower", cmap=share_colors(), extent=edges)
    axes.grid(visible=False)
    axes.set_xlabel("lag: values before the cutoff")
    axes.set_ylabel("step ahead")
    axes.set_title("By how much each step of the forecast moves with each value that it looked at")
    cast(Figure, axes.figure).colorbar(image, ax=axes)


def _table(axes: Axes, flows: Sequence[GradientFlow], labels: Sequence[str]) -> None:
    axes.set_axis_off()
    rows = [
        [label, _half_life_words(flow), _reach_words(flow), f"{flow.memory[-1]:.1e}"]
        + [f"{share:.0%}" for share in (flow.saturated, flow.dead)]
        for flow, label in zip(flows, labels, strict=True)
    ]
    header = ["", "half-life, steps", "1 % left after", f"left after {flows[0].steps}", "saturated", "dead"]
    table = axes.table(rows, colLabels=header, loc="upper center", cellLoc="right", edges="horizontal")
    table.auto_set_font_size(False)
    table.set_fontsize(8.5)
    for cell in table.get_celld().values():
        cell.set_edgecolor("#cccccc")


def _half_life_words(flow: GradientFlow) -> str:
    return f"{flow.half_life:.3g}" if flow.is_straight else "no even rate"


def _reach_words(flow: GradientFlow) -> str:
    return str(flow.reach) if flow.reach < flow.steps else f"{flow.steps} or more"


def _log_axis(axes: Axes, curves: Sequence[np.ndarray]) -> None:
    seen = np.concatenate([_visible(curve).ravel() for curve in curves])
    seen = seen[np.isfinite(seen)]
    axes.set_yscale("log")
    if len(seen):
        axes.set_ylim(max(seen.min() / 3, FLOOR), min(max(seen.max(), 1.0) * 3, CEILING))


def _visible(values: np.ndarray) -> np.ndarray:
    """Return values between the floor and the ceiling of the axis: 0 runs along the bottom instead of out of sight."""
    return np.clip(values, FLOOR, CEILING)
