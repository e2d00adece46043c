"""``throughtime predict``: forecasts of a file with a saved model."""

import json
import subprocess
import sys
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from tests.cli.command import Result, run

import throughtime as tt

DAYS = pl.date_range(date(2024, 1, 1), date(2024, 3, 30), "1d", eager=True)


def table(length: int, shops: str = "ab") -> pl.DataFrame:
    draw = np.random.default_rng(length)
    parts = [{"shop": shop, "day": DAYS[:length], "sold": 5 + draw.normal(size=length)} for shop in shops]
    return pl.concat(map(pl.DataFrame, parts))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with a model of the command forecast's kind and a file of other series."""
    monkeypatch.chdir(tmp_path)
    names = {"id": "shop", "time": "day", "target": "sold"}
    tt.Forecaster(horizon=4, preset="instant").fit(table(30), **names).save("model")
    table(43, "bc").write_csv("sales.csv")
    return tmp_path


def predict(*arguments: str) -> Result:
    return run("predict", "model", *arguments)


def test_forecasts_of_a_file(folder: Path) -> None:
    result = predict("sales.csv", "--level", "80", "--horizon", "3", "--json")
    assert result.exit_code == 0, result.output
    assert {path.name for path in Path("out/predict").iterdir()} == {"forecasts.csv"}
    written = pl.read_csv("out/predict/forecasts.csv", try_parse_dates=True)
    expected = tt.load("model").predict(table(43, "bc"), level=80, horizon=3)
    assert_frame_equal(written, expected, check_exact=True)
    summary = json.loads(result.stdout)
    assert summary["seconds"] > 0
    assert {name: summary[name] for name in ("model", "file", "series", "horizon", "frequency", "out")} == {
        "model": "model",
        "file": "sales.csv",
        "series": 2,
        "horizon": 3,
        "frequency": "daily",
        "out": "out/predict",
    }


def test_other_names_of_columns(folder: Path) -> None:
    assert predict("sales.csv", "--out", "plain").exit_code == 0
    table(43, "bc").rename({"sold": "y", "day": "ds", "shop": "name"}).write_parquet("other.parquet")
    assert predict("other.parquet", "--id", "name", "--time", "ds", "--target", "y", "--out", "renamed").exit_code == 0
    assert Path("plain/forecasts.csv").read_bytes() == Path("renamed/forecasts.csv").read_bytes()


def test_the_model_of_a_forecast_knows_the_columns(folder: Path) -> None:
    names = ["--id", "shop", "--time", "day", "--target", "sold"]
    forecast = ["forecast", "sales.csv", "--horizon", "4", "--preset", "instant", *names, "--quiet"]
    assert run(*forecast, "--out", "first").exit_code == 0
    assert run("predict", "first/model", "sales.csv", "--out", "second").exit_code == 0
    assert Path("first/forecasts.csv").read_bytes() == Path("second/forecasts.csv").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "code", "file"),
    [
        (["sales.csv", "--horizon", "5"], "long-horizon", None),
        (["sales.csv", "--level", "0.8"], "impossible-level", None),
        (["none.csv"], "no-such-file", "none.csv"),
        (["weekly.csv"], "other-frequency", "weekly.csv"),
        (["sales.csv", "--target", "bought"], "no-such-column", "sales.csv"),
        (["sales.csv", "--future-file", "sales.csv"], "no-future-covariates", "sales.csv"),
    ],
)
def test_errors_leave_nothing_behind(folder: Path, arguments: list[str], code: str, file: str | None) -> None:
    table(80, "b").gather_every(7).write_csv("weekly.csv")
    result = predict(*arguments, "--json")
    assert result.exit_code == 2
    assert "Traceback" not in result.stderr
    error = json.loads(result.stdout)
    assert (error["code"], error.get("file")) == (code, file)
    assert not Path("out").exists()


def test_a_folder_without_a_forecaster(folder: Path) -> None:
    result = run("predict", "nothing", "sales.csv", "--json")
    assert (result.exit_code, json.loads(result.stdout)["code"]) == (2, "no-checkpoint")


def test_the_pretrained_network_needs_no_jax(folder: Path) -> None:
    script = (
        "import sys; from throughtime.cli.app import run; "
        "assert run(['predict', 'model', 'sales.csv', '--quiet']) == 0; print(*sys.modules)"
    )
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert "throughtime.cli.predictions" in loaded
    assert not {"jax", "matplotlib", "pandas"} & set(loaded)
