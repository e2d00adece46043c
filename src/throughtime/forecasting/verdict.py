"""Which is better, the network or the baseline, and by how much: in one sentence."""

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


def verdict(scores: pl.DataFrame, *, windows: int, horizon: int, season: int) -> Verdict:
    """From the MASE of each series (``unique_id, throughtime, seasonal_naive``)."""
    if scores.is_empty():
        return no_verdict("no series has a scale to measure errors by, they are constant or shorter than a season")
    model, baseline = float(scores[MODEL].to_numpy().mean()), float(scores[BASELINE].to_numpy().mean())
    name = "seasonal naive" if season > 1 else "the naive forecast (the last value repeated)"
    where = f"over the last {windows} windows of {horizon} steps" if windows > 1 else f"over the last {horizon} steps"
    figures = f"MASE {model:.3f} against {baseline:.3f} {where}"
    better = int((scores[MODEL] < scores[BASELINE]).sum())
    share = f", better for {better} of {len(scores)} series" if len(scores) > 1 else ""
    if model < baseline:
        words = f"throughtime is better than {name} by {1 - model / baseline:.0%}: {figures}{share}."
    elif model > baseline:
        words = (
            f"{name[0].upper()}{name[1:]} is better than throughtime by {1 - baseline / model:.0%}: {figures}{share}."
        )
    else:
        words = f"throughtime and {name} are equally good: {figures}{share}."
    return Verdict(model, baseline, len(scores), better, words)
