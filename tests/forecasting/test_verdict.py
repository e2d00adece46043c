"""The verdict in both directions, and the scores it is made of, by hand."""

import numpy as np
import polars as pl
import pytest

from throughtime.forecasting.metrics import coverage
from throughtime.forecasting.verdict import make_verdict, no_verdict


def scores_of(model, baseline):
    ids = [f"s{i}" for i in range(len(model))]
    return pl.DataFrame({"unique_id": ids, "throughtime": model, "seasonal_naive": baseline})


def rows_of(count, model=0.5, baseline=0.25):
    """One step of each series, where the truth is 1."""
    rows = {"unique_id": np.array([f"s{i}" for i in range(count)]), "y": np.ones(count)}
    return rows | {"throughtime": np.full(count, 1 + model), "seasonal_naive": np.full(count, 1 - baseline)}


def test_the_network_is_better():
    verdict = make_verdict(scores_of([0.6, 0.9], [1.2, 0.8]), rows_of(2), windows=3, horizon=12, season=12)
    assert verdict.headline == (
        "throughtime is better than seasonal naive by 25%: MASE 0.750 against 1.000 over the last 3 windows of "
        "12 steps, better for 1 of 2 series."
    )
    assert (verdict.model, verdict.baseline, verdict.best) == (0.75, 1.0, "seasonal_naive")
    assert verdict.comparison == ("mase", 0.75, 1.0, "seasonal_naive", 1, 2, 1, 2)


def test_the_baseline_is_better():
    verdict = make_verdict(scores_of([1.0], [0.5]), rows_of(1), windows=1, horizon=7, season=7)
    assert (
        verdict.headline
        == "Seasonal naive is better than throughtime by 50%: MASE 1.000 against 0.500 over the last 7 steps."
    )
    assert (verdict.comparison.series, verdict.comparison.better) == (1, 0)


def test_a_baseline_without_a_season_is_named_by_what_it_does():
    worse = make_verdict(scores_of([1.0], [0.5]), rows_of(1), windows=1, horizon=7, season=1)
    assert worse.headline.startswith("The naive forecast (the last value repeated) is better than throughtime by 50%")
    better = make_verdict(scores_of([0.5], [1.0]), rows_of(1), windows=1, horizon=7, season=1)
    assert better.headline.startswith("throughtime is better than the naive forecast (the last value repeated) by 50%")


def test_neither_is_better():
    verdict = make_verdict(scores_of([0.7], [0.7]), rows_of(1), windows=1, horizon=7, season=7)
    assert verdict.headline.startswith("throughtime and seasonal naive are equally good")


def test_nothing_to_compare():
    verdict = no_verdict("too short")
    assert (verdict.comparison, verdict.model, verdict.baseline) == (None, None, None)
    assert verdict.headline == "Not compared with seasonal naive: too short."


@pytest.mark.parametrize(
    ("model", "baseline", "words"),
    [
        (0.0, 0.0, "throughtime and seasonal naive are both exact: mean absolute error 0 against 0"),
        (0.5, 0.0, "Seasonal naive is exact, and so better than throughtime: mean absolute error 0.5 against 0"),
        (0.25, 0.5, "throughtime is better than seasonal naive by 50%: mean absolute error 0.25 against 0.5"),
        (0.5, 0.25, "Seasonal naive is better than throughtime by 50%: mean absolute error 0.5 against 0.25"),
        (0.5, 0.5, "throughtime and seasonal naive are equally good: mean absolute error 0.5 against 0.5"),
    ],
)
def test_without_a_scale_the_errors_themselves_decide(model, baseline, words):
    verdict = make_verdict(scores_of([], []), rows_of(3, model, baseline), windows=1, horizon=7, season=7)
    assert (verdict.model, verdict.baseline) == (None, None)
    assert verdict.comparison == ("mae", model, baseline, "seasonal_naive", 1, 0, 0, 3)
    reason = "seasonal naive is exact on the history, or the history is shorter than a season"
    assert verdict.headline == f"{words} over the last 7 steps. No MASE: {reason}."


def test_series_without_a_score_are_counted():
    """A series without an observed value in the windows is not counted."""
    rows = rows_of(5)
    rows["y"][4] = np.nan
    verdict = make_verdict(scores_of([0.5, 0.5], [1.0, 1.0]), rows, windows=1, horizon=7, season=1)
    assert (verdict.comparison.series, verdict.comparison.observed) == (2, 4)
    reason = "the naive forecast (the last value repeated) is exact on the history"
    assert verdict.headline.endswith(f"better for 2 of 2 series. No MASE for 2 of 4 series: {reason}.")


def test_coverage_by_hand():
    """Of four known values, bounds included, three lie inside."""
    rows = {
        "y": np.array([1.0, 2.0, 3.0, np.nan, 9.0]),
        "throughtime-lo-80": np.array([1.0, 0.0, 0.0, 0.0, 0.0]),
        "throughtime-hi-80": np.array([5.0, 2.0, 4.0, 1.0, 8.5]),
    }
    assert coverage(rows, 80) == 0.75


def several(model, **baselines):
    ids = [f"s{i}" for i in range(len(model))]
    return pl.DataFrame({"unique_id": ids, "throughtime": model, **baselines})


def test_the_best_baseline_is_the_one_to_beat():
    scores = several([0.6, 1.0], seasonal_naive=[1.0, 2.0], autoets=[0.7, 0.5], drift=[3.0, 3.0])
    verdict = make_verdict(scores, rows_of(2), windows=2, horizon=6, season=6, step=3)
    assert verdict.headline == (
        "AutoETS, the best of 3 baselines, is better than throughtime by 25%: MASE 0.800 against 0.600 over the last "
        "2 windows of 6 steps, 3 apart, better for 1 of 2 series."
    )
    assert (verdict.best, verdict.baseline, verdict.comparison.baselines) == ("autoets", 0.6, 3)


def test_better_than_the_best_of_several():
    verdict = make_verdict(
        several([0.5], seasonal_naive=[1.0], drift=[2.0]), rows_of(1), windows=1, horizon=6, season=6
    )
    assert verdict.headline.startswith("throughtime is better than seasonal naive, the best of 2 baselines, by 50%")
    equal = make_verdict(several([1.0], seasonal_naive=[1.0], drift=[2.0]), rows_of(1), windows=1, horizon=6, season=6)
    assert equal.headline.startswith("throughtime and seasonal naive (the best of 2 baselines) are equally good")


def test_without_a_scale_the_best_is_that_of_the_errors():
    rows = rows_of(1) | {"drift": np.array([1.125])}
    verdict = make_verdict(several([], seasonal_naive=[], drift=[]), rows, windows=1, horizon=7, season=7)
    assert verdict.headline.startswith(
        "Drift, the best of 2 baselines, is better than throughtime by 75%: mean absolute error"
    )
    assert verdict.best == "drift"
