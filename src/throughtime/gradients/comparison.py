"""Cells, activations and initializers side by side: the same inputs, and what flows back through each."""

import itertools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
import polars as pl

from throughtime._errors import InputError
from throughtime._types import Array, Key
from throughtime.cells import Cell, activation, cell_type, init_arguments, takes
from throughtime.data import Panel, TimeSeriesData, fill_forward
from throughtime.gradients.flow import GradientFlow
from throughtime.gradients.measure import cell_flow
from throughtime.recurrence import unroll

SEQUENCES = 64


def noise(length: int, *, key: Key) -> Array:
    """White noise (B, T, 1) with mean 0 and variance 1: inputs that favor no cell."""
    return jax.random.normal(key, (SEQUENCES, length, 1))


def sine_windows(length: int, *, key: Key) -> Array:
    """Windows (B, T, 1) of the sine wave that the demo's network learns.

    Raises:
        InputError: where a window does not fit into the wave.
    """
    return TimeSeriesData().draw(key, SEQUENCES, length)[0]


def panel_windows(panel: Panel, length: int, *, seed: int) -> np.ndarray:
    """Random windows (B, T, 1) of a panel's series, each series with mean 0 and variance 1; gaps are filled.

    Raises:
        InputError: where no series has so many steps.
    """
    rows = np.flatnonzero(panel.lengths >= length)
    if not len(rows):
        raise InputError(
            f"no series has {length} steps, the longest has {panel.lengths.max()}: expected --length of at most that"
        )
    values = fill_forward(panel.values, panel.offsets, panel.frequency.season)
    random = np.random.default_rng(seed)
    chosen = random.choice(rows, SEQUENCES)
    starts = panel.offsets[chosen] + random.integers(0, panel.lengths[chosen] - length + 1)
    windows = values[starts[:, None] + np.arange(length)]
    means, deviations = np.array([_moments(values[slice(*panel.offsets[row : row + 2])]) for row in chosen]).T
    return ((windows - means[:, None]) / deviations[:, None])[..., None].astype(np.float32)


def _moments(values: np.ndarray) -> tuple[float, float]:
    deviation = float(values.std())
    return float(values.mean()), deviation if deviation > 0 else 1.0


MEASURED = 8  # sequences whose median is taken; a build may look at more, as batch statistics do
COLUMNS = ("cell", "activation", "init", "lag", "norm", "bound")


class Case(NamedTuple):
    """One cell to measure; activation and init are empty where the choice is not the cell's to make.

    ``build(xs, hidden, key)`` makes it, for the inputs (B, T, D) that it will run on.
    """

    cell: str
    activation: str
    init: str
    build: Callable[[Array, int, Key], Cell]

    @property
    def label(self) -> str:
        """``elman tanh, identity``."""
        named = " ".join(part for part in (self.cell, self.activation) if part)
        return f"{named}, {self.init}" if self.init else named


def cases(cells: Sequence[str], activations: Sequence[str], inits: Sequence[str], *, length: int) -> list[Case]:
    """Every cell with every activation and initializer that it can take.

    Args:
        cells: names; an activation is an Elman cell's alone.
        activations: names.
        inits: names of recurrent or bias initializers; none for each cell's own. "chrono" is for ``length`` steps.
        length: T.

    Raises:
        InputError: for an unknown name, and an initializer that none of the cells takes.
    """
    kinds = {name: cell_type(name) for name in cells}
    for name in activations:
        activation(name)
    options = {name: init_arguments(name, length) for name in inits}
    taken = {name: [init for init in inits if takes(kind, init)] for name, kind in kinds.items()}
    for init in inits:
        if not any(init in inits_of for inits_of in taken.values()):
            raise InputError(f"none of the cells {', '.join(cells)} takes the initializer {init!r}: leave it out")
    result = []
    for name, kind in kinds.items():
        named = activations if name == "elman" else [""]
        for chosen, init in itertools.product(named, taken[name] or [""]):
            arguments = ({"activation": chosen} if chosen else {}) | options.get(init, {})
            result.append(Case(name, chosen, init, _builder(kind, arguments)))
    return result


def compare(chosen: Sequence[Case], xs: Array, *, hidden: int, key: Key) -> list[GradientFlow]:
    """What flows back through each over the first sequences of xs (B, T, D), with weights from the same key."""
    return [_flow(case.build(xs, hidden, key), xs[:MEASURED]) for case in chosen]


def _flow(cell: Cell, xs: Array) -> GradientFlow:
    """From the state after one input: that before any is all zeros, which a normalization blows up."""
    state, _ = unroll(cell, xs[:, :1])
    return cell_flow(cell, xs, state)


def write_comparison(folder: Path, chosen: Sequence[Case], flows: Sequence[GradientFlow], title: str) -> str:
    """Write ``gradients.csv``, ``gradients.png`` and ``verdict.txt``; the verdicts come back too."""
    from throughtime.plots import comparison_picture, flow_picture

    words = write_figures(folder, chosen, flows)
    labels = [case.label for case in chosen]
    figure = flow_picture(flows[0]) if len(flows) == 1 else comparison_picture(flows, labels, title)
    figure.savefig(folder / "gradients.png")
    return words


def write_figures(folder: Path, chosen: Sequence[Case], flows: Sequence[GradientFlow]) -> str:
    """Write ``gradients.csv`` and ``verdict.txt``; the verdicts come back too."""
    tables = []
    for case, flow in zip(chosen, flows, strict=True):
        named = {"cell": case.cell, "activation": case.activation, "init": case.init}
        tables.append(flow.to_frame().with_columns(**{name: pl.lit(value) for name, value in named.items()}))
    pl.concat([table.select(COLUMNS) for table in tables]).write_csv(folder / "gradients.csv")
    words = verdicts(chosen, flows)
    (folder / "verdict.txt").write_text(words + "\n", encoding="utf-8")
    return words


def verdicts(chosen: Sequence[Case], flows: Sequence[GradientFlow]) -> str:
    """Which remembers longest and shortest, then the verdict of each; what limits all of them comes once."""
    from throughtime.gradients.explain import LIMITS

    ranked = sorted(zip(chosen, flows, strict=True), key=lambda pair: _memory_span(pair[1]), reverse=True)
    lines = []
    if len(flows) > 1:
        (longest, best), (shortest, worst) = ranked[0], ranked[-1]
        lines = [
            f"Longest memory: {longest.label} ({_span(best)}). Shortest: {shortest.label} ({_span(worst)}).",
            "",
        ]
    for case, flow in zip(chosen, flows, strict=True):
        lines += [f"{case.label}: {flow.verdict.removeprefix(f'{flow.cell}: ').removesuffix(LIMITS).strip()}", ""]
    return "\n".join([*lines, LIMITS])


def _memory_span(flow: GradientFlow) -> tuple[int, float]:
    """Longer first: by the reach, then by what is left in the end."""
    return flow.reach, float(np.nan_to_num(min(flow.memory[-1], 1.0)))


def _span(flow: GradientFlow) -> str:
    if flow.reach == flow.steps:
        return f"{flow.memory[-1]:.2g} of a gradient left after all {flow.steps} steps"
    return f"1 % left after {flow.reach} steps"


def _builder(kind: Callable[..., Cell], arguments: dict[str, Any]) -> Callable[[Array, int, Key], Cell]:
    return lambda xs, hidden, key: kind(xs.shape[-1], hidden, **arguments, key=key)
