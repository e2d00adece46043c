"""Time stamps to steps and back, and which time stamps come next."""

from dataclasses import replace
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pandas as pd
import pytest
from hypothesis import given

from throughtime._errors import InputError
from throughtime.data.calendars import DAY
from throughtime.data.frequency import Frequency
from throughtime.data.frequency_inference import infer_frequency
from throughtime.data.irregular import FrequencyError

HOUR = DAY // 24
ZONES = [None, "UTC", "+05:30", "Europe/Berlin", "America/New_York"]


def stamps(*texts: str) -> np.ndarray:
    return np.array(texts, "datetime64[us]")


def instants(*texts: str, zone: str) -> np.ndarray:
    """Return local times of the zone in UTC."""
    return pd.DatetimeIndex(texts).tz_localize(zone).tz_convert("UTC").tz_localize(None).to_numpy()


def following(times: np.ndarray, count: int, zone: str | None = None) -> np.ndarray:
    frequency = infer_frequency(times, zone=zone)
    last = frequency.ordinals(times[-1:])
    return frequency.times(last + frequency.multiple * np.arange(1, count + 1))


@st.composite
def frequencies(draw: st.DrawFn) -> dict[str, Any]:
    """Draw the fields of a frequency."""
    unit = draw(st.sampled_from(["elapsed", "day", "business day", "month"]))
    zone = draw(st.sampled_from(ZONES))
    if unit == "elapsed":
        return {"unit": unit, "multiple": draw(st.sampled_from([1000, 15 * HOUR // 60, HOUR, 4 * HOUR])), "zone": zone}
    day = draw(st.integers(1, 31)) if unit == "month" else 1
    # Later than any clock is changed, and before: a time that exists each day.
    hour = draw(st.sampled_from([0, 9, 16]))
    multiple = draw(st.integers(1, 12))
    return {"unit": unit, "multiple": multiple, "zone": zone, "time_of_day": hour * HOUR, "day": day}


@given(frequencies(), st.integers(-400, 400), st.integers(1, 60))
def test_times_are_the_inverse_of_ordinals(fields: dict[str, Any], start: int, length: int) -> None:
    frequency = Frequency(**fields)
    ordinals = frequency.multiple * (start + np.arange(length))
    times = frequency.times(ordinals)
    assert times.dtype == np.dtype(frequency.stamp)
    np.testing.assert_array_equal(frequency.ordinals(times), ordinals)
    assert (np.diff(times) > np.timedelta64(0)).all()


@given(frequencies(), st.integers(-400, 400), st.integers(60, 90))
def test_inferred_frequency_continues_the_axis(fields: dict[str, Any], start: int, length: int) -> None:
    """The inferred frequency may be another, but its grid holds the time stamps and its next one is right."""
    frequency = Frequency(**fields)
    if frequency.unit == "business day":
        frequency = replace(frequency, multiple=1)
    times = frequency.times(frequency.multiple * (start + np.arange(length + 1)))
    found = infer_frequency(times[:-1], zone=frequency.zone)
    ordinals = found.ordinals(times)
    np.testing.assert_array_equal(np.diff(ordinals), found.multiple)
    np.testing.assert_array_equal(found.times(ordinals), times)
    assert found.season == frequency.season
    assert found.describe() == frequency.describe()


@given(st.integers(-50, 50), st.integers(1, 7), st.integers(2, 30))
def test_integers(start: int, step: int, length: int) -> None:
    times = start + step * np.arange(length)
    frequency = infer_frequency(times)
    assert (frequency.unit, frequency.multiple, frequency.season) == ("integer", step, 1)
    assert following(times, 1) == [start + step * length]


@pytest.mark.parametrize(
    ("times", "words", "season", "coming"),
    [
        (
            pd.date_range("2024-02-28 22:00", periods=9, freq="h"),
            "hourly",
            24,
            ["2024-02-29T07:00", "2024-02-29T08:00"],
        ),
        (pd.date_range("2024-02-29 23:00", periods=9, freq="15min"), "every 15 minutes", 96, ["2024-03-01T01:15"]),
        (pd.date_range("2024-02-29", periods=9, freq="4h"), "every 4 hours", 6, ["2024-03-01T12:00"]),
        (pd.date_range("2024-02-29", periods=9, freq="s"), "every second", 3600, ["2024-02-29T00:00:09"]),
        (pd.date_range("2024-02-20", periods=9, freq="D"), "daily", 7, ["2024-02-29", "2024-03-01"]),
        (pd.date_range("2023-02-20", periods=9, freq="D"), "daily", 7, ["2023-03-01", "2023-03-02"]),
        (pd.date_range("2024-02-02", periods=11, freq="B"), "business days", 5, ["2024-02-19", "2024-02-20"]),
        (pd.date_range("2024-02-02 16:00", periods=16, freq="B"), "business days", 5, ["2024-02-26T16:00"]),
        (pd.date_range("2024-01-03", periods=8, freq="7D"), "weekly", 52, ["2024-02-28", "2024-03-06"]),
        (pd.date_range("2024-01-03", periods=8, freq="14D"), "every 2 weeks", 26, ["2024-04-24"]),
        (pd.date_range("2023-10-01", periods=4, freq="MS"), "monthly", 12, ["2024-02-01", "2024-03-01"]),
        (pd.date_range("2023-10-31", periods=4, freq="ME"), "monthly", 12, ["2024-02-29", "2024-03-31", "2024-04-30"]),
        (pd.DatetimeIndex(["2024-04-30", "2024-06-30"]), "every 2 months", 6, ["2024-08-31", "2024-10-31"]),
        (pd.DatetimeIndex(["2022-12-30", "2023-01-30"]), "monthly", 12, ["2023-02-28", "2023-03-30"]),
        (pd.date_range("2023-02-01", periods=4, freq="QS-FEB"), "quarterly", 4, ["2024-02-01", "2024-05-01"]),
        (pd.date_range("2023-03-31", periods=4, freq="QE"), "quarterly", 4, ["2024-03-31", "2024-06-30"]),
        (pd.date_range("2022-01-01", periods=4, freq="6MS"), "every 6 months", 2, ["2024-01-01"]),
        (pd.date_range("2020-02-29", periods=4, freq="12ME"), "yearly", 1, ["2024-02-29", "2025-02-28"]),
        (pd.date_range("2000-01-01", periods=4, freq="10YS"), "every 10 years", 1, ["2040-01-01"]),
    ],
    ids=str,
)
def test_what_comes_next(times: pd.DatetimeIndex, words: str, season: int, coming: list[str]) -> None:
    frequency = infer_frequency(times.to_numpy())
    assert (frequency.describe(), frequency.season) == (words, season)
    np.testing.assert_array_equal(following(times.to_numpy(), len(coming)), stamps(*coming))


def test_business_days_need_two_weeks() -> None:
    week = np.arange("2024-02-05", "2024-02-10", dtype="datetime64[D]").astype("datetime64[us]")
    assert infer_frequency(week).describe() == "daily"
    holiday = np.delete(pd.date_range("2024-02-05", periods=12, freq="B").to_numpy(), 4)
    assert infer_frequency(holiday).describe() == "business days"


def test_days_follow_the_clock_and_hours_do_not() -> None:
    """On 2024-03-31 Berlin's clocks leave out the hour from 2 to 3, on 2024-10-27 they repeat it."""
    days = instants("2024-03-29", "2024-03-30", "2024-03-31", zone="Europe/Berlin")
    np.testing.assert_array_equal(
        following(days, 2, "Europe/Berlin"), instants("2024-04-01", "2024-04-02", zone="Europe/Berlin")
    )
    hours = instants("2024-03-31 00:00", "2024-03-31 01:00", "2024-03-31 03:00", zone="Europe/Berlin")
    assert infer_frequency(hours, zone="Europe/Berlin").describe() == "hourly"
    np.testing.assert_array_equal(
        following(hours, 2, "Europe/Berlin"), instants("2024-03-31 04:00", "2024-03-31 05:00", zone="Europe/Berlin")
    )
    autumn = stamps("2024-10-26T23:00", "2024-10-27T00:00", "2024-10-27T01:00")  # UTC: 1, 2 and again 2 o'clock
    np.testing.assert_array_equal(following(autumn, 1, "Europe/Berlin"), stamps("2024-10-27T02:00"))
    months = instants("2024-01-01", "2024-02-01", "2024-03-01", zone="Europe/Berlin")
    np.testing.assert_array_equal(following(months, 1, "Europe/Berlin"), instants("2024-04-01", zone="Europe/Berlin"))


def test_a_day_that_begins_at_one() -> None:
    """In São Paulo 2018-11-04 had no midnight: clocks went from 23:59 to 1:00."""
    wall = pd.date_range("2018-11-02", periods=5, freq="D")
    local = wall.tz_localize("America/Sao_Paulo", nonexistent="shift_forward").tz_convert("UTC").tz_localize(None)
    assert infer_frequency(local.to_numpy(), zone="America/Sao_Paulo").describe() == "daily"
    np.testing.assert_array_equal(following(local.to_numpy()[:2], 3, "America/Sao_Paulo"), local.to_numpy()[2:])


def test_series_may_lie_half_a_step_apart() -> None:
    """One quarterly series begins in January and one in February; neither becomes monthly."""
    first, second = (
        pd.date_range("2020-01-01", periods=5, freq="QS"),
        pd.date_range("2020-02-01", periods=4, freq="QS-FEB"),
    )
    frequency = infer_frequency(np.concatenate([first, second]), np.array([0, 5, 9]))
    assert frequency.describe() == "quarterly"
    assert infer_frequency(np.array([0, 2, 4, 1, 3]), np.array([0, 3, 5])).multiple == 2


def test_missing_rows_do_not_change_the_frequency() -> None:
    times = np.delete(pd.date_range("2020-01-31", periods=60, freq="ME").to_numpy(), [3, 4, 20, 41])
    assert infer_frequency(times).describe() == "monthly"


@pytest.mark.parametrize("dtype", ["datetime64[D]", "datetime64[ms]", "datetime64[ns]", "int32"])
def test_future_stamps_have_the_type_that_came(dtype: str) -> None:
    times = np.arange(10).astype("datetime64[D]" if dtype.startswith("datetime64") else dtype).astype(dtype)
    assert following(times, 3).dtype == np.dtype(dtype)


def test_a_series_of_another_frequency_is_irregular() -> None:
    daily, yearly = (
        pd.date_range("2020-01-01", periods=30, freq="D"),
        pd.date_range("2020-01-01", periods=30, freq="YS"),
    )
    with pytest.raises(FrequencyError) as raised:
        infer_frequency(np.concatenate([daily, yearly]), np.array([0, 30, 60]))
    error = raised.value
    assert (error.code, error.found, error.expected, error.position) == ("irregular-times", "366 days", "1 day", 31)


def test_one_jitter_among_regular_steps_is_named() -> None:
    times = pd.date_range("2020-01-01", periods=50, freq="10min").to_numpy().copy()
    times[7] += np.timedelta64(3, "m")
    with pytest.raises(FrequencyError, match=r"2020-01-01T01:13.* is 0:13:00 after 2020-01-01T01:00") as raised:
        infer_frequency(times)
    error = raised.value
    assert (error.code, error.found, error.expected, error.position) == ("irregular-times", "0:13:00", "0:10:00", 7)


def test_one_time_stamp_has_no_frequency() -> None:
    with pytest.raises(FrequencyError) as raised:
        infer_frequency(stamps("2020-01-01", "2020-01-02"), np.array([0, 1, 2]))
    assert (raised.value.code, raised.value.position) == ("unknown-frequency", 0)


def test_a_frequency_without_steps() -> None:
    with pytest.raises(InputError, match="0 of the unit 'day'") as raised:
        Frequency("day", 0)
    assert (raised.value.code, raised.value.found) == ("bad-frequency", [0, "day"])
