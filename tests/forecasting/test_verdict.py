"""The verdict in both directions, and the scores it is made of, by hand."""

import numpy as np
import polars as pl
import pytest

from throughtime.forecasting.metrics import coverage
from throughtime.forecasting.rivals import naive_points
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
    means = {"throughtime": 0.75, "seasonal_naive": 1.0}
    assert verdict.comparison == ("mase", 0.75, 1.0, "seasonal_naive", 1, 2, 1, 2, None, means)


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
    means = {"throughtime": model, "seasonal_naive": baseline}
    assert verdict.comparison == ("mae", model, baseline, "seasonal_naive", 1, 0, 0, 3, None, means)
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


# Doubt, and the naive forecasts of other seasons


def windows_of(errors, scale=1.0):
    """The rows of one series a window, one step each, from the errors of each model in each window."""
    count = len(errors["throughtime"])
    rows = {"unique_id": np.full(count, "s0"), "y": np.full(count, 5.0), "cutoff": np.arange(count)}
    rows |= {name: 5.0 + scale * np.array(values) for name, values in errors.items()}
    scores = {name: [float(np.mean(np.abs(values)))] for name, values in errors.items()}
    return pl.DataFrame({"unique_id": ["s0"], **scores}), rows


@pytest.mark.parametrize("scale", [1.0, 40.0])
@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(
    ("differences", "clear"),
    [([0.1, 0.1, 0.1], True), ([0.5, -0.3, 0.1], False), ([0.3, 0.1], True), ([0.4, -0.3], False), ([0.2], True)],
)
def test_a_difference_within_its_standard_error_is_not_clear(differences, clear, sign, scale):
    """Whoever is better, whatever the scale; the standard error is that of the mean over the windows, by hand."""
    network = 1.0 + sign * np.array(differences)
    scores, rows = windows_of({"throughtime": network, "seasonal_naive": np.ones(len(network))}, scale)
    count = len(differences)
    comparison = make_verdict(scores, rows, windows=count, horizon=1, season=4).comparison
    doubt = np.std(differences, ddof=1) / np.sqrt(count) if count > 1 else None
    assert comparison.doubt == (None if doubt is None else pytest.approx(doubt))
    assert comparison.clear is clear
    headline = make_verdict(scores, rows, windows=count, horizon=1, season=4).headline
    assert headline.startswith("No clear difference between throughtime and seasonal naive: MASE") is not clear
    assert ("within its standard error" in headline) is not clear


def test_windows_of_series_that_end_at_different_times_are_counted_from_the_end():
    """Two windows, of series of different scales; in each window the mean over the series."""
    rows = {
        "unique_id": np.array(["a", "b", "a", "b"]),
        "cutoff": np.array([5, 90, 8, 93]),
        "y": np.zeros(4),
        "throughtime": np.array([1.0, 40.0, 2.0, 20.0]),
        "seasonal_naive": np.array([2.0, 20.0, 3.0, 10.0]),
    }
    scores = pl.DataFrame({"unique_id": ["b", "a"], "throughtime": [3.0, 1.5], "seasonal_naive": [1.5, 2.5]})
    comparison = make_verdict(scores, rows, windows=2, horizon=1, season=4).comparison
    first, last = ((1 - 2) + (4 - 2)) / 2, ((2 - 3) + (2 - 1)) / 2
    assert comparison.doubt == pytest.approx(abs(first - last) / 2)


def test_the_naive_forecast_of_another_season_may_be_the_best():
    scores, rows = windows_of({"throughtime": [0.5, 0.6], "seasonal_naive": [1.0, 1.0]})
    naive = {"naive": 5.0 + np.array([2.0, 2.0]), "seasonal_naive_168": 5.0 + np.array([0.2, 0.3])}
    verdict = make_verdict(scores, rows, windows=2, horizon=1, season=24, naive=naive)
    assert (verdict.best, verdict.comparison.baselines, verdict.comparison.better) == ("seasonal_naive_168", 3, 0)
    assert verdict.baseline == pytest.approx(0.25)
    assert verdict.headline.startswith("The value 168 steps before, the best of 3 baselines, is better")


def test_without_a_scale_naive_forecasts_part_too():
    rows = rows_of(3, 0.5, 0.25)
    verdict = make_verdict(scores_of([], []), rows, windows=1, horizon=7, season=7, naive={"naive": np.full(3, 1.125)})
    assert (verdict.best, verdict.comparison.baseline) == ("naive", 0.125)


@pytest.mark.parametrize(
    ("seasons", "names"), [((24, 168), ["naive", "seasonal_naive_168"]), ((7,), ["naive"]), ((1,), [])]
)
def test_naive_forecasts_of_the_seasons_that_the_network_uses(seasons, names):
    """By hand, of histories of different lengths, one with a gap and one shorter than the longer season."""
    histories = [np.arange(200.0), np.arange(60.0)]
    histories[0][-2] = np.nan
    points = naive_points(iter(histories), seasons, 3)
    assert list(points) == names
    expected = {"naive": [199, 199, 199, 59, 59, 59], "seasonal_naive_168": [32, 33, 34, 59, 59, 59]}
    for name in names:
        np.testing.assert_array_equal(points[name], expected[name])
