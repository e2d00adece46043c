"""The content of the page, from a fitted forecaster and what became of its forecasts."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from throughtime.forecasting.backtest import BASELINE
from throughtime.forecasting.forecaster import Forecaster
from throughtime.forecasting.verdict import MODEL, Tested
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
        title=f"Forecast of {name}, {model.horizon} {'step' if model.horizon == 1 else 'steps'} ahead",
        headline=tested.verdict.words,
        panel=model.panel_,
        season=model.plan_.design.seasons[0],
        facts=(*_facts(model), ("took", f"{seconds:.0f} s")),
        decisions=tuple(model.notes_[found:]),
        notes=model.panel_.notes,
        levels=tuple(levels),
        forecasts=forecasts,
        backtest=tested.rows,
        scores=_long(tested.scores),
        coverage=tested.coverage,
        losses=loss_curves(model.losses_),
        reach=reach,
    )


def _facts(model: Forecaster) -> list[tuple[str, str]]:
    panel, plan, design = model.panel_, model.plan_, model.plan_.design
    season = f"a season of {design.seasons[0]} steps" if design.seasons[0] > 1 else "no season"
    network = (
        f"{design.cell.upper()}, {design.hidden} units, {plan.steps:,} training steps, reads {design.length} steps"
    )
    return [
        ("series", f"{len(panel):,}, {len(panel.values):,} steps in all"),
        ("time axis", f"{panel.frequency.describe()}, {season}"),
        ("network", network if model.network_ is not None else "none: the series are too short"),
        ("seen as", "logarithms" if plan.log else "plain values"),
    ]


def loss_curves(losses: np.ndarray) -> tuple[Curve, ...]:
    """The loss (steps,), or (members, steps) of an ensemble, as curves; none without training."""
    members = np.atleast_2d(losses)
    if not members.size:
        return ()
    steps = np.arange(1, members.shape[1] + 1)
    return tuple(Curve(f"member {number}", steps, member) for number, member in enumerate(members, 1))


def _long(scores: pl.DataFrame) -> pl.DataFrame:
    """The MASE of each series (``unique_id, throughtime, seasonal_naive``) as rows by metric, their mean first."""
    if scores.is_empty():
        return scores
    overall = scores.select(pl.lit("").alias("unique_id"), pl.col(MODEL, BASELINE).mean())
    both = pl.concat([overall, scores.select(pl.col("unique_id").cast(pl.String), MODEL, BASELINE)])
    return both.select("unique_id", pl.lit("mase").alias("metric"), MODEL, BASELINE)
