"""From a file to a folder: what is written, what is told, and that it is all or nothing."""

import json
from html import unescape

import numpy as np
import polars as pl
import pytest
from tests.cli.command import run as command
from tests.forecasting.conftest import LENGTHS, SMALL, monthly_frame

import throughtime as tt
from throughtime._errors import InputError
from throughtime.cli.interrupts import Interrupts
from throughtime.cli.options import RunOptions
from throughtime.cli.progress_bar import ForecastBar
from throughtime.cli.runtime import Runtime
from throughtime.cli.series_file import SeriesFile, read_series
from throughtime.cli.workflows import MOST_WINDOWS, affordable_windows, backtest_file, forecast_file
from throughtime.data import ColumnNames, Panel
from throughtime.forecasting import BacktestSettings, ForecasterConfig

LEVELS = [80, 95]
SHORT = "ds,y\n2024-01-01,5\n2024-01-02,7\n2024-01-03,6\n"  # as long as the horizon: no network, nothing to compile


def runtime_of(out, said=None):
    """A quiet command that writes to ``out``, and appends to ``said`` what it would print."""
    runtime = Runtime(RunOptions(quiet=True), out, Interrupts())
    if said is not None:
        runtime.say = said.append
    return runtime


def run(file, out, *, levels=LEVELS, horizon=SMALL["horizon"], said=None, **columns):
    model, runtime = tt.Forecaster(**SMALL | {"horizon": horizon}), runtime_of(out, said)
    source = SeriesFile(file, ColumnNames(**columns))
    panel = read_series(source)
    bar = ForecastBar(runtime.console, runtime.interrupts, panel.notes)
    with bar:
        return forecast_file(source, panel, model, levels, runtime, bar).summary()


