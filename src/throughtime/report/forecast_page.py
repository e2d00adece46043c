"""The content of the page, from a fitted forecaster and what became of its forecasts."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from throughtime.data.panel import Panel
from throughtime.forecasting.forecaster import Forecaster
from throughtime.forecasting.notes import plan_facts
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
    title = f"Forecast of {name}, {_steps(model.horizon)} ahead"
    content = _content(title, model, model.panel_, tested, model.notes_, levels, seconds, reach)
    return replace(content, forecasts=forecasts)


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
    title = f"Backtest of {name}: {windows} of {_steps(model.horizon)}"
    return _content(title, model, panel, tested, notes, levels, seconds, reach)


def _content(
    title: str,
    model: Forecaster,
    panel: Panel,
    tested: Tested,
    notes: Sequence[str],
    levels: Sequence[int | float],
    seconds: float,
    reach: Reach | None,
) -> ForecastContent:
    """What both pages say."""
    return ForecastContent(
        title=title,
        headline=tested.verdict.words,
        panel=panel,
        season=model.plan_.design.seasons[0],
        facts=(*plan_facts(model.panel_, model.plan_, len(model.networks_)), ("took", f"{seconds:.0f} s")),
        decisions=tuple(notes[len(panel.notes) :]),
        notes=panel.notes,
        levels=tuple(levels),
        backtest=tested.rows,
        scores=tested.table,
        seconds=tested.seconds,
        coverage=tested.coverage,
        losses=loss_curves(model.losses_),
        reach=reach,
    )


def _steps(count: int) -> str:
    return f"{count} {'step' if count == 1 else 'steps'}"


def loss_curves(losses: np.ndarray) -> tuple[Curve, ...]:
    """The loss (steps,), or (members, steps) of an ensemble, as curves; none without training."""
    members = np.atleast_2d(losses)
    if not members.size:
        return ()
    steps = np.arange(1, members.shape[1] + 1)
    return tuple(Curve(f"member {number}", steps, member) for number, member in enumerate(members, 1))
