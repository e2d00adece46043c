"""How far back a forecaster looks, as its report shows it."""

from typing import NamedTuple

import numpy as np

from throughtime.forecasting import Forecaster

MOST = 0.9  # the share of the influence that counts as most of it


class Line(NamedTuple):
    """A named line, x and y (K,)."""

    name: str
    x: np.ndarray
    y: np.ndarray


class Reach(NamedTuple):
    """The influence of past values on a forecast.

    Attributes:
        lines: x is the lag in steps of the series, y the influence from there; each line is a share of its largest y.
        summary: within how many steps most of the influence is, in a sentence.
        verdict: what gradients do in the cell, in sentences; may be empty.
    """

    lines: tuple[Line, ...]
    summary: str
    verdict: str = ""


def reach_of_model(model: Forecaster) -> Reach | None:
    """Return the influence by lag on the forecast's steps, and what the cell keeps; None without a network."""
    if not model.networks_:
        return None
    design, flow = model.plan_.design, model.gradient_flow()
    if flow.horizon_by_lag is None:
        return None
    return reach_of(
        flow.horizon_by_lag, flow.memory, patch=design.patch, season=design.seasons[0], verdict=flow.verdict
    )


def reach_of(influence: np.ndarray, memory: np.ndarray, *, patch: int, season: int, verdict: str = "") -> Reach | None:
    """Return the lines and their summary; None if the influence is not finite, or zero everywhere.

    Args:
        influence: (F, L) the size of the derivative of each step of the forecast by each value, the last value first.
        memory: (T + 1,) the gradient that flows back in the cell over 0 .. T of its steps.
        patch: steps of the series in one step of the cell.
        season: the period in steps, 1 if there is none.
        verdict: what gradients do in the cell, in sentences.
    """
    if not np.isfinite(influence).all() or not influence.any():
        return None
    lags = np.arange(1, influence.shape[1] + 1)
    rows = {"first step ahead": influence[0]} | ({"last step ahead": influence[-1]} if len(influence) > 1 else {})
    lines = [Line(name, lags, row / row.max()) for name, row in rows.items() if row.any()]
    if np.isfinite(memory).all() and memory.any():
        lines.append(Line("kept by the cell", patch * np.arange(len(memory)) + 1, memory / memory.max()))
    return Reach(tuple(lines), _summary(influence, season), verdict)


def _summary(influence: np.ndarray, season: int) -> str:
    """Return within how many steps half and most of the influence is, over all steps of the forecast."""
    shares = np.cumsum(influence.sum(axis=0)) / influence.sum()
    half, most = (int(np.argmax(shares >= share)) + 1 for share in (0.5, MOST))
    seasons = f", {most / season:.1f} seasons" if season > 1 else ""
    return (
        f"Half of the forecast's dependence is on the last {half} of the {len(shares)} values that the model reads, "
        f"{MOST:.0%} on the last {most}{seasons}."
    )
