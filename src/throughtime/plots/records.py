"""Pictures and displays of the records of a training run: loss, gradient by lag, updates, dead and saturated units."""

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from throughtime.plots.matrices import draw_map
from throughtime.plots.notebook import Block, Picture, Table
from throughtime.plots.small import finish, log_if_wide, power_text, small_axes, some, thinned
from throughtime.plots.theme import LINES, RED, house_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from throughtime.training import Records

CURVES = 6  # of the gradient by lag in the picture: more could not be told apart
DECADES = 8  # of the gradient by lag in the display, below the largest
ROWS = 8  # of the table of updates
FEW = 40  # records: points stand on shorter curves only


def records_picture(records: "Records") -> "Figure":
    """Return loss, gradient and its clipping, the gradient by lag, updates per weights, dead and saturated units."""
    from matplotlib.figure import Figure

    with house_style():
        figure = Figure(figsize=(12, 7))
        panels = figure.subplots(2, 3)
        _curves(panels[0, 0], records.step, {"loss": records.loss}, "Loss")
        _curves(panels[0, 1], records.step, {"norm": records.gradient_norm}, "Gradient, and share of it clipped")
        share = panels[0, 1].twinx()
        share.fill_between(records.step, records.clip_share, color=RED, alpha=0.2, linewidth=0, label="share clipped")
        share.set(ylim=(0, 1), ylabel="share of steps clipped")
        share.grid(visible=False)
        _by_lag(panels[0, 2], records)
        _curves(panels[1, 0], records.step, records.update_ratio, "Update / weights")
        for axes, title, shares in (
            (panels[1, 1], "Dead units, by gate", records.dead),
            (panels[1, 2], "Saturated units, by gate", records.saturated),
        ):
            _shares(axes, records.step, shares)
            _finish(axes, title, "step")
    return figure


def records_block(records: "Records") -> Block:
    """Return the display of the records."""
    count = len(records.step)
    if not count:
        return Block("No records of a training run")
    title = f"Records of a training run, {count:,} to step {records.step[-1]:,}"
    return Block(title, pictures=list(_pictures(records)), tables=list(_tables(records)))


def records_line(records: "Records") -> str:
    """Return the last record on a line."""
    if not len(records.step):
        return "Records(number=0)"
    last = f"step={records.step[-1]}, loss={records.loss[-1]:.4g}, gradient_norm={records.gradient_norm[-1]:.4g}"
    gates = ", ".join(records.saturated)
    return f"Records(number={len(records.step)}, {last}, lags={records.gradient_by_lag.shape[1]}, gates=({gates}))"


def _curves(axes: "Axes", steps: np.ndarray, curves: dict[str, np.ndarray], title: str) -> None:
    """Draw positive numbers over the steps, on a logarithmic axis."""
    for name, values in curves.items():
        if np.any(values > 0):
            axes.plot(steps, np.where(values > 0, values, np.nan), ".-", label=name.removeprefix("model."))
    axes.set_yscale("log")
    _finish(axes, title, "step")


def _by_lag(axes: "Axes", records: "Records") -> None:
    """Draw a curve for each of some records, from the first to the last."""
    for place in some(len(records.step), CURVES):
        norms = records.gradient_by_lag[place]
        axes.plot(np.where(norms > 0, norms, np.nan), label=f"step {records.step[place]}")
    axes.set_yscale("log")
    _finish(axes, "Gradient of the loss by lag", "lag: steps back in time")


def _shares(axes: "Axes", steps: np.ndarray, shares: dict[str, np.ndarray]) -> None:
    """Draw shares of units over the steps, by gate."""
    for gate, values in shares.items():
        axes.plot(*thinned(steps, values), marker="." if len(steps) <= FEW else None, label=gate)
    axes.set_ylim(-0.02, 1.02)


def _finish(axes: "Axes", title: str, along: str) -> None:
    axes.set_title(title)
    axes.set_xlabel(along)
    if axes.lines:
        axes.legend(loc="best", fontsize=8)


def _pictures(records: "Records") -> Iterator[Picture]:
    loss = f"loss, from {records.loss[0]:.3g} to {records.loss[-1]:.3g}"
    yield Picture("loss", loss, partial(draw_loss, records.step, [records.loss]))
    largest = np.max(records.gradient_by_lag, where=np.isfinite(records.gradient_by_lag), initial=-1)
    if largest >= 0:
        top = int(np.ceil(np.log10(largest))) if largest > 0 else 0
        caption = f"gradient by lag, {power_text(10.0 ** (top - DECADES))} or less clear, {power_text(10.0**top)} blue"
        name = f"norm of the gradient by lag over the training, at most {largest:.2g}"
        yield Picture(caption, name, partial(_draw_gradient, records, top))
    shares = dict(records.saturated)
    shares |= {f"{gate} dead": values for gate, values in records.dead.items() if np.any(values > 0)}
    if shares:
        name = "shares of saturated and dead units, by gate"
        yield Picture("share of units that are saturated, by gate", name, partial(_draw_shares, records.step, shares))


def draw_loss(steps: np.ndarray, losses: list[np.ndarray], figure: "Figure") -> None:
    """Draw the losses (R,) of one or several runs over the steps (R,)."""
    axes = small_axes(figure, "training step")
    look: dict[str, Any] = {"linewidth": 1.3, "alpha": 0.7} if len(losses) > 1 else {"linewidth": 1.8}
    for values in losses:
        axes.plot(*thinned(steps[: len(values)], values), "-", color=LINES[0], **look)
    log_if_wide(axes, np.concatenate(losses))
    finish(axes)


def _draw_gradient(records: "Records", top: int, figure: "Figure") -> None:
    """Draw the gradient by lag over the training, in colors on a logarithmic scale that ends at ``10**top``."""
    norms = np.where(np.isfinite(records.gradient_by_lag), records.gradient_by_lag, np.nan).T
    with np.errstate(divide="ignore"):
        shares = np.maximum((np.log10(norms) - (top - DECADES)) / DECADES, 0)
    x_ticks = [(place, f"{records.step[place]:,}") for place in some(len(records.step), 4).tolist()]
    draw_map(small_axes(figure, "training step"), shares, "lag: steps back in time", x_ticks=x_ticks)


def _draw_shares(steps: np.ndarray, shares: dict[str, np.ndarray], figure: "Figure") -> None:
    axes = small_axes(figure, "training step")
    axes.margins(x=0.02)
    _shares(axes, steps, shares)
    finish(axes)


def _tables(records: "Records") -> Iterator[Table]:
    """Yield the last record."""
    rows = [
        ["loss", f"{records.loss[-1]:.4g}"],
        ["gradient norm", f"{records.gradient_norm[-1]:.4g}"],
        ["steps clipped", f"{records.clip_share[-1]:.0%}"],
    ]
    yield Table(["last record", f"step {records.step[-1]:,}"], rows)
    if records.saturated:
        dead = {gate: f"{shares[-1]:.0%}" for gate, shares in records.dead.items()}
        rows = [[gate, f"{shares[-1]:.0%}", dead.get(gate, "")] for gate, shares in records.saturated.items()]
        yield Table(["gate", "saturated", "dead"], rows)
    ratios = [[name.removeprefix("model."), f"{values[-1]:.2g}"] for name, values in records.update_ratio.items()]
    if ratios:
        more = [["... and more", f"{len(ratios) - ROWS}"]] if len(ratios) > ROWS else []
        yield Table(["weights", "update / weights"], [*ratios[:ROWS], *more])
