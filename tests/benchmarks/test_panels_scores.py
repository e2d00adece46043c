"""The panels' sets and scores on small numbers worked out by hand."""

import importlib
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared" / "data"


@pytest.fixture(scope="module", autouse=True)
def on_path():
    sys.path.insert(0, str(ROOT / "benchmarks"))
    yield
    sys.path.remove(str(ROOT / "benchmarks"))


@pytest.fixture(scope="module")
def sets(on_path):
    return importlib.import_module("panels.sets")


@pytest.fixture(scope="module")
def scoring(on_path):
    return importlib.import_module("panels.scores")


def long(first=0, value="y", **series):
    """``unique_id, ds`` and the values of each series, from step ``first`` on."""
    return pl.concat(
        pl.DataFrame({"unique_id": name, "ds": range(first, first + len(values)), value: values})
        for name, values in series.items()
    ).cast({value: pl.Float64})


@pytest.fixture
def small(sets):
    """Histories of 5 and 4 steps and truths of 2 and 1; a gap in the one history."""
    history = long(a=[1, 2, 4, None, 8], b=[10, 20, 10, 40])
    truth = sets.with_cutoff(pl.concat([long(5, a=[10, 30]), long(4, b=[50])]))
    return sets.Set("cif", history, truth, 2, 2, 2, "panel")


def forecasts(given, point, **others):
    return given.truth.drop("y").with_columns(pl.Series("point", point), **others)


def test_panel_scores_are_means_of_series(scoring, small):
    """Of series, not of values: a has two of the three."""
    found = scoring.scores(small, forecasts(small, [14.0, 10.0, 30.0]))
    a, b = 200 * np.mean([4 / 24, 20 / 40]), 200 * 20 / 80
    assert found["sMAPE"] == pytest.approx((a + b) / 2)
    # m = 2: |4 - 1|, |8 - 4| and a pair with the gap, which does not count; |10 - 10|, |40 - 20|.
    scales = (3 + 4) / 2, (0 + 20) / 2
    assert found["MASE"] == pytest.approx((np.mean([4, 20]) / scales[0] + 20 / scales[1]) / 2)
    assert set(found) == {"sMAPE", "MASE"}


def test_two_zeros_agree_and_opposite_signs_are_200_apart(scoring, sets, small):
    given = small._replace(truth=sets.with_cutoff(pl.concat([long(5, a=[0, 3]), long(4, b=[0])])))
    assert scoring.scores(given, forecasts(given, [0.0, -1.0, 0.0]))["sMAPE"] == pytest.approx((200 / 2 + 0) / 2)


def test_a_series_without_a_scale_has_no_mase(scoring, small):
    history = pl.concat([small.history.filter(pl.col("unique_id") == "a"), long(b=[7, 7, 7, 7])])
    found = scoring.scores(small._replace(history=history), forecasts(small, [14.0, 10.0, 30.0]))
    assert found["MASE"] == pytest.approx(12 / 3.5)


def test_owa_divides_means_by_naive2s_means(scoring, small):
    history = long(a=[1, 2, 4, 5, 8], b=[10, 20, 10, 40])
    given = small._replace(kind="m4", history=history, scale_season=1)
    found = scoring.scores(given, forecasts(given, [14.0, 10.0, 30.0]))
    # Naive2 without a season is the last value: 8 and 40.
    smape = [np.mean([200 * 2 / 18, 200 * 22 / 38]), 200 * 10 / 90]
    mase = [np.mean([2, 22]) / (7 / 4), 10 / (50 / 3)]
    assert scoring.naive2_scores(given) == pytest.approx({"sMAPE": np.mean(smape), "MASE": np.mean(mase)})
    assert found["OWA"] == pytest.approx((found["sMAPE"] / np.mean(smape) + found["MASE"] / np.mean(mase)) / 2)


def test_coverage_is_a_mean_of_series_and_counts_the_bounds(scoring, small):
    bounds = {
        "point-lo-80": pl.Series([10.0, 0.0, 51.0]),
        "point-hi-80": pl.Series([11.0, 29.0, 60.0]),
        "point-lo-95": pl.Series([9.0, 0.0, 50.0]),
        "point-hi-95": pl.Series([11.0, 31.0, 60.0]),
    }
    found = scoring.scores(small, forecasts(small, [10.0, 10.0, 55.0], **bounds))
    assert (found["coverage-80"], found["coverage-95"]) == (0.25, 1.0)


@pytest.mark.parametrize("point", [[14.0, None, 30.0], [14.0, np.nan, 30.0], [14.0, np.inf, 30.0]])
def test_forecasts_that_are_no_numbers_are_refused(scoring, small, point):
    with pytest.raises(ValueError, match=r"1 of 3 forecasts .* first \('a', 4, 6"):
        scoring.scores(small, forecasts(small, pl.Series(point, dtype=pl.Float64, strict=False)))


