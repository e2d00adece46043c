"""Forecasts are returned as the kind of frame that was passed, with time stamps of the same type."""

from datetime import date, datetime

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from throughtime.data.frames import format_times, to_native
from throughtime.data.panel import Panel


def returned(frame: object) -> object:
    """The two steps after a frame, in a frame of its kind."""
    panel = Panel.from_frame(frame)
    ids, times = panel.future(2)
    return to_native(
        {"unique_id": ids, "ds": times, "throughtime": np.array([0.5, 1.5])}, frame, zone=panel.frequency.zone
    )


@pytest.mark.parametrize(
    "ds",
    [
        pl.Series([date(2024, 1, 30), date(2024, 1, 31)]),
        pl.Series([datetime(2024, 1, 30), datetime(2024, 1, 31)], dtype=pl.Datetime("ns")),
        pl.Series([datetime(2024, 1, 30), datetime(2024, 1, 31)], dtype=pl.Datetime("ms")),
        pl.Series(pd.date_range("2024-01-30", periods=2, tz="Europe/Berlin")),
        pl.Series([3, 4], dtype=pl.Int32),
    ],
    ids=lambda ds: str(ds.dtype),
)
def test_types_come_back(ds: pl.Series) -> None:
    frame = pl.DataFrame({"ds": ds, "y": [1.0, 2.0]})
    result = returned(frame)
    assert isinstance(result, pl.DataFrame)
    assert result.schema["ds"] == ds.dtype
    step = ds[1] - ds[0]
    assert result["ds"].to_list() == [ds[1] + step, ds[1] + 2 * step]
    assert result["unique_id"].to_list() == ["y", "y"]
    table = returned(frame.to_arrow())
    assert isinstance(table, pa.Table)
    assert table.schema.field("ds").type == frame.to_arrow().schema.field("ds").type


@pytest.mark.parametrize("zone", [None, "UTC", "Europe/Berlin", "+02:00", "+05:30"])
def test_pandas(zone: str | None) -> None:
    ds = pd.date_range("2024-03-29 12:00", periods=2, freq="D", tz=zone)
    result = returned(pd.DataFrame({"ds": ds, "y": [1.0, 2.0]}))
    assert isinstance(result, pd.DataFrame)
    expected = pd.date_range("2024-03-31 12:00", periods=2, freq="D", tz=zone)
    assert str(result["ds"].dt.tz) == str(expected.tz)
    assert (result["ds"] == expected).all()


def test_offsets_that_polars_does_not_know_come_back_in_utc() -> None:
    ds = pa.array([datetime(2024, 3, 29, 18, 30), datetime(2024, 3, 30, 18, 30)], pa.timestamp("us", "+05:30"))
    panel = Panel.from_frame(pa.table({"ds": ds, "y": [1.0, 2.0]}))
    times = panel.future(1)[1]
    assert times == np.datetime64("2024-03-31T18:30")
    result = to_native({"ds": times}, zone="+05:30")
    assert result.schema["ds"] == pl.Datetime("us", "UTC")


@pytest.mark.parametrize(
    ("times", "zone", "texts"),
    [
        (np.array([3, 40]), None, ["3", "40"]),
        (np.array(["1961-01-01", "1961-02-01"], "datetime64[us]"), None, ["1961-01-01", "1961-02-01"]),
        (np.array(["1961-01-01", "1961-02-01"], "datetime64[D]"), None, ["1961-01-01", "1961-02-01"]),
        (
            np.array(["2024-01-01T00", "2024-01-01T01"], "datetime64[ns]"),
            None,
            ["2024-01-01T00:00:00", "2024-01-01T01:00:00"],
        ),
        (np.array(["2024-01-01T00:00:00.25"], "datetime64[ms]"), None, ["2024-01-01T00:00:00.250000"]),
        (
            np.array(["2024-03-30T23:00", "2024-03-31T22:00"], "datetime64[us]"),
            "Europe/Berlin",
            ["2024-03-31T00:00:00+01:00", "2024-04-01T00:00:00+02:00"],
        ),
        (np.array(["2024-03-31T05:00"], "datetime64[us]"), "-03:30", ["2024-03-31T01:30:00-03:30"]),
        (np.array(["2024-03-31"], "datetime64[us]"), "UTC", ["2024-03-31T00:00:00+00:00"]),
    ],
)
def test_text(times: np.ndarray, zone: str | None, texts: list[str]) -> None:
    assert format_times(times, zone) == texts


def test_written_time_stamps_are_read_again() -> None:
    """A panel's future, written with ``format_times``, continues the panel when it is read."""
    texts = format_times(np.arange("2024-03-31T22", "2024-04-01T06", dtype="datetime64[h]"), "+02:00")
    frame = pl.DataFrame({"ds": texts, "y": range(len(texts))})
    panel = Panel.from_frame(frame)
    assert panel.frequency.zone == "+02:00"
    assert format_times(panel.times(0), "+02:00") == texts
