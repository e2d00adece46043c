"""``throughtime forecast FOLDER``: partitions, failures, and what a second run does."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from tests.cli.command import Result, run
from tests.partitions.conftest import sales, series  # noqa: F401
from tests.partitions.test_tune_folder import untrained  # noqa: F401

import throughtime as tt


@pytest.fixture
def folder(sales: Path, monkeypatch: pytest.MonkeyPatch) -> Path:  # noqa: F811
    monkeypatch.chdir(sales.parent)
    return sales


def forecast(*arguments: str, horizon: int = 3) -> Result:
    return run("forecast", "sales", "--horizon", str(horizon), "--preset", "instant", "--out", "out", *arguments)


def test_failures_are_a_table_and_the_rest_is_written(folder: Path) -> None:
    (folder / "c.parquet").write_bytes(b"PAR1 and no more")
    result = forecast()
    assert result.exit_code == 2
    assert "sales/c.parquet" in result.stdout
    assert "Traceback" not in result.output
    failures = json.loads(Path("out/failures.json").read_text())
    assert [(failed["partition"], failed["fields"]["code"]) for failed in failures] == [("c", "damaged-parquet")]
    assert {path.name for path in Path("out").iterdir()} == {"failures.json", "forecasts", "model", "settings.json"}
    rows = pl.read_parquet("out/forecasts/**/*.parquet", hive_partitioning=False)
    assert rows["unique_id"].unique().sort().to_list() == ["a", "b", "d"]


def test_a_second_run_does_what_is_left(folder: Path) -> None:
    kept = (folder / "c.parquet").read_bytes()
    (folder / "c.parquet").write_bytes(b"")
    assert forecast("--quiet").exit_code == 2
    (folder / "c.parquet").write_bytes(kept)
    summary = json.loads(forecast("--json").stdout)
    assert [summary[name] for name in ("partitions", "done", "kept", "rows", "failures")] == [3, 1, 2, 3, []]
    assert not Path("out/failures.json").exists()
    expected = shutil.copytree("out/forecasts", "expected")
    assert forecast("--level", "50", "--quiet").exit_code == 2
    assert json.loads(forecast("--json", horizon=4).stdout)["code"] == "other-settings"
    for file in Path("out/forecasts").rglob("*.parquet"):
        assert file.read_bytes() == (expected / file.relative_to("out/forecasts")).read_bytes()


def test_a_model_is_of_its_folder(folder: Path) -> None:
    assert forecast("--quiet").exit_code == 0
    shutil.copytree(folder, "other")
    refused = run("forecast", "other", "--horizon", "3", "--preset", "instant", "--out", "out", "--json")
    assert json.loads(refused.stdout)["code"] == "other-settings"
    assert json.loads(refused.stdout)["expected"] == str({"folder": str(Path("other").resolve())})
    tt.Forecaster(horizon=3, preset="instant").fit(series("a")).save("out/model")  # as a forecast of a file does
    assert json.loads(forecast("--json").stdout)["code"] == "other-model"
    shutil.rmtree("out/model")
    assert json.loads(forecast("--json").stdout)["code"] == "other-model"
    for broken in ("{", "3"):
        Path("out/settings.json").write_text(broken)
        assert json.loads(forecast("--json").stdout)["code"] == "other-settings"


WHEN_ARRAYS_ARE_WRITTEN = """
from throughtime.partitions.mapped import MappedSeries
real = MappedSeries.add
def press(mapped, panel):
    real(mapped, panel)
    signal.raise_signal(signal.SIGTERM)

MappedSeries.add = press
"""
WHEN_A_RESULT_IS_WRITTEN = """
import polars
def press(frame, file, **named):
    file.write_text("half")
    signal.raise_signal(signal.SIGINT)

polars.DataFrame.write_parquet = press
"""
WHEN_A_TRIAL_IS_JUDGED = """
import throughtime as tt
from throughtime.forecasting import fit_panel
from throughtime.partitions import tuning
def untrained(config, processes, mapped, most, callback):
    sample = next(mapped.samples(mapped.lengths.argsort(), mapped.lengths, 1000, 0))
    return sample, fit_panel(tt.Forecaster(3, preset="instant").config, sample, sample.lengths)

tuning.fit_samples = untrained
tuning.Judging.__call__ = lambda judging, partition: signal.raise_signal(signal.SIGINT)
"""


WHEN_RAY_HAS_A_RESULT = """
from throughtime.cli.progress_bar import TrainingBar
def press(bar, stage, done, total, **named):
    if done:
        signal.raise_signal(signal.SIGTERM)

