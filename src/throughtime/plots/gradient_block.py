"""What a notebook shows of a gradient flow: the verdict, the reach curve and the figures."""

from collections.abc import Iterator

import numpy as np

from throughtime.gradients import REACH_THRESHOLD, GradientFlow
from throughtime.plots.charts import DECADES, Band, Line, chart, heat_map, rounds, some
from throughtime.plots.notebook import Block, Picture, Table
from throughtime.plots.theme import DASHES, GRAY, LINES

MOST = 256  # lags of the map


def flow_block(flow: GradientFlow) -> Block:
    """The display of a flow."""
    rows = [
        ["half-life", f"{flow.half_life:.3g} steps"],
        ["reach (1 % left)", f"{flow.reach} of {flow.steps} steps"],
        [f"left after {flow.steps} steps", f"{flow.memory[-1]:.2g}"],
        ["saturated", f"{flow.saturated:.0%}"],
        ["dead", f"{flow.dead:.0%}"],
    ]
    return Block(
        title="Gradient flow",
        sentences=[flow.verdict],
        pictures=list(_pictures(flow)),
        tables=[Table(["", f"over {flow.steps} steps"], rows), *_gates(flow)],
    )


def _gates(flow: GradientFlow) -> Iterator[Table]:
    if flow.gates:
        slopes = {name: f"{np.mean(values):.3g}" for name, values in flow.slopes.items()}
        rows = [[name, f"{np.mean(values):.3g}", slopes.get(name, "")] for name, values in flow.gates.items()]
        yield Table(["gate", "mean value", "mean slope"], rows)


def _pictures(flow: GradientFlow) -> Iterator[Picture]:
    along = "lag: steps back in time" + ("" if flow.calendar_step is None else f", of {flow.calendar_step.label}")
    lags = np.arange(flow.steps + 1)
    lines = [Line(lags, flow.bound, "bound", dash=DASHES[2], width=1.2)]
    for place, (name, path) in enumerate(flow.paths.items(), start=1):
        lines.append(Line(lags, path, f"via {name}", LINES[place % len(LINES)], DASHES[place % len(DASHES)], 1.3))
    lines += [
        Line(lags, np.full(len(lags), REACH_THRESHOLD), color=GRAY, dash="1 3", width=1),
        Line(lags, flow.memory, "state", LINES[0], width=2),
    ]
    bands = []
    if len(flow.per_sequence) > 1:
        low, high = np.quantile(flow.per_sequence, [0.1, 0.9], axis=0)
        bands = [Band(lags, low, high, LINES[0])]
    seen = np.concatenate([flow.memory, flow.norms, [1.0, REACH_THRESHOLD]])
    seen = seen[np.isfinite(seen) & (seen > 0)]
    y_range = max(seen.min() / 2, seen.max() * 10.0**-DECADES), seen.max() * 2
    reach = [flow.reach] if flow.reach < flow.steps else []
    name = f"what is left of a gradient by lag; 1 % after {flow.reach} steps"
    body = chart(lines, bands, x_label=along, name=name, log=True, y_range=y_range, borders=reach)
    yield Picture("what is left of a gradient (dotted: 1 %)", body)
    if np.isfinite(flow.singular_values).any() and (flow.singular_values > 0).any():
        yield _singular(flow, lags)
    if flow.horizon_by_lag is not None:
        yield _map(flow.horizon_by_lag)


def _singular(flow: GradientFlow, lags: np.ndarray) -> Picture:
    values = flow.singular_values
    lines = [Line(lags, values[:, 0], "largest", LINES[0], width=2)]
    if values.shape[1] > 1:
        lines.insert(0, Line(lags, values[:, -1], "smallest", LINES[2], DASHES[2], 1.3))
        lines.insert(1, Line(lags, np.median(values, axis=1), "median", LINES[1], DASHES[1]))
    body = chart(lines, x_label="lag", name="singular values of the Jacobian by lag", log=True)
    return Picture("singular values: how many directions survive", body)


def _map(influence: np.ndarray) -> Picture:
    """By how much each step of the forecast moves with each value of the window."""
    ahead, lags = influence.shape
    chosen, rows = some(lags, MOST), some(ahead, MOST)
    largest = float(np.max(influence[np.isfinite(influence)], initial=0))
    x_ticks = [(float(np.searchsorted(chosen, lag)), words) for lag, words in rounds(0, lags - 1) if lag == int(lag)]
    body = heat_map(
        influence[np.ix_(rows, chosen)] / (largest or 1.0),
        x_ticks=x_ticks,
        y_ticks=[(float(place), str(rows[place] + 1)) for place in some(len(rows), 4)],
        x_label="lag: values before the forecast's cutoff",
        y_label="step ahead",
        name="by how much each step of the forecast moves with each value of the window",
    )
    return Picture(f"what the forecast moves with (blue: {largest:.2g})", body)