def test_forecasts_from_another_cutoff_or_missing_are_refused(scoring, small):
    given = forecasts(small, [14.0, 10.0, 30.0])
    with pytest.raises(ValueError, match="1 of 3"):
        scoring.scores(small, given[1:])
    with pytest.raises(ValueError, match="3 of 3"):
        scoring.scores(small, given.with_columns(pl.col("cutoff") + 1))


def test_windows_count_alike_and_the_mean_is_for_squares(scoring, sets):
    series = long(a=range(7), b=[0, 0, 0, 0, 5, 0, 1])
    truth = sets.windows(series, first=4, horizon=2)
    # Windows begin at steps 4 and 5: a 4 5, 5 6; b 5 0, 0 1.
    assert truth["cutoff"].to_list() == [3, 3, 4, 4] * 2
    assert truth["ds"].to_list() == [4, 5, 5, 6] * 2
    assert truth["y"].to_list() == [4, 5, 5, 6, 5, 0, 0, 1]
    given = sets.Set("etth1", series, truth, 2, 1, 1, "windows", 2, 2)
    found = scoring.scores(given, forecasts(given, [4.0] * 8, mean=pl.lit(3.0)))
    assert found["MSE"] == pytest.approx((1 + 4 + 4 + 9 + 4 + 9 + 9 + 4) / 8)
    assert found["MAE"] == pytest.approx((0 + 1 + 1 + 2 + 1 + 4 + 4 + 3) / 8)
    assert scoring.scores(given, forecasts(given, [4.0] * 8))["MSE"] == pytest.approx(
        (0 + 1 + 1 + 4 + 1 + 16 + 16 + 9) / 8
    )


def test_the_last_horizon_is_cut_off_each_series(sets):
    history, truth = sets.last_horizon(long(a=[1, 2, 3, 4, 5], b=[6, 7, 8]), 2)
    assert history["y"].to_list() == [1, 2, 3, 6]
    assert truth.rows() == [("a", 2, 3, 4.0), ("a", 2, 4, 5.0), ("b", 0, 1, 7.0), ("b", 0, 2, 8.0)]


def test_missing_truths_do_not_count_and_missing_history_stays(sets):
    frame = long(a=[1, None, 3, None, 5, 6]).with_columns(split=pl.Series(["train"] * 3 + ["test"] * 3))
    history, truth = sets.parted(frame)
    assert history["y"].to_list() == [1, None, 3]
    assert truth.rows() == [("a", 2, 4, 5.0), ("a", 2, 5, 6.0)]


def test_ett_is_standardized_by_what_is_learned_from(sets, tmp_path, monkeypatch):
    for name, value in (("TRAIN", 4), ("VALIDATION", 3), ("TEST", 5), ("HORIZON", 2)):
        monkeypatch.setattr(sets, f"ETT_{name}", value)
    columns = {"date": ["x"] * 14, "U": [1.0, 3, 1, 3, *range(10)], "L": [0.0, 0, 0, 4, *range(10, 20)]}
    pl.DataFrame(columns).write_csv(tmp_path / "ETTh1.csv")
    given = sets.etth1(tmp_path)
    assert given.history.filter(unique_id="U")["y"].to_list() == [-1, 1, -1, 1, *(k - 2 for k in range(8))]
    assert given.history.filter(unique_id="L")["y"][:4].to_list() == pytest.approx(np.array([-1, -1, -1, 3]) / 3**0.5)
    assert given.truth.filter(unique_id="U")["cutoff"].unique().to_list() == [6, 7, 8, 9]
    assert given.truth.filter(unique_id="U", cutoff=6)["y"].to_list() == [1.0, 2.0]


def test_folds_are_halves_and_stay(sets):
    ids = pl.Series([str(number) for number in range(9)])
    fold = sets.fold_of(ids, 2)
    assert np.bincount(fold).tolist() == [5, 4]
    np.testing.assert_array_equal(fold, sets.fold_of(ids, 2))
    assert 0 < np.abs(np.diff(fold)).sum() < 8  # not every other one, nor the first and the last ones
    assert not sets.fold_of(ids, 1).any()


@pytest.mark.skipif(not DATA.is_dir(), reason="the panels are not part of the project: no ../shared/data")
def test_the_sets_have_the_sizes_that_are_published(sets):
    sizes = {"m4_hourly": 414 * 48, "m4_weekly": 359 * 13, "cif": 57 * 12 + 15 * 6, "nn5": 111 * 56 - 4}
    sizes |= {"hospital": 767 * 12, "etth1": 2785 * 96 * 7}
    for name, size in sizes.items():
        given = sets.load(name, DATA)
        assert len(given.truth) == size
        ends = given.history.group_by("unique_id").agg(pl.col("ds").max().alias("end"))
        if given.kind != "windows":
            assert given.truth.join(ends, on="unique_id").select((pl.col("cutoff") == pl.col("end")).all()).item()
