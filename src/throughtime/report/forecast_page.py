"""The content of the page, from a fitted forecaster and what became of its forecasts."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from throughtime.data.panel import Panel
from throughtime.forecasting.forecaster import Forecaster
from throughtime.forecasting.verdict import Tested
from throughtime.report.content import Columns, Curve, ForecastContent, Reach


def forecast_content(
    name: str,
    model: Forecaster,
    forecasts: Columns,
    tested: Tested,
    levels: Sequence[int | float],
    *,
    seconds: float,
    reach: Reach | None = None,
) -> ForecastContent:
    """What the page of a forecast says.

    Args:
        name: of the file.
        model: the fitted forecaster.
        forecasts: ``unique_id, ds, throughtime, ...``.
        tested: the backtest.
        levels: coverage of the intervals in per cent.
        seconds: what everything took.
        reach: how far back the model looks.
    """
    found = len(model.panel_.notes)
    return ForecastContent(
        title=f"Forecast of {name}, {_steps(model.horizon)} ahead",
        headline=tested.verdict.words,
        panel=model.panel_,
        season=model.plan_.design.seasons[0],
        facts=(*_facts(model), ("took", f"{seconds:.0f} s")),
        decisions=tuple(model.notes_[found:]),
        notes=model.panel_.notes,
        levels=tuple(levels),
        forecasts=forecasts,
        losses=loss_curves(model.losses_),
        reach=reach,
        **_scored(tested),
    )


def backtest_content(
    name: str,
    model: Forecaster,
    panel: Panel,
    tested: Tested,
    notes: Sequence[str],
    levels: Sequence[int | float],
    *,
    seconds: float,
    reach: Reach | None = None,
) -> ForecastContent:
    """What the page of a backtest says.

    Args:
        name: of the file.
        model: the forecaster as it was last trained.
        panel: all series.
        tested: the backtest, with scores.
        notes: what was found in the data, then what was decided and done.
        levels: coverage of the intervals in per cent.
        seconds: what everything took.
        reach: how far back the model looks.
    """
    windows = f"{tested.windows} window{'s' if tested.windows > 1 else ''}"
    found = len(panel.notes)
    return ForecastContent(
        title=f"Backtest of {name}: {windows} of {_steps(model.horizon)}",
        headline=tested.verdict.words,
        panel=panel,
        season=model.plan_.design.seasons[0],
        facts=(*_facts(model), ("took", f"{seconds:.0f} s")),
        decisions=tuple(notes[found:]),
        notes=panel.notes,
        levels=tuple(levels),
        losses=loss_curves(model.losses_),
        reach=reach,
        **_scored(tested),
    )


def _steps(count: int) -> str:
    return f"{count} {'step' if count == 1 else 'steps'}"


def _scored(tested: Tested) -> dict[str, Any]:
    """What a backtest gave, by the names that the page has for it."""
    return {
        "backtest": tested.rows,
        "scores": tested.table,
        "seconds": tested.seconds,
        "coverage": tested.coverage,
    }


def _facts(model: Forecaster) -> list[tuple[str, str]]:
    panel, plan, design = model.panel_, model.plan_, model.plan_.design
    season = f"a season of {design.seasons[0]} steps" if design.seasons[0] > 1 else "no season"
    network = (
        f"{len(model.networks_)}, each of {design.blocks} {design.cell.upper()} blocks of {design.hidden} units, "
        f"{plan.steps:,} training steps, reading {design.length} steps, "
        f"{'with' if design.skip else 'without'} a linear map beside them"
    )
    return [
        ("series", f"{len(panel):,}, {len(panel.values):,} steps in all"),
        ("time axis", f"{panel.frequency.describe()}, {season}"),
        ("networks", network if model.networks_ else "none: the series are too short"),
        ("seen as", "logarithms" if plan.log else "plain values"),
    ]


def loss_curves(losses: np.ndarray) -> tuple[Curve, ...]:
    """The loss (steps,), or (members, steps) of an ensemble, as curves; none without training."""
    members = np.atleast_2d(losses)
    if not members.size:
        return ()
    steps = np.arange(1, members.shape[1] + 1)
    return tuple(Curve(f"member {number}", steps, member) for number, member in enumerate(members, 1))
