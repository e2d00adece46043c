"""Time stamps of pandas in all their types: Arrow's, zones of Python and dateutil, objects, periods, indices."""

from datetime import datetime, timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from dateutil import tz

from throughtime._errors import InputError
from throughtime.data.panel import Panel
from throughtime.data.time_zones import zone_name

# Days of Berlin up to the day before the clocks change, and over the change.
ENDS = ["2020-03-28", "2020-04-20"]


def future(times: Any, *, index: bool = False) -> tuple[str, list[str], str | None]:
    """The frequency of a frame with these time stamps, the two that follow, and their zone."""
    y = np.arange(len(times), dtype=float)
    frame = (
        pd.DataFrame({"y": y}, index=pd.Index(times, dtype=times.dtype))
        if index
        else pd.DataFrame({"ds": times, "y": y})
    )
    panel = Panel.from_frame(frame)
    assert panel.lengths.tolist() == [len(times)]
    following = np.datetime_as_string(panel.future(2)[1], unit="h").tolist()
    return panel.frequency.describe(), following, panel.frequency.zone


def local_midnights(zone: tzinfo, end: str) -> list[datetime]:
    days = (
        datetime(2020, 1, 1) + timedelta(k) for k in range((datetime.fromisoformat(end) - datetime(2020, 1, 1)).days)
    )
    return [day.replace(tzinfo=zone) for day in days]


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("index", [False, True], ids=["column", "index"])
def test_arrow_types_keep_their_zone(unit: str, end: str, index: bool) -> None:
    days = pd.Series(pd.date_range("2020-01-01", end, tz="Europe/Berlin"))
    arrow = days.astype(pd.ArrowDtype(pa.timestamp(unit, "Europe/Berlin")))
    assert future(arrow, index=index) == future(days)
    assert future(days)[2] == "Europe/Berlin"


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("zone", [ZoneInfo("Europe/Berlin"), tz.gettz("Europe/Berlin")], ids=["zoneinfo", "dateutil"])
@pytest.mark.parametrize("index", [False, True], ids=["column", "index"])
def test_objects_keep_their_zone(zone: tzinfo, end: str, index: bool) -> None:
    times = pd.Series(local_midnights(zone, end), dtype=object)
    days = pd.Series(pd.date_range("2020-01-01", periods=len(times), tz="Europe/Berlin"))
    assert future(times, index=index) == future(days)


@pytest.mark.parametrize(
    "times",
    [
        pd.Series(pd.date_range("2020-01-01", periods=30)).astype(pd.ArrowDtype(pa.timestamp("us"))),
        pd.Series(pd.date_range("2020-01-01", periods=30).date).astype(pd.ArrowDtype(pa.date32())),
        pd.Series(pd.date_range("2020-01-01", periods=30).date),
        pd.Series(list(pd.date_range("2020-01-01", periods=30)), dtype=object),
    ],
    ids=["timestamp", "date32", "date", "Timestamp"],
)
@pytest.mark.parametrize("index", [False, True], ids=["column", "index"])
def test_dates_without_a_zone(times: pd.Series, index: bool) -> None:
    assert future(times, index=index) == ("daily", ["2020-01-31T00", "2020-02-01T00"], None)


def test_fixed_offsets_and_several_zones_of_objects() -> None:
    fixed = timezone(timedelta(hours=5, minutes=30))
    times = pd.Series(local_midnights(fixed, "2020-01-31"), dtype=object)
    assert future(times) == ("daily", ["2020-01-30T18", "2020-01-31T18"], "+05:30")
    two = [datetime(2020, 3, 1, tzinfo=ZoneInfo("Europe/Berlin")), datetime(2020, 3, 2, tzinfo=ZoneInfo("Asia/Tokyo"))]
    with pytest.raises(InputError) as raised:
        future(pd.Series(two, dtype=object))
    assert raised.value.code == "mixed-time-zones"


def test_a_missing_time_among_objects_is_named() -> None:
    times = pd.Series([*local_midnights(ZoneInfo("Europe/Berlin"), "2020-01-04"), None], dtype=object)
    with pytest.raises(InputError) as raised:
        future(times)
    assert (raised.value.code, raised.value.line) == ("missing-time", 4)


@pytest.mark.parametrize(
    ("frequency", "described", "first"),
    [
        ("Q-MAR", "quarterly", "2027-04-01T00"),
        ("Q-JAN", "quarterly", "2027-02-01T00"),
        ("Q-SEP", "quarterly", "2027-10-01T00"),
        ("Q-NOV", "quarterly", "2027-12-01T00"),
        ("Q-DEC", "quarterly", "2028-01-01T00"),
        ("2Q-JAN", "every 6 months", "2037-02-01T00"),
        ("W-SUN", "weekly", "2018-10-08T00"),
        ("W-WED", "weekly", "2018-10-04T00"),
        ("2W", "every 2 weeks", "2019-07-15T00"),
        ("M", "monthly", "2021-05-01T00"),
        ("D", "daily", "2018-02-10T00"),
        ("h", "hourly", "2018-01-02T16"),
        ("Y", "yearly", "2058-01-01T00"),
        ("Y-JUN", "yearly", "2057-07-01T00"),
    ],
)
@pytest.mark.parametrize("kind", ["index", "column", "objects"])
def test_periods_are_their_first_instants(frequency: str, described: str, first: str, kind: str) -> None:
    start = "2018Q1" if "Q" in frequency else "2018-01-01"
    periods = pd.period_range(start, periods=40, freq=frequency)
    times = {"index": periods, "column": pd.Series(periods), "objects": pd.Series(list(periods), dtype=object)}[kind]
    actual = future(times, index=kind == "index")
    assert (actual[0], actual[1][0], actual[2]) == (described, first, None)


class OfFile(tzinfo):
    """A zone of dateutil, which in its older versions knows the path of its file but not its name."""

    def __init__(self, name: str):
        self._filename = f"/usr/lib/zoneinfo/{name}"

    def utcoffset(self, moment: datetime | None) -> timedelta | None:
        return None


@pytest.mark.parametrize(
    ("zone", "name"),
    [
        (ZoneInfo("Asia/Kolkata"), "Asia/Kolkata"),
        (tz.gettz("America/New_York"), "America/New_York"),
        (OfFile("Europe/Berlin"), "Europe/Berlin"),
        (tz.tzutc(), "UTC"),
        (tz.tzoffset(None, -12_600), "-03:30"),
        (timezone(timedelta(hours=2)), "+02:00"),
        (ZoneInfo("UTC"), "UTC"),
    ],
)
def test_names_of_zones(zone: tzinfo, name: str) -> None:
    assert zone_name(zone) == name
