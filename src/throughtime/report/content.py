"""All that the report of a forecast or a backtest says: the page's only input."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
import polars as pl

from throughtime.data import Panel
from throughtime.forecasting import MODEL, Evaluation, Forecaster, plan_facts

Columns = Mapping[str, np.ndarray]


class Line(NamedTuple):
    """A named line, x and y (K,)."""

    name: str
    x: np.ndarray
    y: np.ndarray


class Reach(NamedTuple):
    """How far back the model looks.

    Attributes:
        curves: x is the lag in steps of the series, y how much flows from there, each curve as a share of its largest.
        summary: what follows from it, in a sentence.
        verdict: all that can be said of the cell; may be empty.
    """

    curves: tuple[Line, ...]
    summary: str
    verdict: str = ""


@dataclass(frozen=True, eq=False, kw_only=True)
class ForecastContent:
    """What the page shows. Everything but the first four may be left out, and its part of the page is, too.

    Attributes:
        title: the file's name and what was done.
        headline: the verdict; it names a baseline first where that is better.
        panel: the series, with the names of all and the history of each.
        season: the period in steps, 1 where there is none.
        facts: (name, value) pairs.
        decisions: sentences: what the model decided.
        notes: sentences: what was found in the data, and what was done about it.
        levels: coverage of the intervals in per cent.
        forecasts: ``unique_id, ds, throughtime, throughtime-lo-80, throughtime-hi-80, ...``.
        backtest: the same with ``cutoff, y`` and a column for each baseline.
        scores: ``unique_id, metric, throughtime, seasonal_naive, ...``, one row for each series and metric, and before
            them one for all series, with an empty ``unique_id``.
        seconds: what each model took, by its column.
        coverage: for each level in per cent which share of the values the interval covered.
        losses: the loss over the training steps, one curve a member of an ensemble.
        reach: how far back the model looks.
    """

    title: str
    headline: str
    panel: Panel
    season: int
    facts: tuple[tuple[str, str], ...] = ()
    decisions: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    levels: tuple[int | float, ...] = ()
    forecasts: Columns = field(default_factory=dict)
    backtest: Columns = field(default_factory=dict)
    scores: pl.DataFrame = field(default_factory=pl.DataFrame)
    seconds: Mapping[str, float] = field(default_factory=dict)
    coverage: Mapping[int | float, float] = field(default_factory=dict)
    losses: tuple[Line, ...] = ()
    reach: Reach | None = None

    @property
    def models(self) -> list[str]:
        """The models in the columns of the scores, or of the backtest where there are none; throughtime is first."""
        columns = self.scores.columns or list(self.backtest or self.forecasts)
        known = {"unique_id", "metric", "ds", "cutoff", "y"}
        names = [name for name in columns if name not in known and "-lo-" not in name and "-hi-" not in name]
        return sorted(names, key=lambda name: name != MODEL)  # stable: the others keep their order


def forecast_content(
    name: str,
    model: Forecaster,
    forecasts: Columns,
    tested: Evaluation,
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
    tested: Evaluation,
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
    tested: Evaluation,
    notes: Sequence[str],
    levels: Sequence[int | float],
    seconds: float,
    reach: Reach | None,
) -> ForecastContent:
    """What both pages say."""
    return ForecastContent(
        title=title,
        headline=tested.verdict.headline,
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


def loss_curves(losses: np.ndarray) -> tuple[Line, ...]:
    """The loss (steps,), or (members, steps) of an ensemble, as curves; none without training."""
    members = np.atleast_2d(losses)
    if not members.size:
        return ()
    steps = np.arange(1, members.shape[1] + 1)
    return tuple(Line(f"member {number}", steps, member) for number, member in enumerate(members, 1))
