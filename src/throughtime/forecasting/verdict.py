"""Which is better, the network or the best of the baselines, and by how much: in one sentence."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import polars as pl

from throughtime.forecasting.baselines import BASELINE
from throughtime.forecasting.results import MODEL

NAMES = {"naive2": "Naive2", "autoets": "AutoETS", "autotheta": "AutoTheta", "autoarima": "AutoARIMA"}


class Verdict(NamedTuple):
    """The comparison over all series of a backtest.

    Attributes:
        model: mean MASE of the network; None without a backtest.
        baseline: mean MASE of the best baseline.
        series: how many series have a score.
        better: how many of them the network forecasts better.
        headline: all of it in a sentence.
        best: which of the baselines that is.
    """

    model: float | None
    baseline: float | None
    series: int
    better: int
    headline: str
    best: str = BASELINE


class Evaluation(NamedTuple):
    """A backtest: its rows, how many windows it has, the MASE of each series, and what follows from it.

    ``coverage`` says for each level in per cent which share of the values the interval covered; ``table`` has all
    scores, and ``seconds`` what each model took.
    """

    rows: dict[str, np.ndarray]
    windows: int
    scores: pl.DataFrame
    coverage: dict[float, float]
    verdict: Verdict
    table: pl.DataFrame = pl.DataFrame()
    seconds: Mapping[str, float] = {}


def no_verdict(reason: str) -> Verdict:
    """Where nothing could be compared."""
    return Verdict(None, None, 0, 0, f"Not compared with seasonal naive: {reason}.")


def make_verdict(
    scores: pl.DataFrame,
    rows: Mapping[str, np.ndarray],
    *,
    windows: int,
    horizon: int,
    season: int,
    step: int | None = None,
) -> Verdict:
    """From the MASE of each series (``unique_id, throughtime, seasonal_naive, ...``), and the backtest that it is of.

    Where no series has one, as seasonal naive is exact on the history, the mean absolute errors decide. ``step`` lies
    between the windows' cutoffs; the horizon where it is None.
    """
    baselines = [name for name in scores.columns if name not in ("unique_id", MODEL)]
    where = f"over the last {windows} windows of {horizon} steps" if windows > 1 else f"over the last {horizon} steps"
    where += f", {step} apart" if windows > 1 and step not in (None, horizon) else ""
    reason = f"{_name(BASELINE, season)} is exact on the history"
    reason += ", or the history is shorter than a season" if season > 1 else ""
    if scores.is_empty():
        errors = {name: float(np.nanmean(np.abs(rows[name] - rows["y"]))) for name in (MODEL, *baselines)}
        best = min(baselines, key=errors.__getitem__)
        figures = f"mean absolute error {errors[MODEL]:.3g} against {errors[best]:.3g} {where}"
        words = f"{_compared(errors[MODEL], errors[best], best, season, len(baselines))}: {figures}. No MASE: {reason}."
        return Verdict(None, None, 0, 0, words, best)
    means = {name: float(scores[name].to_numpy().mean()) for name in (MODEL, *baselines)}
    best = min(baselines, key=means.__getitem__)
    better = int((scores[MODEL] < scores[best]).sum())
    figures = f"MASE {means[MODEL]:.3f} against {means[best]:.3f} {where}"
    figures += f", better for {better} of {len(scores)} series" if len(scores) > 1 else ""
    words = f"{_compared(means[MODEL], means[best], best, season, len(baselines))}: {figures}."
    tested = len(np.unique(rows["unique_id"][~np.isnan(rows["y"])]))
    if tested > len(scores):
        words += f" No MASE for {tested - len(scores)} of {tested} series: {reason}."
    return Verdict(means[MODEL], means[best], len(scores), better, words, best)


def _name(baseline: str, season: int) -> str:
    if baseline == BASELINE:
        return "seasonal naive" if season > 1 else "the naive forecast (the last value repeated)"
    return NAMES.get(baseline, baseline)


def _compared(model: float, baseline: float, best: str, season: int, count: int) -> str:
    """Who is better, from two errors."""
    name = _name(best, season)
    among = f", the best of {count} baselines," if count > 1 else ""
    capital = name[0].upper() + name[1:] + among
    if model < baseline:
        return f"throughtime is better than {name}{among} by {1 - model / baseline:.0%}"
    if model == baseline:
        both = f" ({among[2:-1]})" if among else ""
        return f"throughtime and {name}{both} are {'both exact' if model == 0 else 'equally good'}"
    if baseline == 0:
        return f"{capital} is exact, and so better than throughtime"
    return f"{capital} is better than throughtime by {1 - baseline / model:.0%}"