TrainingBar.count = press
"""


def ended(moment: str, *arguments: str) -> subprocess.CompletedProcess:
    """A command in a process of its own, which gets a signal at the given moment."""
    script = f"import signal, sys\nsys.argv = {['throughtime', *arguments]!r}\n{moment}\n"
    script += "from throughtime.__main__ import main\nmain()"
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)


@pytest.mark.parametrize(
    ("command", "preset", "moment", "kept"),
    [
        ("forecast", ["--preset", "balanced"], WHEN_ARRAYS_ARE_WRITTEN, set()),
        ("forecast", ["--preset", "instant"], WHEN_A_RESULT_IS_WRITTEN, {"forecasts", "model", "settings.json"}),
        ("tune", [], WHEN_A_TRIAL_IS_JUDGED, {"study.db", "study.db-shm", "study.db-wal", "study.db.lock"}),
    ],
)
def test_nothing_temporary_stays_after_a_signal(
    folder: Path, command: str, preset: list[str], moment: str, kept: set[str]
) -> None:
    if command == "tune":
        pytest.importorskip("optuna")
    done = ended(moment, command, "sales", "--horizon", "3", *preset, "--out", "out")
    assert done.returncode == 130, done.stderr
    assert {path.name for path in Path("out").glob("*")} == kept
    assert not list(Path("out/forecasts").glob("*"))


@pytest.mark.slow
def test_ray_leaves_the_signal_to_the_command(folder: Path) -> None:
    pytest.importorskip("ray")
    arguments = ["--horizon", "3", "--preset", "instant", "--engine", "ray", "--workers", "1", "--out", "out"]
    done = ended(WHEN_RAY_HAS_A_RESULT, "forecast", "sales", *arguments)
    assert done.returncode == 130, done.stderr
    assert not list(Path("out/forecasts").glob(".writing*"))


def test_a_saved_model_forecasts_a_folder(folder: Path) -> None:
    assert forecast("--quiet").exit_code == 0
    result = run("predict", "out/model", "sales", "--out", "again", "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["done"] == 3
    assert {path.name for path in Path("again").iterdir()} == {"forecasts"}
    for file in Path("again").rglob("*.parquet"):
        assert file.read_bytes() == ("out" / file.relative_to("again")).read_bytes()
    refused = json.loads(run("predict", "out/model", "sales", "--target", "y", "--json").stdout)
    assert (refused["code"], refused["found"]) == ("option-of-file", ["y"])


def test_a_backtest_writes_mean_scores(folder: Path) -> None:
    arguments = ["sales", "--horizon", "3", "--preset", "instant", "--windows", "2", "--baselines", "drift"]
    result = run("backtest", *arguments, "--out", "out", "--json")
    assert result.exit_code == 0, result.output
    assert {path.name for path in Path("out").iterdir()} == {"model", "scores", "scores.csv", "settings.json"}
    means = pl.read_csv("out/scores.csv")
    assert means.rows_by_key("metric", named=True, unique=True) == json.loads(result.stdout)["scores"]
    assert means.filter(metric="mae")["series"].item() == 4
    assert tt.load("out/model").panel_.lengths.tolist() == [38 - 6]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["sales", "--workers", "2"], "option-of-ray"),
        (["sales", "--engine", "dask"], "unknown-name"),
        (["sales", "--engine", "ray", "--address", "auto", "--workers", "2"], "workers-of-cluster"),
        (["sales", "--future-file", "sales/c.parquet"], "option-of-file"),
        (["sales", "--start", "sales"], "option-of-file"),
        (["sales", "--open"], "option-of-file"),
        (["sales/c.parquet", "--engine", "ray"], "option-of-folder"),
    ],
)
def test_options_that_do_not_fit(folder: Path, arguments: list[str], code: str) -> None:
    result = run("forecast", *arguments, "--horizon", "3", "--json")
    assert (result.exit_code, json.loads(result.stdout)["code"]) == (2, code)
    assert not Path("out").exists()


def test_a_search_of_a_folder(folder: Path, untrained: object) -> None:  # noqa: F811
    pytest.importorskip("optuna")
    arguments = ["sales", "--horizon", "3", "--steps", "9", "--trials", "2", "--windows", "2", "--json"]
    result = run("tune", *arguments)
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert (found["folder"], found["trials"], found["states"]) == ("sales", 2, {"complete": 2})
    assert json.loads(Path("out/tune/best.json").read_text()) == found["arguments"]
    assert not list(Path("out/tune").glob(".writing*"))


def test_no_report_of_a_folder_is_opened(folder: Path) -> None:
    result = run("backtest", "sales", "--horizon", "3", "--open", "--json")
    assert (result.exit_code, json.loads(result.stdout)["code"]) == (2, "option-of-file")
    assert not Path("out").exists()
