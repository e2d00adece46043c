"""Forecasts of data with opening hours or months by a weekday: their time stamps, saved and loaded."""

from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest

import throughtime as tt

HOURS = pd.date_range("2020-01-06", periods=24 * 61, freq="h")
BARS = HOURS[(HOURS.day_of_week < 5) & (HOURS.hour >= 9) & (HOURS.hour <= 16)]


@pytest.mark.parametrize(
    ("times", "season"),
    [(BARS, 8), (pd.date_range("2015-01-01", periods=63, freq="WOM-3FRI"), 12)],
    ids=["bars", "months"],
)
def test_forecasts_are_for_steps_that_have_rows(times: pd.DatetimeIndex, season: int, tmp_path: Path) -> None:
    values = np.sin(np.arange(len(times)) * 2 * np.pi / season) + 3
    known = pl.DataFrame({"ds": times[:-9], "y": values[:-9]})
    model = tt.Forecaster(9, steps=2, members=1, hidden=3, lookback=2 * season, calendar=True).fit(known)
    forecast = pl.DataFrame(model.predict(level=[80]))
    np.testing.assert_array_equal(forecast["ds"].to_numpy(), times[-9:].to_numpy())
    assert model.plan_.design.seasons[0] == season
    model.save(tmp_path / "model")
    assert forecast.equals(pl.DataFrame(tt.load(tmp_path / "model").predict(level=[80])))
    tested = pl.DataFrame(model.backtest(known, windows=2))
    np.testing.assert_array_equal(tested["ds"].to_numpy(), times[-27:-9].to_numpy())
