"""Which is better, the network or the baseline, and by how much: in one sentence."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import polars as pl

from throughtime.forecasting.backtest import BASELINE

MODEL = "throughtime"


class Verdict(NamedTuple):
    """The comparison over all series of a backtest.

    Attributes:
        model: mean MASE of the network; None without a backtest.
        baseline: mean MASE of the seasonal naive forecast.
        series: how many series have a score.
        better: how many of them the network forecasts better.
        words: all of it in a sentence.
    """

    model: float | None
    baseline: float | None
    series: int
    better: int
    words: str


class Tested(NamedTuple):
    """A backtest: its rows, how many windows it has, the MASE of each series, and what follows from it.

    ``coverage`` says for each level in per cent which share of the values the interval covered.
    """

    rows: dict[str, np.ndarray]
    windows: int
    scores: pl.DataFrame
    coverage: dict[float, float]
    verdict: Verdict


def no_verdict(reason: str) -> Verdict:
    """Where nothing could be compared."""
    return Verdict(None, None, 0, 0, f"Not compared with seasonal naive: {reason}.")


def verdict(
    scores: pl.DataFrame, rows: Mapping[str, np.ndarray], *, windows: int, horizon: int, season: int
) -> Verdict:
    """From the MASE of each series (``unique_id, throughtime, seasonal_naive``), and the backtest that it is of.

    Where no series has one, as seasonal naive is exact on the history, the mean absolute errors decide.
    """
    name = "seasonal naive" if season > 1 else "the naive forecast (the last value repeated)"
    where = f"over the last {windows} windows of {horizon} steps" if windows > 1 else f"over the last {horizon} steps"
    reason = f"{name} is exact on the history" + (", or the history is shorter than a season" if season > 1 else "")
    if scores.is_empty():
        model, baseline = (float(np.nanmean(np.abs(rows[column] - rows["y"]))) for column in (MODEL, BASELINE))
        figures = f"mean absolute error {model:.3g} against {baseline:.3g} {where}"
        words = f"{_compared(model, baseline, name)}: {figures}. No MASE: {reason}."
        return Verdict(None, None, 0, 0, words)
    model, baseline = float(scores[MODEL].to_numpy().mean()), float(scores[BASELINE].to_numpy().mean())
    better = int((scores[MODEL] < scores[BASELINE]).sum())
    figures = f"MASE {model:.3f} against {baseline:.3f} {where}"
    figures += f", better for {better} of {len(scores)} series" if len(scores) > 1 else ""
    words = f"{_compared(model, baseline, name)}: {figures}."
    tested = len(np.unique(rows["unique_id"][~np.isnan(rows["y"])]))
    if tested > len(scores):
        words += f" No MASE for {tested - len(scores)} of {tested} series: {reason}."
    return Verdict(model, baseline, len(scores), better, words)


def _compared(model: float, baseline: float, name: str) -> str:
    """Who is better, from two errors."""
    capital = name[0].upper() + name[1:]
    if model < baseline:
        return f"throughtime is better than {name} by {1 - model / baseline:.0%}"
    if model == baseline:
        return f"throughtime and {name} are {'both exact' if model == 0 else 'equally good'}"
    if baseline == 0:
        return f"{capital} is exact, and so better than throughtime"
    return f"{capital} is better than throughtime by {1 - baseline / model:.0%}"
