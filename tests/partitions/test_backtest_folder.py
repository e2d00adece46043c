"""Backtests of a folder: the scores of each partition are those of a backtest of it alone."""

from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from tests.partitions.conftest import series

import throughtime as tt
from throughtime.data import as_panel
from throughtime.forecasting import BacktestSettings, no_callback, run_backtest, score_table
from throughtime.partitions import held_back, mean_scores

SETTINGS = BacktestSettings(2, step=2, baselines=("drift",))


def test_scores_are_those_of_each_partition(sales: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hold_back = held_back(SETTINGS, 3)
    assert hold_back == 5
    model = tt.fit_folder(tt.Forecaster(horizon=3, preset="instant"), sales, hold_back=hold_back)
    assert model.panel_.lengths.tolist() == [38 - hold_back]  # of c, the first partition
    with monkeypatch.context() as patch:
        patch.setattr("throughtime.forecasting.backtest.fit_panel", None)  # nothing is fitted again
        result = tt.backtest_folder(sales, model, tmp_path / "out", 80, settings=SETTINGS)
    assert (result.done, result.failures) == (3, ())
    tables = []
    for file, names in {"c": "c", "d": "d", "region=4/part-0": "ab"}.items():
        panel = as_panel(pl.concat([series(name) for name in names]))
        alone = tt.Forecaster(horizon=3, preset="instant")
        tested = run_backtest(alone, panel, SETTINGS, level=80, callback=no_callback)
        expected = score_table(tested, panel, levels=[80]).filter(pl.col("unique_id") != "")
        found = pl.read_parquet(tmp_path / "out" / "scores" / f"{file}.parquet", hive_partitioning=False)
        assert_frame_equal(found, expected, check_exact=True)
        tables.append(found)
    means = mean_scores(result.folder)
    mase = pl.concat(tables).filter(metric="mase")
    assert means.columns == ["metric", "series", "throughtime", "seasonal_naive", "drift"]
    assert means.filter(metric="mase")["series"].item() == 4
    assert means.filter(metric="mase")["drift"].item() == pytest.approx(mase["drift"].mean())


def test_the_settings_are_kept(sales: Path, instant: tt.Forecaster, tmp_path: Path) -> None:
    tt.backtest_folder(sales, instant, tmp_path / "out", settings=SETTINGS)
    assert tt.backtest_folder(sales, instant, tmp_path / "out", settings=SETTINGS).kept == 3
    for other, code in (
        (SETTINGS._replace(windows=1), "other-results"),
        (SETTINGS._replace(refit=True), "refit-of-folder"),
        (SETTINGS._replace(train_size=9), "refit-of-folder"),
    ):
        with pytest.raises(tt.InputError) as caught:
            tt.backtest_folder(sales, instant, tmp_path / "out", settings=other)
        assert caught.value.code == code


def test_series_without_a_score_are_no_failure(sales: Path, instant: tt.Forecaster, tmp_path: Path) -> None:
    """Too short for all windows, long enough for the last, and without values in them: as beside others in a file."""
    known = pl.when(pl.int_range(pl.len()) < 38).then("y")
    others = {
        "one": series("a").head(1),
        "short": series("a").head(5),
        "last": series("a").head(7),
        "unknown": series("b").with_columns(y=known),
        "late": series("b").with_columns(y=pl.when(pl.int_range(pl.len()) > 41).then("y")),
        "missing": series("b").with_columns(y=pl.lit(float("nan"))),
    }
    others = {name: frame.with_columns(unique_id=pl.lit(name)) for name, frame in others.items()}
    for name, frame in others.items():
        frame.write_parquet(sales / f"{name}.parquet")
    result = tt.backtest_folder(sales, instant, tmp_path / "out", 80, settings=SETTINGS)
    assert (result.done, result.failures) == (9, ())
    panel = as_panel(pl.concat([series("b"), *others.values()]))
    model = tt.Forecaster(horizon=3, preset="instant")
    tested = run_backtest(model, panel, SETTINGS, level=80, callback=no_callback, fitted=instant.fitted_)
    table = score_table(tested, panel, levels=[80])
    for name in others:
        found = pl.read_parquet(result.folder / f"{name}.parquet")
        assert_frame_equal(found, table.filter(unique_id=name), rel_tol=1e-4)  # batches are others
        assert len(found) == (len(found["metric"].unique()) if name == "last" else 0)
    assert mean_scores(result.folder).filter(metric="mae")["series"].item() == 5
