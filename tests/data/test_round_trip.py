"""Time stamps with offsets, as results and pandas write them, are read back in the zone that they came from.

Varied: zones north and south of the equator, with and without changes of the clocks, by an hour and by half of it;
months, days, hours and quarters of an hour; throughtime's own text and that of pandas; offsets that no zone has.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest

from throughtime.data.frames import format_times
from throughtime.data.panel import Panel
from throughtime.data.readers import read_panel
from throughtime.data.time_zones import zone_of_offsets

ZONES = {
    "Europe/Berlin": "Europe/Berlin",
    "Europe/Madrid": "Europe/Berlin",  # whose clocks agree
    "Europe/London": "Europe/London",
    "America/New_York": "America/New_York",
    "Australia/Sydney": "Australia/Sydney",
    "Australia/Lord_Howe": "Australia/LHI",
    "Asia/Kolkata": "+05:30",
    "UTC": "UTC",
}


@pytest.mark.parametrize("zone", ZONES)
def test_zoned_time_stamps_are_read_back(zone: str, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    for step, count in (("h", 3500), ("D", 200), ("MS", 12), ("15min", 14_000)):
        times = pd.date_range("2018-07-01", periods=count, freq=step, tz=zone)
        frame = pd.DataFrame({"ds": times, "y": np.arange(float(count))})
        panel = Panel.from_frame(frame)
        written = format_times(panel.times(0), panel.frequency.zone)
        pl.DataFrame({"ds": written, "y": panel.series(0)}).write_csv(path)
        ours = read_panel(path)
        frame.to_csv(path, index=False)
        for back in (ours, read_panel(path)):
            np.testing.assert_array_equal(back.times(0), panel.times(0))
            np.testing.assert_array_equal(back.values, panel.values)
            np.testing.assert_array_equal(back.future(200)[1], panel.future(200)[1])
            assert (back.frequency.describe(), back.frequency.zone) == (panel.frequency.describe(), ZONES[zone])
        said = any("change with the clocks" in note for note in ours.notes)
        assert said == ("/" in ZONES[zone])


def test_offsets_of_no_zone_have_none() -> None:
    instants = np.array(["2020-06-01", "2020-01-01", "2020-07-01"], "datetime64[us]")
    assert zone_of_offsets(instants, np.array([2, 1, 2], "timedelta64[h]").astype("timedelta64[us]")) == "Europe/Berlin"
    assert zone_of_offsets(instants, np.array([2, 1, 9], "timedelta64[h]").astype("timedelta64[us]")) is None
