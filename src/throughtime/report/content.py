"""All that the report of a forecast or a backtest says: the page's only input."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import polars as pl

from throughtime.data import Panel
from throughtime.forecasting import MODEL, Covered, Effect, Evaluation, Forecaster, covered, model_names, plan_facts
from throughtime.report.advice import advice
from throughtime.report.errors import Errors, errors_of
from throughtime.report.reach import Line, Reach, reach_of_model
from throughtime.report.totals import Totals, totals_of

FEW = "too few windows to say"
Columns = Mapping[str, np.ndarray]


def model_label(name: str, season: int) -> str:
    """Return a model's column in words; without a season, seasonal naive is the naive forecast."""
    words = name.replace("_", " ")
    return words.removeprefix("seasonal ") if season <= 1 and words == "seasonal naive" else words


@dataclass(frozen=True, eq=False, kw_only=True)
class ForecastContent:
    """The content of a page. All but the first four may be left out; the page then has no such part.

    Attributes:
        title: the file's name and what was done.
        headline: the verdict; it begins with a baseline if that is better.
        panel: all series, with their histories.
        season: the period in steps, 1 if there is none.
        facts: (name, value) pairs.
        decisions: sentences: what the model decided.
        notes: sentences: what was found in the data, and what was done about it.
        levels: coverage of the intervals in per cent.
        forecasts: ``unique_id, ds, throughtime, throughtime-lo-80, throughtime-hi-80, ...``.
        backtest: the same with ``cutoff, y`` and a column for each baseline.
        scores: ``unique_id, metric, throughtime, seasonal_naive, ...``, one row for each series and metric, and before
            them one for all series, with an empty ``unique_id``.
        seconds: the time that each model took, by its column.
        means: the mean error of every model in the verdict's metric, by its column.
        effects: of the covariates, the largest first.
        losses: the loss over the training steps, one line for each member of an ensemble.
        reach: how far back the model looks.
        advice: sentences: what to do next.
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
    means: Mapping[str, float] = field(default_factory=dict)
    effects: tuple[Effect, ...] = ()
    losses: tuple[Line, ...] = ()
    reach: Reach | None = None
    advice: tuple[str, ...] = ()

    @cached_property
    def errors(self) -> Errors | None:
        """The errors of the backtest by step, by window, and their distribution."""
        return errors_of(self.backtest, self.models)

    @cached_property
    def coverage(self) -> dict[int | float, Covered]:
        """For each level the share of the backtest's values that the interval covered; none without known values."""
        if "y" not in self.backtest or np.isnan(self.backtest["y"]).all():
            return {}
        return {level: covered(self.backtest, level) for level in sorted(self.levels)}

    @cached_property
    def totals(self) -> Totals | None:
        """The sum of the series that can be added up."""
        return totals_of(self.panel, self.forecasts, self.backtest, self.models, self.levels)

    @property
    def judgments(self) -> dict[int | float, str]:
        """For each level whether its intervals are as wide as they should be, in words."""
        words = {"right": "as it should be", "narrow": "too narrow", "wide": "too wide", "few": FEW}
        return {level: words[found.judgment] for level, found in self.coverage.items()}

    @property
    def models(self) -> list[str]:
        """The models in the columns of the scores, or of the backtest if there are none; throughtime is first."""
        columns = self.scores.columns or list(self.backtest or self.forecasts)
        names = model_names(name for name in columns if name != "metric")
        return sorted(names, key=lambda name: name != MODEL)  # stable: the others keep their order


def forecast_content(
    name: str,
    model: Forecaster,
    forecasts: Columns,
    evaluation: Evaluation,
    levels: Sequence[int | float],
    *,
    seconds: float,
) -> ForecastContent:
    """Return the content of a forecast's page.

    Args:
        name: of the file.
        model: the fitted forecaster.
        forecasts: ``unique_id, ds, throughtime, ...``.
        evaluation: the backtest before it.
        levels: coverage of the intervals in per cent.
        seconds: the time that everything took.
    """
    content = replace(
        _of_model(model, evaluation, seconds),
        title=f"Forecast of {name}, {_steps(model.horizon)} ahead",
        decisions=tuple(model.notes_[len(model.panel_.notes) :]),
        levels=tuple(levels),
        forecasts=forecasts,
    )
    return replace(content, advice=advice(evaluation.verdict, content.judgments, content.season))


def backtest_content(
    name: str,
    model: Forecaster,
    panel: Panel,
    evaluation: Evaluation,
    notes: Sequence[str],
    levels: Sequence[int | float],
    *,
    seconds: float,
) -> ForecastContent:
    """Return the content of a backtest's page.

    Args:
        name: of the file.
        model: the forecaster as it was last trained.
        panel: all series.
        evaluation: the backtest.
        notes: what was found in the data, then what was decided and done.
        levels: coverage of the intervals in per cent.
        seconds: the time that everything took.
    """
    windows = f"{evaluation.windows} window{'s' if evaluation.windows > 1 else ''}"
    return replace(
        _of_model(model, evaluation, seconds),
        title=f"Backtest of {name}: {windows} of {_steps(model.horizon)}",
        panel=panel,
        notes=panel.notes,
        decisions=tuple(notes[len(panel.notes) :]),
        levels=tuple(levels),
    )


def _of_model(model: Forecaster, evaluation: Evaluation, seconds: float) -> ForecastContent:
    """Return the parts of a page that a model and its backtest determine, without a title."""
    return ForecastContent(
        title="",
        headline=evaluation.verdict.headline,
        panel=model.panel_,
        season=model.plan_.design.seasons[0],
        facts=(*plan_facts(model.fitted_), ("took", f"{seconds:.0f} s")),
        notes=model.panel_.notes,
        backtest=evaluation.rows,
        scores=evaluation.table,
        seconds=evaluation.seconds,
        means={} if evaluation.verdict.comparison is None else evaluation.verdict.comparison.means,
        effects=evaluation.effects,
        losses=loss_lines(model.losses_),
        reach=reach_of_model(model),
    )


def _steps(count: int) -> str:
    return f"{count} {'step' if count == 1 else 'steps'}"


def loss_lines(losses: np.ndarray) -> tuple[Line, ...]:
    """Return the loss (steps,), or (members, steps) of an ensemble, as lines; none without training."""
    members = np.atleast_2d(losses)
    if not members.size:
        return ()
    steps = np.arange(1, members.shape[1] + 1)
    return tuple(Line(f"member {number}", steps, member) for number, member in enumerate(members, 1))
