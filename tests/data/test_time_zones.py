"""Local times and instants against Python's own time zones, and changes of the clocks."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from throughtime.data.time_zones import fixed_offset, instants_of, wall_clock

ZONES = {
    "UTC": UTC,
    "+05:30": timezone(timedelta(hours=5, minutes=30)),
    "-03:30": timezone(-timedelta(hours=3, minutes=30)),
    "Europe/Berlin": ZoneInfo("Europe/Berlin"),
    "America/New_York": ZoneInfo("America/New_York"),
    "Asia/Kathmandu": ZoneInfo("Asia/Kathmandu"),
}
seconds = st.integers(0, 60 * 365 * 86_400)


def stamps(*texts: str) -> np.ndarray:
    return np.array(texts, "datetime64[us]")


@given(st.lists(seconds, min_size=1, max_size=5), st.sampled_from(list(ZONES)))
def test_clocks_show_what_python_says(instants: list[int], zone: str) -> None:
    local = [datetime.fromtimestamp(second, ZONES[zone]).replace(tzinfo=None) for second in instants]
    shown = wall_clock(np.array(instants).astype("datetime64[s]"), zone)
    assert shown.dtype == "datetime64[us]"
    assert shown.tolist() == local


@given(st.lists(seconds, min_size=1, max_size=5), st.sampled_from(list(ZONES)))
def test_instants_show_their_local_time_and_are_the_first_that_do(instants: list[int], zone: str) -> None:
    times = np.array(instants).astype("datetime64[s]").astype("datetime64[us]")
    wall = wall_clock(times, zone)
    back = instants_of(wall, zone)
    np.testing.assert_array_equal(wall_clock(back, zone), wall)
    assert (back <= times).all()


@pytest.mark.parametrize(
    ("zone", "wall", "instant"),
    [
        ("Europe/Berlin", "2024-10-27T02:30", "2024-10-27T00:30"),  # twice: the first
        ("Europe/Berlin", "2024-03-31T02:30", "2024-03-31T01:00"),  # never: the change
        ("Europe/Berlin", "2024-03-31T02:00", "2024-03-31T01:00"),
        ("America/Sao_Paulo", "2018-11-04T00:00", "2018-11-04T03:00"),  # a day without midnight
        ("Australia/Lord_Howe", "1985-10-27T02:15", "1985-10-26T15:30"),  # half an hour is skipped
        ("Pacific/Apia", "2011-12-30T17:55:46", "2011-12-30T10:00"),  # a whole day is skipped
    ],
)
def test_changes_of_the_clocks(zone: str, wall: str, instant: str) -> None:
    before, after = "2001-06-15T12:00", "2019-02-01T12:34:56.789"
    expected = [*instants_of(stamps(before), zone), stamps(instant)[0], *instants_of(stamps(after), zone)]
    assert instants_of(stamps(before, wall, after), zone).tolist() == np.array(expected).tolist()


@pytest.mark.parametrize("zone", [None, *ZONES])
def test_no_times_stay_none(zone: str | None) -> None:
    assert len(wall_clock(stamps(), zone)) == len(instants_of(stamps(), zone)) == 0


def test_offsets_of_zones() -> None:
    assert fixed_offset("UTC") == timedelta()
    assert fixed_offset("+05:30") == timedelta(hours=5, minutes=30)
    assert fixed_offset("-00:30") == -timedelta(minutes=30)
    assert fixed_offset("Europe/Berlin") is None