def contents(folder):
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A run on the small panel under other names of columns, its folder, summary and what it said."""
    folder, said = tmp_path_factory.mktemp("pipeline"), []
    file, out = folder / "sales.csv", folder / "out"
    monthly_frame().rename({"unique_id": "shop", "ds": "month", "y": "sold"}).write_csv(file)
    out.mkdir()
    return out, run(file, out, said=said, id="shop", time="month", target="sold"), said


def test_the_files(finished):
    out = finished[0]
    assert {path.name for path in out.iterdir()} == {"forecasts.csv", "report.html", "model"}
    table = pl.read_csv(out / "forecasts.csv", try_parse_dates=True)
    assert table.columns == ["unique_id", "ds", "throughtime"] + [
        f"throughtime-{side}-{level}" for level in LEVELS for side in ("lo", "hi")
    ]
    expected = tt.load(out / "model").predict(level=LEVELS)
    assert table.select("unique_id", "ds").equals(expected.select("unique_id", "ds"))
    np.testing.assert_array_equal(table[:, 2:].to_numpy(), expected[:, 2:].to_numpy())


def test_the_summary(finished):
    out, summary, _ = finished
    assert summary["series"] == len(LENGTHS)
    assert (summary["horizon"], summary["frequency"], summary["season"]) == (3, "monthly", 12)
    assert summary["backtest_windows"] == MOST_WINDOWS
    assert summary["file"] == str(out.parent / "sales.csv")
    assert summary["seconds"] > 0
    assert f"MASE {summary['mase']:.3f} against {summary['best_baseline_mase']:.3f}" in summary["verdict"]
    assert set(summary) == {
        *("file", "series", "horizon", "frequency", "season", "verdict", "mase", "seasonal_naive_mase"),
        *("best_baseline", "best_baseline_mase", "coverage", "backtest_windows", "notes", "interrupted", "seconds"),
    }


def test_the_verdict_and_all_notes_are_told_once(finished):
    out, summary, said = finished
    first, *notes = said[: 1 + len(summary["notes"])]
    assert (first, notes) == (summary["verdict"], summary["notes"])
    assert not set(said[1 + len(notes) :]) & {first, *notes}
    page = unescape((out / "report.html").read_text())
    assert f"<h1>{summary['verdict']}</h1>" in page
    assert all(f"<li>{note}</li>" in page for note in summary["notes"])


def test_the_verdict_is_that_of_a_backtest(finished):
    _, summary, _ = finished
    rows = tt.Forecaster(**SMALL).backtest(monthly_frame(), windows=MOST_WINDOWS)
    scales = {}
    for name in ("a", "b"):
        y = monthly_frame().filter(unique_id=name)["y"].to_numpy()[: LENGTHS[name] - MOST_WINDOWS * 3]
        scales[name] = np.abs(y[12:] - y[:-12]).mean()
    for column, field in (("throughtime", "mase"), ("seasonal_naive", "seasonal_naive_mase")):
        errors = [(rows[column] - rows["y"]).abs().filter(rows["unique_id"] == name).mean() for name in scales]
        assert summary[field] == pytest.approx(np.mean(np.array(errors) / list(scales.values())))


def test_training_goes_on_from_a_start(finished, tmp_path):
    """Its columns and arguments are those of the start; only the horizon is typed again."""
    start, file = finished[0] / "model", finished[0].parent / "sales.csv"
    options = ("forecast", str(file), "--out", str(tmp_path / "out"), "--start", str(start), "--json")
    result = command(*options, "--horizon", str(SMALL["horizon"]))
    assert result.exit_code == 0, result.output
    former, model = tt.load(start), tt.load(tmp_path / "out" / "model")
    assert model.get_params() == former.get_params()
    assert (model.fitted_.columns, model.fitted_.calibration.origin) == (former.fitted_.columns, "unjudged")
    assert not np.array_equal(model.networks_[0].embed.weight, former.networks_[0].embed.weight)


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (("--horizon", "4"), "other-start"),
        (("--horizon", "3", "--target", "nothing"), "no-such-column"),
        (("--horizon", "3", "--start", "nothing"), "no-checkpoint"),
        (("--horizon", "3", "--past", "price"), "other-covariates"),
    ],
)
def test_a_start_that_cannot_be_gone_on_from(finished, tmp_path, options, code):
    file, start = tmp_path / "sales.csv", finished[0] / "model"
    monthly_frame().rename({"unique_id": "shop", "ds": "month", "y": "sold"}).with_columns(price=1).write_csv(file)
    known = () if "--start" in options else ("--start", str(start))
    result = command("forecast", str(file), "--out", str(tmp_path / "out"), "--json", *known, *options)
    assert (result.exit_code, json.loads(result.stdout)["code"]) == (2, code)
    assert [path.name for path in tmp_path.iterdir()] == ["sales.csv"]


def test_without_a_backtest_the_summary_says_so(tmp_path):
    (tmp_path / "short.csv").write_text(SHORT)
    summary = run(tmp_path / "short.csv", tmp_path)
    assert (summary["mase"], summary["seasonal_naive_mase"], summary["backtest_windows"]) == (None, None, 0)
    assert summary["verdict"] == (
        "Not compared with seasonal naive: without their last 3 steps the series are too short to learn from."
    )


def test_a_backtest_that_nothing_can_be_held_against(tmp_path):
    """All values of its windows are missing."""
    place = pl.int_range(pl.len()).over("unique_id")
    monthly_frame().with_columns(y=pl.when(place < pl.len().over("unique_id") - 9).then("y")).write_csv(
        tmp_path / "ends.csv"
    )
    summary = run(tmp_path / "ends.csv", tmp_path)
    assert (summary["mase"], summary["coverage"], summary["backtest_windows"]) == (None, {}, 0)
    assert summary["verdict"].startswith("Not compared with seasonal naive: no value is known in the last 9 steps")


def test_where_seasonal_naive_is_exact_the_verdict_says_so(tmp_path):
    frame = monthly_frame().with_columns(y=1.0 * (pl.int_range(pl.len()).over("unique_id") % 12))
    frame.write_csv(tmp_path / "periodic.csv")
    summary = run(tmp_path / "periodic.csv", tmp_path)
    assert summary["verdict"].startswith("Seasonal naive, the best of 2 baselines, is exact, and so better than")
    assert (summary["mase"], summary["seasonal_naive_mase"]) == (None, None)


def test_missing_values_before_a_series_are_told(tmp_path):
    (tmp_path / "late.csv").write_text(SHORT.replace("01,5", "01,"))
    summary = run(tmp_path / "late.csv", tmp_path)
    assert "Missing values before the first observation left out: 1 series." in summary["notes"]


@pytest.mark.parametrize(("levels", "horizon", "message"), [([80, 100], 3, "level 100"), ([80], 0, "the horizon is 0")])
def test_what_cannot_be_is_told_first(tmp_path, levels, horizon, message):
    (tmp_path / "short.csv").write_text(SHORT)
    out, said = tmp_path / "out", []
    out.mkdir()
    with pytest.raises(InputError, match=message):
        run(tmp_path / "short.csv", out, levels=levels, horizon=horizon, said=said)
    assert (said, list(out.iterdir())) == ([], [])


FAILURES = {
    "the report": "throughtime.cli.results.render",
    "the table": "polars.DataFrame.write_csv",
    "the weights": "throughtime._folder._write",
}


@pytest.mark.parametrize("target", FAILURES.values(), ids=FAILURES)
@pytest.mark.parametrize("former", [True, False], ids=["over a former run", "into an empty folder"])
def test_all_or_nothing(tmp_path, monkeypatch, target, former):
    """A full disk at any place leaves the folder as it was."""
    (tmp_path / "short.csv").write_text(SHORT)
    out = tmp_path / "out"
    out.mkdir()
    if former:
        run(tmp_path / "short.csv", out)
        (tmp_path / "short.csv").write_text(SHORT.replace("6\n", "9\n"))
    before = contents(out)

    def full(*arguments, **named):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(target, full)
    with pytest.raises(OSError, match="No space left"):
        run(tmp_path / "short.csv", out)
    assert contents(out) == before
    assert former or not list(out.iterdir())


def test_a_name_that_is_taken_leaves_all_as_it_was(tmp_path):
    (tmp_path / "short.csv").write_text(SHORT)
    out = tmp_path / "out"
    (out / "report.html").mkdir(parents=True)
    with pytest.raises(InputError, match="in the way"):
        run(tmp_path / "short.csv", out)
    assert [path.name for path in out.rglob("*")] == ["report.html"]


def test_a_second_run_leaves_nothing_of_the_first(tmp_path):
    file, out = tmp_path / "short.csv", tmp_path / "out"
    out.mkdir()
    for text in (SHORT, SHORT.replace("6\n", "9\n")):
        file.write_text(text)
        run(file, out)
    assert len(list(out.rglob("*"))) == len(["forecasts.csv", "report.html", "model", "checkpoint.json", "arrays"])
    assert (
        tt.load(out / "model").predict()["throughtime"].to_list()
        == tt.load(out / "model").predict()["throughtime"].to_list()
    )


@pytest.mark.parametrize(
    ("lengths", "horizon", "windows"),
    [([144], 12, 3), ([60], 12, 1), ([48], 12, 1), ([47], 12, 0), ([30] * 4, 12, 1), ([90, 90, 5], 12, 2)],
)
def test_a_backtest_takes_less_than_a_third_of_the_history_if_it_can(lengths, horizon, windows):
    frame = pl.concat(
        pl.DataFrame({"unique_id": str(i), "ds": np.arange(length), "y": np.arange(length) % 7})
        for i, length in enumerate(lengths)
    )
    assert affordable_windows(Panel.from_frame(frame), ForecasterConfig(horizon=horizon, preset="best")) == windows


@pytest.fixture(scope="module")
def backtested(tmp_path_factory):
    folder, said = tmp_path_factory.mktemp("backtest"), []
    monthly_frame().write_csv(folder / "sales.csv")
    protocol = BacktestSettings(2, step=2, baselines=["drift", "naive2"])
    source, runtime = SeriesFile(folder / "sales.csv", ColumnNames()), runtime_of(folder / "out", said)
    result = backtest_file(source, tt.Forecaster(**SMALL), protocol, LEVELS, runtime)
    return folder / "out", result.summary(), said


def test_the_files_of_a_backtest(backtested):
    out, summary, said = backtested
    assert {path.name for path in out.iterdir()} == {"cv.csv", "scores.csv", "report.html"}
    rows = pl.read_csv(out / "cv.csv", try_parse_dates=True)
    again = tt.Forecaster(**SMALL).backtest(monthly_frame(), 2, LEVELS, step=2, baselines=["drift", "naive2"])
    assert rows.columns == again.columns
    assert rows.select("unique_id", "ds", "cutoff").equals(again.select("unique_id", "ds", "cutoff"))
    np.testing.assert_array_equal(rows[:, 3:].to_numpy(), again[:, 3:].to_numpy())
    scores = pl.read_csv(out / "scores.csv").with_columns(pl.col("unique_id").fill_null(""))
    mae = scores.filter(metric="mae", unique_id="a").to_dicts()[0]
    mine = rows.filter(unique_id="a")
    for model in ("throughtime", "seasonal_naive", "drift", "naive2"):
        assert mae[model] == pytest.approx((mine[model] - mine["y"]).abs().mean())
    overall = {row.pop("metric"): row for row in scores.filter(unique_id="").drop("unique_id").to_dicts()}
    assert summary["scores"] == overall
    assert said[0] == summary["verdict"]
    page = unescape((out / "report.html").read_text())
    assert f"<h1>{summary['verdict']}</h1>" in page


def test_the_summary_of_a_backtest(backtested):
    _, summary, _ = backtested
    mase = summary["scores"]["mase"]
    best = min(("seasonal_naive", "drift", "naive2"), key=mase.get)
    assert summary["best_baseline"] == best
    assert f"MASE {mase['throughtime']:.3f} against {mase[best]:.3f}" in summary["verdict"]
    assert set(summary["seconds_by_model"]) == {"throughtime", "seasonal_naive", "drift", "naive2"}
    assert (summary["windows"], summary["step"], summary["refit"], summary["train_size"]) == (2, 2, False, None)
    assert summary["baselines"] == ["seasonal_naive", "drift", "naive2"]
