"""How far back a forecaster looks, as its report shows it."""

import numpy as np

from throughtime.forecasting import Forecaster, forecaster_flow
from throughtime.report.content import Line, Reach

MOST = 0.9  # of what the forecast depends on


def forecaster_reach(model: Forecaster) -> Reach | None:
    """What each step of the forecast depends on, by lag, and what the cell keeps; None where there is no network."""
    if not model.networks_:
        return None
    design, flow = model.plan_.design, forecaster_flow(model)
    if flow.horizon_by_lag is None:
        return None
    return reach_of(
        flow.horizon_by_lag, flow.memory, patch=design.patch, season=design.seasons[0], verdict=flow.verdict
    )


def reach_of(influence: np.ndarray, memory: np.ndarray, *, patch: int, season: int, verdict: str = "") -> Reach | None:
    """The curves and their meaning; None where nothing finite flows.

    Args:
        influence: (F, L) by how much each step of the forecast moves with each value, the last value first.
        memory: (T + 1,) what flows back in the cell over 0 .. T of its steps.
        patch: steps of the series that make one of the cell.
        season: the period in steps, 1 where there is none.
        verdict: what is known of the cell, in words.
    """
    if not np.isfinite(influence).all() or not influence.any():
        return None
    lags = np.arange(1, influence.shape[1] + 1)
    rows = {"first step ahead": influence[0]} | ({"last step ahead": influence[-1]} if len(influence) > 1 else {})
    curves = [Line(name, lags, row / row.max()) for name, row in rows.items() if row.any()]
    if np.isfinite(memory).all() and memory.any():
        curves.append(Line("kept by the cell", patch * np.arange(len(memory)) + 1, memory / memory.max()))
    return Reach(tuple(curves), _depends(influence, season), verdict)


def _depends(influence: np.ndarray, season: int) -> str:
    """Where most of what the forecast depends on lies, over all its steps."""
    shares = np.cumsum(influence.sum(axis=0)) / influence.sum()
    half, most = (int(np.argmax(shares >= share)) + 1 for share in (0.5, MOST))
    seasons = f", {most / season:.1f} seasons" if season > 1 else ""
    return (
        f"Half of what the forecast depends on lies in the last {half} of the {len(shares)} steps that it reads, "
        f"{MOST:.0%} in the last {most}{seasons}."
    )
