"""Searches on a folder: judged as a whole, the same when interrupted, and of that folder alone."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest
from tests.partitions.conftest import series

import throughtime as tt
from throughtime.data import Panel, Partition, as_panel
from throughtime.forecasting import Losses, TuningResult, TuningSettings, fit_panel
from throughtime.forecasting.backtest import network_windows
from throughtime.forecasting.cutoffs import rolling_cutoffs
from throughtime.forecasting.numpy_losses import loss_scale
from throughtime.forecasting.results import BacktestSettings
from throughtime.forecasting.stages import no_callback
from throughtime.forecasting.tuning import scaled_losses
from throughtime.partitions import SearchedFolder, tune_folder, tuning
from throughtime.partitions.tuning import Judging

pytest.importorskip("optuna")

FIXED = {"steps": 9, "head": "quantiles", "lookback": 14, "calendar": False, "cell": "gru"}
SETTINGS = TuningSettings(2, windows=2, hold_back=1)


@pytest.fixture
def untrained(monkeypatch: pytest.MonkeyPatch) -> list[Panel]:
    """Lets the pretrained network, which no trial trains, forecast for each trial; returns what it is given to see."""
    seen: list[Panel] = []
    instant = tt.Forecaster(horizon=3, preset="instant").config

    def fit(config: Any, processes: Any, mapped: Any, most: int, callback: Any) -> Any:
        sample = mapped.of_series(np.arange(len(mapped.lengths)))
        seen.append(sample)
        fitted = fit_panel(instant, sample, sample.lengths)
        stretch = tuple(np.full(len(fitted.calibration.stretch), (config.hidden or 32) / 32))
        return sample, fitted._replace(calibration=fitted.calibration._replace(stretch=stretch))

    monkeypatch.setattr(tuning, "fit_samples", fit)
    return seen


def search(folder: Path, out: Path, settings: TuningSettings = SETTINGS, **options: Any) -> TuningResult:
    return tune_folder(SearchedFolder(folder, **options), 3, settings, out=out, **FIXED)


def test_the_loss_is_that_of_all_series_together(sales: Path, untrained: list[Panel], tmp_path: Path) -> None:
    (sales / "e.parquet").write_bytes(b"PAR1")
    found = search(sales, tmp_path / "out")
    panel = as_panel(pl.concat([series(name) for name in "cdab"])).cut(1)
    cutoffs = rolling_cutoffs(panel.lengths, windows=2, step=3, horizon=3)
    model = tt.Forecaster(horizon=3, preset="instant")
    for sample in untrained:
        np.testing.assert_array_equal(sample.values, panel.cut(6).values)
    fitted = fit_panel(model.config, panel, cutoffs[0])
    scale = loss_scale(panel, cutoffs[0], 7)
    windows = network_windows(model, panel, cutoffs, BacktestSettings(2), no_callback, fitted)
    losses = np.concatenate([scaled_losses(panel, window, scale) for window in windows])
    assert found.default_loss == pytest.approx(losses.mean(), rel=1e-6)
    assert found.trials["windows"].to_list() == [1, 1]
    written = {"best.json", "study.db", "study.db.lock", "trials.csv"}  # the models of trials are gone
    assert {path.name for path in (tmp_path / "out").iterdir()} == written


def test_an_interrupted_search_goes_on(sales: Path, untrained: list[Panel], tmp_path: Path) -> None:
    whole = search(sales, tmp_path / "whole")
    search(sales, tmp_path / "parts", SETTINGS._replace(trials=1))
    parts = search(sales, tmp_path / "parts")
    assert parts.trials.drop("seconds").to_dicts() == whole.trials.drop("seconds").to_dicts()
    for settings, column in ((SETTINGS._replace(hold_back=0), "hold_back"), (SETTINGS, "data")):
        if column == "data":
            series("a").with_columns(unique_id=pl.lit("e")).write_parquet(sales / "e.parquet")
        with pytest.raises(tt.InputError) as caught:
            search(sales, tmp_path / "parts", settings)
        assert (caught.value.code, caught.value.column) == ("other-study", column)


def test_the_time_ends_a_trial_between_partitions(
    sales: Path, untrained: list[Panel], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge, judged = Judging.__call__, list[str]()

    def noted(judging: Judging, partition: Partition) -> Losses:
        judged.append(partition.name)
        return judge(judging, partition)

    monkeypatch.setattr(Judging, "__call__", noted)
    monkeypatch.setattr("throughtime.forecasting.search.time", SimpleNamespace(monotonic=lambda: len(judged)))
    first = search(sales, tmp_path / "out", SETTINGS._replace(timeout=4.5))
    assert (len(first.trials), len(judged)) == (1, 3 + 2)  # the defaults are always judged
    assert not list((tmp_path / "out").glob(".writing*"))
    assert len(search(sales, tmp_path / "out").trials) == 2


def test_a_sample_of_short_series_decides_nothing(
    sales: Path, untrained: list[Panel], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("throughtime.partitions.fitting.OF_VALUE", 2**20 // 8)  # eighty values fit
    monkeypatch.setattr("throughtime.partitions.fitting.LEAST_VALUES", 1)
    short = [series("a").head(3).with_columns(unique_id=pl.lit(f"short {k}")) for k in range(600)]
    pl.concat(short).write_parquet(sales / "short.parquet")
    assert len(search(sales, tmp_path / "out", SETTINGS._replace(trials=1), memory=1010).trials) == 1


def test_partitions_without_a_value_to_judge_count_for_nothing(
    sales: Path, untrained: list[Panel], tmp_path: Path
) -> None:
    plain = search(sales, tmp_path / "plain")
    short = series("a").head(2).with_columns(unique_id=pl.lit("short"))
    short.write_parquet(sales / "short.parquet")
    short.with_columns(unique_id=pl.lit("none"), y=pl.lit(None, pl.Float64)).write_parquet(sales / "none.parquet")
    more = search(sales, tmp_path / "more")
    assert more.trials["loss"].to_list() == pytest.approx(plain.trials["loss"].to_list(), rel=1e-6)


def test_a_partition_that_cannot_be_judged_ends_the_search(
    sales: Path, untrained: list[Panel], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tuning, "loss_scale", lambda *_: 1 / 0)
    with pytest.raises(tt.InputError) as caught:
        search(sales, tmp_path / "out")
    assert caught.value.code == "ZeroDivisionError"
    with pytest.raises(tt.InputError) as caught:
        search(sales, tmp_path / "other", SETTINGS._replace(windows=40))
    assert caught.value.code == "series-too-short"


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_engines_find_the_same(sales: Path, tmp_path: Path) -> None:
    pytest.importorskip("ray")
    one, two = (search(sales, tmp_path / engine, engine=engine) for engine in ("process", "ray"))
    assert one.trials.drop("seconds").to_dicts() == two.trials.drop("seconds").to_dicts()
