"""Covariates on the command line: the options, the future's own file, and what is missing told before training."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.cli import command
from tests.cli.command import Result

# As long as the horizon: no network, nothing to compile.
HORIZON, STEPS = 3, 6
OPTIONS = ["--id", "shop", "--static", "kind", "--past", "visits", "--future", "promo", "--target", "sold"]


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pl.DataFrame:
    monkeypatch.chdir(tmp_path)
    steps, parts = np.arange(STEPS), []
    for name, kind in (("west", "big"), ("east", "small")):
        day = [str(time) for time in np.datetime64("2024-01-01") + steps]
        sold = [None if k >= HORIZON else float(k) for k in steps]
        part = {"shop": name, "ds": day, "sold": sold, "left": sold, "promo": steps % 2, "visits": 5, "kind": kind}
        parts.append(pl.DataFrame(part))
    return pl.concat(parts)


def run(*arguments: str) -> Result:
    return command.run("forecast", "sales.csv", "--horizon", str(HORIZON), "--json", *arguments)


def test_rows_after_the_last_value_are_the_future(table: pl.DataFrame) -> None:
    table.write_csv("sales.csv")
    result = run(*OPTIONS, "--target", "left", "--calendar")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["series"] == 4
    forecasts = pl.read_csv("out/forecast/forecasts.csv")
    names = forecasts["unique_id"].unique(maintain_order=True).to_list()
    assert names == ["west/sold", "west/left", "east/sold", "east/left"]
    assert forecasts["ds"][:3].to_list() == ["2024-01-04", "2024-01-05", "2024-01-06"]


def test_the_future_in_a_file_of_its_own(table: pl.DataFrame) -> None:
    table.filter(pl.col("sold").is_not_null()).write_csv("sales.csv")
    table.filter(pl.col("sold").is_null()).select("ds", "promo", "shop").write_parquet("plans")
    refused = run(*OPTIONS)
    assert refused.exit_code == 2
    message = json.loads(refused.stdout)["error"]
    assert "'promo' are missing" in message
    assert "--future-file" in message
    assert [line.split()[:3] for line in message.splitlines()[2:]] == [
        ["west", "2024-01-04", "2024-01-06"],
        ["east", "2024-01-04", "2024-01-06"],
    ]
    assert not list(Path("out").rglob("*.csv"))
    result = run(*OPTIONS, "--future-file", "plans")
    assert result.exit_code == 0, result.output
    missing = run(*OPTIONS, "--future-file", "nothing")
    assert missing.exit_code == 2
    assert "nothing: there is no such file" in json.loads(missing.stdout)["error"]
