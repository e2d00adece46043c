"""The verdict of a backtest: the network against the best baseline, in numbers and in one sentence."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import polars as pl

from throughtime.forecasting.baselines import BASELINE
from throughtime.forecasting.importance import Effect
from throughtime.forecasting.results import MODEL
from throughtime.forecasting.rivals import LONGER, NAIVE, Errors, scaled_errors

NAMES = {"naive2": "Naive2", "autoets": "AutoETS", "autotheta": "AutoTheta", "autoarima": "AutoARIMA"}


class Comparison(NamedTuple):
    """The errors of the network and of the best baseline.

    Attributes:
        metric: "mase", or "mae" if no series has a MASE.
        model: the mean error of the network.
        baseline: that of the best baseline.
        best: the name of the best baseline.
        baselines: how many there are.
        series: how many series have a MASE.
        better: how many of these the network forecasts better than the best baseline.
        observed: how many series have an observed value in the windows.
        doubt: the standard error of the difference over the windows; None for one window.
        means: the mean error of every model, those without scores of their own too.
    """

    metric: str
    model: float
    baseline: float
    best: str
    baselines: int
    series: int
    better: int
    observed: int
    doubt: float | None = None
    means: Mapping[str, float] = MappingProxyType({})

    @property
    def clear(self) -> bool:
        """True if the difference is larger than its standard error, or if that is unknown."""
        return self.doubt is None or self.model == self.baseline or abs(self.model - self.baseline) > self.doubt


class WindowDesign(NamedTuple):
    """The windows that a verdict is about.

    Attributes:
        windows: how many there are.
        horizon: steps of each.
        step: steps between their cutoffs; the horizon if None.
        season: the period in steps.
    """

    windows: int
    horizon: int
    step: int | None
    season: int


class Verdict(NamedTuple):
    """The comparison of the network with the best baseline, over all series of a backtest.

    Attributes:
        comparison: the numbers; None if there is nothing to compare.
        design: the windows; None if there is nothing to compare.
        reason: why there is nothing to compare.
    """

    comparison: Comparison | None
    design: WindowDesign | None = None
    reason: str = ""

    @property
    def model(self) -> float | None:
        """The mean MASE of the network; None if no series has one."""
        return self.comparison.model if self.comparison and self.comparison.metric == "mase" else None

    @property
    def baseline(self) -> float | None:
        """The mean MASE of the best baseline; None if no series has one."""
        return self.comparison.baseline if self.comparison and self.comparison.metric == "mase" else None

    @property
    def best(self) -> str:
        """The name of the best baseline."""
        return self.comparison.best if self.comparison else BASELINE

    @property
    def headline(self) -> str:
        """The verdict in a sentence or two; it begins with the better one."""
        if self.comparison is None or self.design is None:
            return f"Not compared with seasonal naive: {self.reason}."
        return _headline(self.comparison, self.design)


class Evaluation(NamedTuple):
    """A backtest with its scores and its verdict.

    Attributes:
        rows: the forecasts: see :class:`~throughtime.forecasting.results.BacktestResult`.
        windows: how many windows it has.
        scores: ``unique_id`` and the MASE of each model, by series.
        coverage: for each level in per cent the share of observed values that the interval covers.
        verdict: the comparison with the best baseline.
        table: all scores: see :func:`~throughtime.forecasting.metrics.score_table`.
        seconds: the time that each model took.
        effects: of the covariates, the largest first.
    """

    rows: dict[str, np.ndarray]
    windows: int
    scores: pl.DataFrame
    coverage: dict[float, float]
    verdict: Verdict
    table: pl.DataFrame = pl.DataFrame()
    seconds: Mapping[str, float] = {}
    effects: tuple[Effect, ...] = ()


def no_verdict(reason: str) -> Verdict:
    """Return the verdict of a backtest that compares nothing."""
    return Verdict(None, reason=reason)


def make_verdict(
    scores: pl.DataFrame,
    rows: Mapping[str, np.ndarray],
    *,
    windows: int,
    horizon: int,
    season: int,
    step: int | None = None,
    naive: Mapping[str, np.ndarray] = MappingProxyType({}),
) -> Verdict:
    """Compare the network with the best baseline, by mean MASE or, if no series has one, by mean absolute error.

    Args:
        scores: ``unique_id, throughtime, seasonal_naive, ...``: the MASE of each series that has one.
        rows: the forecasts of the backtest.
        windows: how many windows it has.
        horizon: steps of each window.
        season: the period in steps.
        step: steps between the windows' cutoffs; the horizon if None.
        naive: (S,) naive forecasts that are baselines too, but have no scores.
    """
    baselines = [*(name for name in scores.columns if name not in ("unique_id", MODEL)), *naive]
    models = (MODEL, *baselines)
    forecasts = {**rows, **naive}
    errors = scaled_errors(scores, rows, {name: forecasts[name] for name in models if name in forecasts})
    means = _means(scores, errors, models)
    best = min(baselines, key=means.__getitem__)
    by_series = scores if best in scores.columns else {name: errors.by_series(name) for name in (MODEL, best)}
    comparison = Comparison(
        metric="mae" if scores.is_empty() else "mase",
        model=means[MODEL],
        baseline=means[best],
        best=best,
        baselines=len(baselines),
        series=len(scores),
        better=0 if scores.is_empty() else int((by_series[MODEL] < by_series[best]).sum()),
        observed=len(np.unique(rows["unique_id"][~np.isnan(rows["y"])])),
        doubt=errors.standard_error(MODEL, best) if best in errors.absolute else None,
        means=means,
    )
    return Verdict(comparison, WindowDesign(windows, horizon, step, season))


def _means(scores: pl.DataFrame, errors: Errors, models: Sequence[str]) -> dict[str, float]:
    """Return each model's mean MASE or, if no series has one, its mean absolute error."""
    if scores.is_empty():
        return {name: float(errors.absolute[name].mean()) for name in models}
    return {
        name: float((scores[name].to_numpy() if name in scores.columns else errors.by_series(name)).mean())
        for name in models
    }


