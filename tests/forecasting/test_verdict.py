"""The verdict in both directions, and the scores it is made of, by hand."""

import numpy as np
import polars as pl
import pytest

from throughtime.data.calendar import Frequency
from throughtime.data.panel import Panel
from throughtime.forecasting.metrics import coverage, mase_by_series
from throughtime.forecasting.verdict import no_verdict, verdict


def scores_of(model, baseline):
    ids = [f"s{i}" for i in range(len(model))]
    return pl.DataFrame({"unique_id": ids, "throughtime": model, "seasonal_naive": baseline})


def rows_of(count, model=0.5, baseline=0.25):
    """One step of each series, where the truth is 1."""
    rows = {"unique_id": np.array([f"s{i}" for i in range(count)]), "y": np.ones(count)}
    return rows | {"throughtime": np.full(count, 1 + model), "seasonal_naive": np.full(count, 1 - baseline)}


def test_the_network_is_better():
    said = verdict(scores_of([0.6, 0.9], [1.2, 0.8]), rows_of(2), windows=3, horizon=12, season=12)
    assert said.words == (
        "throughtime is better than seasonal naive by 25%: MASE 0.750 against 1.000 over the last 3 windows of "
        "12 steps, better for 1 of 2 series."
    )
    assert (said.model, said.baseline, said.series, said.better) == (0.75, 1.0, 2, 1)


def test_the_baseline_is_better():
    said = verdict(scores_of([1.0], [0.5]), rows_of(1), windows=1, horizon=7, season=7)
    assert (
        said.words
        == "Seasonal naive is better than throughtime by 50%: MASE 1.000 against 0.500 over the last 7 steps."
    )
    assert (said.series, said.better) == (1, 0)


def test_a_baseline_without_a_season_is_named_by_what_it_does():
    worse = verdict(scores_of([1.0], [0.5]), rows_of(1), windows=1, horizon=7, season=1)
    assert worse.words.startswith("The naive forecast (the last value repeated) is better than throughtime by 50%")
    better = verdict(scores_of([0.5], [1.0]), rows_of(1), windows=1, horizon=7, season=1)
    assert better.words.startswith("throughtime is better than the naive forecast (the last value repeated) by 50%")


def test_neither_is_better():
    said = verdict(scores_of([0.7], [0.7]), rows_of(1), windows=1, horizon=7, season=7)
    assert said.words.startswith("throughtime and seasonal naive are equally good")


def test_nothing_to_compare():
    assert no_verdict("too short").words == "Not compared with seasonal naive: too short."


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
    said = verdict(scores_of([], []), rows_of(3, model, baseline), windows=1, horizon=7, season=7)
    assert (said.model, said.baseline, said.series) == (None, None, 0)
    reason = "seasonal naive is exact on the history, or the history is shorter than a season"
    assert said.words == f"{words} over the last 7 steps. No MASE: {reason}."


def test_series_without_a_score_are_counted():
    """But not one whose truth is not known."""
    rows = rows_of(5)
    rows["y"][4] = np.nan
    said = verdict(scores_of([0.5, 0.5], [1.0, 1.0]), rows, windows=1, horizon=7, season=1)
    reason = "the naive forecast (the last value repeated) is exact on the history"
    assert said.words.endswith(f"better for 2 of 2 series. No MASE for 2 of 4 series: {reason}.")


def test_mase_by_hand():
    """Scale of a: errors two steps apart before the first cutoff, |4-1| and |9-2|, so 5; b has none, c is constant."""
    values = {"a": [1.0, 2.0, 4.0, 9.0, 6.0, 10.0, 7.0, np.nan], "b": [1.0, 3.0, 5.0], "c": [2.0] * 6}
    lengths = [len(series) for series in values.values()]
    panel = Panel(
        np.array(list(values)),
        np.concatenate(list(values.values())),
        np.append(0, np.cumsum(lengths)),
        np.array([0, 0, 0]),
        Frequency("integer", stamp="int64"),
    )
    rows = {
        "unique_id": np.array(["a", "a", "a", "a", "b", "c"]),
        "ds": np.array([4, 5, 6, 7, 2, 5]),
        "cutoff": np.array([3, 3, 5, 5, 1, 4]),
        "y": np.array([6.0, 10.0, 7.0, np.nan, 5.0, 2.0]),
        "throughtime": np.array([5.0, 12.0, 10.0, 99.0, 5.0, 2.0]),
        "seasonal_naive": np.array([4.0, 9.0, 6.0, 10.0, 3.0, 2.0]),
    }
    scores = mase_by_series(rows, panel, season=2, models=["throughtime", "seasonal_naive"])
    assert scores["unique_id"].to_list() == ["a"]
    assert scores["throughtime"][0] == pytest.approx((1 + 2 + 3) / 3 / 5)
    assert scores["seasonal_naive"][0] == pytest.approx((2 + 1 + 1) / 3 / 5)


def test_a_gap_in_the_history_shifts_no_season():
    """Period 3 repeats exactly but for the end: with the missing row dropped, later seasons would be compared askew."""
    values = np.array([1.0, 5.0, 9.0, 1.0, np.nan, 9.0, 1.0, 5.0, 10.0, 3.0])
    panel = Panel(np.array(["a"]), values, np.array([0, 10]), np.array([0]), Frequency("integer", stamp="int64"))
    rows = {"unique_id": np.array(["a"]), "ds": np.array([9]), "cutoff": np.array([8]), "y": np.array([3.0])}
    rows |= {"throughtime": np.array([2.0]), "seasonal_naive": np.array([1.0])}
    scores = mase_by_series(rows, panel, season=3, models=["throughtime", "seasonal_naive"])
    scale = np.mean([0.0, 0.0, 0.0, 1.0])  # 1-1, 9-9, 1-1, 10-9; two differences are not known
    assert scores["throughtime"][0] == pytest.approx(1 / scale)
    assert scores["seasonal_naive"][0] == pytest.approx(2 / scale)


def test_coverage_by_hand():
    """Of four known values, bounds included, three lie inside."""
    rows = {
        "y": np.array([1.0, 2.0, 3.0, np.nan, 9.0]),
        "throughtime-lo-80": np.array([1.0, 0.0, 0.0, 0.0, 0.0]),
        "throughtime-hi-80": np.array([5.0, 2.0, 4.0, 1.0, 8.5]),
    }
    assert coverage(rows, 80) == 0.75
