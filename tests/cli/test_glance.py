"""A glance at a forecast in the terminal, and the report in the browser."""

import webbrowser
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import polars as pl
import pytest

import throughtime as tt
from throughtime.cli.app import run
from throughtime.cli.glance import bars, glance
from throughtime.cli.results import ForecastResult

NILE = Path(__file__).parents[2] / "examples" / "nile.csv"


@pytest.mark.parametrize(
    ("values", "drawn"),
    [
        ([0, 1, 2, 3, 4, 5, 6, 7], "▁▂▃▄▅▆▇█"),
        ([-7e9, 7e9, np.nan, 0.1], "▁█·▅"),
        ([3.0, 3.0], "▁▁"),
        ([np.nan, np.nan], "··"),
        ([], ""),
    ],
)
def test_bars_rise_with_the_values(values, drawn):
    assert bars(np.array(values, float)) == drawn


def test_the_values_of_tiny_series_are_told_and_their_numbers():
    values = 1e-5 * (2 + np.sin(np.arange(60)))
    frame = pl.DataFrame({"unique_id": np.repeat([0, 4], 30), "ds": np.tile(np.arange(30), 2), "y": values})
    model = tt.Forecaster(horizon=2, preset="instant").fit(frame)
    forecasts = model.predict(level=80)
    result = Mock(spec=ForecastResult, model=model, levels=[80])
    result.forecasts = {name: forecasts[name].to_numpy() for name in forecasts.columns}
    title, _, *told = glance(result)
    assert title.startswith("0, ")
    found = [[float(line.split()[place]) for place in (1, 4, 6)] for line in told]
    np.testing.assert_allclose(found, forecasts.head(2).to_numpy()[:, 2:].astype(float), rtol=1e-3)


def test_the_next_values_are_told_and_the_report_opens(tmp_path, capsys, monkeypatch):
    opened = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    words = ["forecast", str(NILE), "--horizon", "8", "--preset", "instant", "--out", str(tmp_path), "--level", "90"]
    assert run([*words, "--open"]) == 0
    lines = capsys.readouterr().out.splitlines()
    table = np.genfromtxt(tmp_path / "forecasts.csv", delimiter=",", names=True, usecols=(1, 2, 3, 4), deletechars="")
    told = [line.replace(",", "").split() for line in lines if " 90 %: " in line]
    assert [int(words[0]) for words in told] == list(range(1971, 1977))
    for words, row in zip(told, table.tolist(), strict=False):
        np.testing.assert_allclose([float(words[place]) for place in (1, 4, 6)], row[1:], atol=0.51)
    assert [len(part) for line in lines if set("▁█") <= set(line) for part in line.split()] == [36, 8]
    assert opened == [(tmp_path / "report.html").as_uri()]
