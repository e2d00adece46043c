"""Cells, activations and initializers side by side: the gradient through each on the same inputs."""

import itertools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

from throughtime._arguments import whole_number
from throughtime._errors import InputError
from throughtime._keys import random_key
from throughtime._types import Array, Float, Key, KeyLike, Whole
from throughtime.cells import Cell, activation, cell_type, init_arguments, takes
from throughtime.data import Panel, TimeSeriesData, fill_forward
from throughtime.gradients.flow import GradientFlow
from throughtime.gradients.measure import cell_flow
from throughtime.recurrence import unroll

SEQUENCES = 64
MEASURED = 8  # sequences whose median is taken; a case may use all of them, for batch statistics


class Case(NamedTuple):
    """A cell to measure.

    Attributes:
        cell: its name.
        activation: the activation's name; empty if the cell has none to choose.
        init: the initializer's name; empty for the cell's own.
        build: ``build(xs, hidden, key)`` makes the cell for the inputs (B, T, D) that it will run on.
    """

    cell: str
    activation: str
    init: str
    build: Callable[[Array, int, Key], Cell]

    @property
    def label(self) -> str:
        """Return ``elman tanh, identity``."""
        name = " ".join(part for part in (self.cell, self.activation) if part)
        return f"{name}, {self.init}" if self.init else name


def cases(cells: Sequence[str], activations: Sequence[str], inits: Sequence[str], *, length: int) -> list[Case]:
    """Return every cell with every activation and initializer that it takes.

    Args:
        cells: names of cells.
        activations: names of activations, for an Elman cell.
        inits: names of recurrent or bias initializers; empty for each cell's own.
        length: T, for which "chrono" makes its biases.

    Raises:
        InputError: for an unknown name, and for an initializer that none of the cells takes.
    """
    kinds = {name: cell_type(name) for name in cells}
    for name in activations:
        activation(name)
    options = {name: init_arguments(name, length) for name in inits}
    inits_by_cell = {name: [init for init in inits if takes(kind, init)] for name, kind in kinds.items()}
    _require_all_taken(cells, inits, inits_by_cell)
    result = []
    for name, kind in kinds.items():
        for chosen, init in itertools.product(activations if name == "elman" else [""], inits_by_cell[name] or [""]):
            arguments = ({"activation": chosen} if chosen else {}) | options.get(init, {})
            result.append(Case(name, chosen, init, _builder(kind, arguments)))
    return result


def _require_all_taken(cells: Sequence[str], inits: Sequence[str], inits_by_cell: dict[str, list[str]]) -> None:
    taken = set(itertools.chain.from_iterable(inits_by_cell.values()))
    for init in inits:
        if init not in taken:
            raise InputError(
                f"none of the cells {', '.join(cells)} takes the initializer {init!r}: leave it out",
                code="initializer-not-taken",
                found=init,
                expected=list(cells),
            )


def _builder(kind: Callable[..., Cell], arguments: dict[str, Any]) -> Callable[[Array, int, Key], Cell]:
    return lambda xs, hidden, key: kind(xs.shape[-1], hidden, **arguments, key=key)


def compare(chosen: Sequence[Case], xs: Float[Array, "B T D"], *, hidden: Whole, key: KeyLike) -> list[GradientFlow]:
    """Measure each case on the first sequences of xs, with weights from the same key."""
    hidden, key = whole_number("hidden", hidden), random_key(key)
    return [_flow(case.build(xs, hidden, key), xs[:MEASURED]) for case in chosen]


def _flow(cell: Cell, xs: Float[Array, "B T D"]) -> GradientFlow:
    """Measure from the state after one input: normalization would blow up the zeros of the first state."""
    state, _ = unroll(cell, xs[:, :1])
    return cell_flow(cell, xs, state)


def white_noise(length: Whole, *, key: KeyLike) -> Float[Array, "B T 1"]:
    """Return white noise with mean 0 and variance 1: inputs that favor no cell."""
    return jax.random.normal(random_key(key), (SEQUENCES, length, 1))


def sine_windows(length: Whole, *, key: KeyLike) -> Float[Array, "B T 1"]:
    """Return windows of the sine wave that the demo's network learns.

    Raises:
        InputError: if a window does not fit into the wave.
    """
    return TimeSeriesData().draw(key, SEQUENCES, length)[0]


def panel_windows(panel: Panel, length: int, *, seed: int) -> np.ndarray:
    """Return random windows (B, T, 1) of a panel's series, each series with mean 0 and variance 1; gaps are filled.

    Raises:
        InputError: if no series has ``length`` steps.
    """
    rows = np.flatnonzero(panel.lengths >= length)
    if not len(rows):
        longest = int(panel.lengths.max())
        raise InputError(
            f"no series has {length} steps, the longest has {longest}: expected --length of at most that",
            code="series-too-short",
            found=longest,
            expected=length,
        )
    values = fill_forward(panel.values, panel.offsets, panel.frequency.season)
    random = np.random.default_rng(seed)
    chosen = random.choice(rows, SEQUENCES)
    starts = panel.offsets[chosen] + random.integers(0, panel.lengths[chosen] - length + 1)
    windows = values[starts[:, None] + np.arange(length)]
    means, deviations = np.array([_moments(values[slice(*panel.offsets[row : row + 2])]) for row in chosen]).T
    return ((windows - means[:, None]) / deviations[:, None])[..., None].astype(np.float32)


def _moments(values: np.ndarray) -> tuple[float, float]:
    """Return mean and standard deviation; 1 for the deviation of a constant series."""
    deviation = float(values.std())
    return float(values.mean()), deviation if deviation > 0 else 1.0