def _headline(comparison: Comparison, design: WindowDesign) -> str:
    """Return who is better, by how much, on which windows, and why series have no MASE."""
    reason = f"{_name(BASELINE, design.season)} is exact on the history"
    reason += ", or the history is shorter than a season" if design.season > 1 else ""
    model, baseline, series = comparison.model, comparison.baseline, comparison.series
    if comparison.metric == "mae":
        figures = f"mean absolute error {model:.3g} against {baseline:.3g} {_extent(design)}{_doubt(comparison)}"
        return f"{_winner(comparison, design.season)}: {figures}. No MASE: {reason}."
    figures = f"MASE {model:.3f} against {baseline:.3f} {_extent(design)}"
    figures += f", better for {comparison.better} of {series} series" if series > 1 else ""
    figures += _doubt(comparison)
    sentence = f"{_winner(comparison, design.season)}: {figures}."
    unscored = comparison.observed - series
    return sentence + (f" No MASE for {unscored} of {comparison.observed} series: {reason}." if unscored > 0 else "")


def _doubt(comparison: Comparison) -> str:
    """Return the standard error of a difference that is not clear."""
    return "" if comparison.clear else f", a difference within its standard error of {comparison.doubt:.2g}"


def _extent(design: WindowDesign) -> str:
    """Return the windows in words."""
    if design.windows == 1:
        return f"over the last {design.horizon} steps"
    apart = f", {design.step} apart" if design.step not in (None, design.horizon) else ""
    return f"over the last {design.windows} windows of {design.horizon} steps{apart}"


def _winner(comparison: Comparison, season: int) -> str:
    """Return who is better and by how much."""
    model, baseline, count = comparison.model, comparison.baseline, comparison.baselines
    name = _name(comparison.best, season)
    among = f", the best of {count} baselines," if count > 1 else ""
    if not comparison.clear:
        return f"No clear difference between throughtime and {name}{among.removesuffix(',')}"
    if model < baseline:
        return f"throughtime is better than {name}{among} by {1 - model / baseline:.0%}"
    if model == baseline:
        both = f" (the best of {count} baselines)" if among else ""
        return f"throughtime and {name}{both} are {'both exact' if model == 0 else 'equally good'}"
    capital = name[0].upper() + name[1:] + among
    if baseline == 0:
        return f"{capital} is exact, and so better than throughtime"
    return f"{capital} is better than throughtime by {1 - baseline / model:.0%}"


def _name(baseline: str, season: int) -> str:
    """Return a baseline's name in a sentence; without a season, seasonal naive is the naive forecast."""
    if baseline == BASELINE:
        return "seasonal naive" if season > 1 else _name(NAIVE, season)
    if baseline == NAIVE:
        return "the naive forecast (the last value repeated)"
    if baseline.startswith(LONGER):
        return f"the value {baseline.removeprefix(LONGER)} steps before"
    return NAMES.get(baseline, baseline)
