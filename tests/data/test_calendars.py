"""Calendars: steps that no two rows are apart, odd rows, and times of the week that never have a row.

Varied: the weekday and its place in the month, business days, quarters; opening days, hours, minutes, sessions that
differ from day to day; gaps and holidays; time zones; one series and panels; the position and the number of odd rows.
"""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from throughtime._errors import InputError
from throughtime.data.frequency import Frequency
from throughtime.data.frequency_inference import infer_frequency
from throughtime.data.irregular import FrequencyError
from throughtime.data.panel import Panel


def infer(*series: Any, zone: str | None = None) -> Frequency:
    parts = [pd.DatetimeIndex(times).as_unit("us").to_numpy() for times in series]
    return infer_frequency(np.concatenate(parts), np.append(0, np.cumsum([len(part) for part in parts])), zone=zone)


def check_continues(times: pd.DatetimeIndex, later: int, zone: str | None = None) -> Frequency:
    """Check that the frequency of all but the last times has no missing steps, and continues with the last ones."""
    values = times.as_unit("us").to_numpy()
    frequency = infer_frequency(values[:-later], zone=zone)
    ordinals = frequency.ordinals(values)
    np.testing.assert_array_equal(np.diff(ordinals), frequency.multiple)
    np.testing.assert_array_equal(frequency.times(ordinals), values)
    return frequency


def hours(first: str, days: int, step: str = "h") -> pd.DatetimeIndex:
    return pd.date_range(first, pd.Timestamp(first) + pd.Timedelta(days=days), freq=step, inclusive="left")


def bars(first: str = "2020-01-06", days: int = 90) -> pd.DatetimeIndex:
    """Return hourly bars from 9 to 16 on business days."""
    times = hours(first, days)
    return times[(times.day_of_week < 5) & (times.hour >= 9) & (times.hour <= 16)]


DAYS = pd.date_range("2020-01-01", periods=120)
WEEK = hours("2020-01-06", 70)
LONGER = pd.date_range("2020-01-01", periods=200)


@pytest.mark.parametrize(
    ("frequency", "words", "season"),
    [
        ("WOM-3FRI", "monthly (third Friday)", 12),
        ("WOM-1MON", "monthly (first Monday)", 12),
        ("WOM-2TUE", "monthly (second Tuesday)", 12),
        ("WOM-4THU", "monthly (fourth Thursday)", 12),
        ("LWOM-SUN", "monthly (last Sunday)", 12),
        ("BME", "monthly (last business day)", 12),
        ("BMS", "monthly (first business day)", 12),
    ],
)
@pytest.mark.parametrize("first", ["2015-01-01", "2018-05-09"])
def test_months_by_a_weekday(frequency: str, words: str, season: int, first: str) -> None:
    offset = pd.offsets.LastWeekOfMonth(weekday=6) if frequency.startswith("LWOM") else frequency
    times = pd.date_range(first, periods=60, freq=offset)
    assert (check_continues(times, 12).describe(), infer(times).season) == (words, season)
    assert check_continues(times + pd.Timedelta(hours=16), 5).describe() == words
    assert infer(times.delete([4, 17, 18])).describe() == words
    quarters = times[times.month % 3 == 1]
    if len(np.unique(np.diff(quarters[:-3]))) > 1:  # else they are 13 weeks apart
        assert check_continues(quarters, 3).describe() == words.replace("monthly", "quarterly")


def test_every_four_or_five_weeks_stay_weeks() -> None:
    for weeks in (4, 5):
        times = pd.date_range("2020-01-17", periods=4, freq=f"{weeks}W-FRI")
        assert check_continues(times, 1).describe() == f"every {weeks} weeks"


@pytest.mark.parametrize(
    "times",
    [
        ["2020-04-30", "2020-06-30", "2020-09-30", "2020-11-30"],
        ["2020-01-01", "2020-03-01", "2020-06-01"],
        ["2020-01-01", "2020-01-03", "2020-01-06", "2020-01-11"],
        ["2020-01-01 08:00", "2020-01-01 10:00", "2020-01-01 13:00"],
    ],
)
def test_a_step_between_no_two_rows_is_refused(times: list[str]) -> None:
    with pytest.raises(FrequencyError) as raised:
        infer(times)
    assert raised.value.code == "irregular-times"
    assert raised.value.position > 0


def test_integers_between_no_two_rows() -> None:
    with pytest.raises(FrequencyError) as raised:
        infer_frequency(np.array([0, 4, 8, 14]))
    assert (raised.value.code, raised.value.position, raised.value.found) == ("irregular-times", 3, "6")


@pytest.mark.parametrize(
    ("usual", "other", "found", "expected"),
    [
        (pd.date_range("2015-01-31", periods=60, freq="ME"), "QE", "3 months", "1 month"),
        (pd.date_range("2015-01-31", periods=60, freq="ME"), "YE", "12 months", "1 month"),
        (pd.date_range("2015-01-01", periods=60, freq="MS"), "2MS", "2 months", "1 month"),
        (pd.date_range("2015-01-01", periods=90, freq="D"), "W-SUN", "7 days", "1 day"),
        (pd.date_range("2015-01-01", periods=90, freq="h"), "3h", "3:00:00", "1:00:00"),
        (pd.date_range("2015-01-01", periods=90, freq="B"), "W-WED", "5 business days", "1 business day"),
    ],
)
@pytest.mark.parametrize("front", [True, False])
def test_a_series_of_another_frequency_in_a_panel(
    usual: pd.DatetimeIndex, other: str, found: str, expected: str, front: bool
) -> None:
    slow = pd.date_range(usual[0], periods=4, freq=other)
    with pytest.raises(FrequencyError) as raised:
        infer(*((slow, usual) if front else (usual, usual[2:], slow)))
    error = raised.value
    first = 0 if front else 2 * len(usual) - 2
    assert (error.code, error.found, error.expected) == ("mixed-frequencies", found, expected)
    assert error.position == first + 1


def test_sparse_series_of_a_sparse_panel_are_no_other_frequency() -> None:
    rng = np.random.default_rng(3)
    days = pd.date_range("2020-01-01", periods=300, freq="D")
    panel = [days[rng.random(300) < 0.3] for _ in range(20)] + [days[[5, 7, 9]]]
    assert infer(*panel).describe() == "daily"


@pytest.mark.parametrize(
    ("usual", "odd", "expected"),
    [
        (pd.date_range("2019-01-01", periods=520, freq="B"), ["2019-06-15"], "business days"),
        (pd.date_range("2019-01-01", periods=60, freq="B"), ["2019-02-10"], "business days"),
        (pd.date_range("2019-01-01", periods=520, freq="B"), ["2019-02-02", "2019-11-10"], "business days"),
        (
            LONGER[LONGER.day_of_week < 6],
            ["2020-03-01"],
            "daily (Monday to Saturday)",
        ),
        (
            LONGER[~LONGER.day_of_week.isin([4, 5])],
            ["2020-03-06"],
            "daily (Sunday to Thursday)",
        ),
        (bars(), ["2020-02-12 20:00"], "hourly (Monday to Friday, 09:00 to 16:00)"),
        (bars(), ["2020-02-15 10:00", "2020-02-15 11:00"], "hourly (Monday to Friday, 09:00 to 16:00)"),
    ],
    ids=str,
)
def test_odd_rows_are_named(usual: pd.DatetimeIndex, odd: list[str], expected: str) -> None:
    times = usual.append(pd.DatetimeIndex(odd)).sort_values()
    for series, before in (((times,), 0), ((usual, times), len(usual))):
        with pytest.raises(FrequencyError) as raised:
            infer(*series)
        error = raised.value
        assert (error.code, error.expected) == ("odd-rows", expected)
        assert error.position == before + times.get_loc(pd.Timestamp(odd[0]))


def test_odd_rows_are_named_by_their_row_and_the_way_out_works() -> None:
    days = pd.date_range("2019-01-01", periods=100, freq="B")
    saturdays = pd.date_range("2019-01-05", periods=20, freq="W-SAT")
    frame = pl.DataFrame({"ds": [*days, saturdays[3]], "y": np.arange(101.0)})
    with pytest.raises(InputError) as raised:
        Panel.from_frame(frame)
    assert (raised.value.code, raised.value.line, raised.value.column) == ("odd-rows", 101, "ds")
    rest = pl.DataFrame({"ds": saturdays.delete(3), "y": pl.Series([None] * 19, dtype=pl.Float64)})
    panel = Panel.from_frame(pl.concat([frame, rest.cast(frame.schema)]))
    assert panel.frequency.describe() == "daily (Monday to Saturday)"


def test_a_series_that_is_open_on_sundays_is_obeyed() -> None:
    days = pd.date_range("2020-01-01", periods=400)
    assert infer(days[days.day_of_week < 6], days[-35:]).describe() == "daily"
    often = days[(days.day_of_week < 6) | (days.day < 15)]
    assert infer(often).describe() == "daily"


OPENINGS: list[tuple[pd.DatetimeIndex, str, int]] = [
    (DAYS[DAYS.day_of_week < 6], "daily (Monday to Saturday)", 6),
    (DAYS[~DAYS.day_of_week.isin([4, 5])], "daily (Sunday to Thursday)", 5),
    (DAYS[DAYS.day_of_week != 0], "daily (Tuesday to Sunday)", 6),
    (DAYS[DAYS.day_of_week.isin([0, 2, 4])], "daily (Monday, Wednesday, Friday)", 3),
    (DAYS[DAYS.day_of_week.isin([1, 4])], "daily (Tuesday, Friday)", 2),
    (bars(), "hourly (Monday to Friday, 09:00 to 16:00)", 8),
    (bars() + pd.Timedelta("30min"), "hourly (Monday to Friday, 09:30 to 16:30)", 8),
    (WEEK[(WEEK.hour >= 6) & (WEEK.hour < 22)], "hourly (Monday to Sunday, 06:00 to 21:00)", 16),
    (WEEK[WEEK.day_of_week < 5], "hourly (Monday to Friday)", 24),
    (WEEK[WEEK.hour.isin([7, 12, 18])], "hourly (Monday to Sunday, 3 times a day)", 3),
    (
        WEEK[
            ((WEEK.day_of_week < 5) & (WEEK.hour > 8) & (WEEK.hour < 19))
            | ((WEEK.day_of_week == 5) & (WEEK.hour // 4 == 2))
        ],
        "hourly (54 of 168 steps a week)",
        54,
    ),
]


@pytest.mark.parametrize(("times", "words", "season"), OPENINGS, ids=[words for _, words, _ in OPENINGS])
def test_times_without_rows_are_not_forecast(times: pd.DatetimeIndex, words: str, season: int) -> None:
    frequency = check_continues(times, 17)
    assert (frequency.describe(), frequency.season) == (words, season)
    with_holidays = times[~np.isin(times.date, np.unique(times.date)[[7, 20]])]
    assert infer(with_holidays).describe() == words
    assert infer(times[5:], times[:-9], times[30:40]).describe() == words


@pytest.mark.parametrize("days", [5, 15])
@pytest.mark.parametrize("step", ["min", "5min", "30min"])
def test_bars_of_minutes(days: int, step: str) -> None:
    times = hours("2020-01-06", days, step)
    minute = 60 * times.hour + times.minute
    times = times[(times.day_of_week < 5) & (minute >= 570) & (minute < 960)]
    frequency = infer(times)
    following = frequency.times(frequency.ordinals(times.to_numpy()[-1:]) + frequency.multiple)
    assert pd.Timestamp(following[0]) == pd.Timestamp("2020-01-13 09:30" if days == 5 else "2020-01-21 09:30")
    assert frequency.season == len(times[times.date == times.date[0]])
    kept = times[np.random.default_rng(1).random(len(times)) < 0.9]
    assert infer(kept).describe() == frequency.describe()


def test_months_of_a_school_year() -> None:
    months = pd.date_range("2010-01-01", periods=120, freq="MS")
    frequency = check_continues(months[~months.month.isin([7, 8])], 12)
    assert (frequency.describe(), frequency.season) == ("monthly (September to June)", 10)


@pytest.mark.parametrize("zone", ["America/New_York", "Europe/Berlin", "+05:30"])
def test_opening_hours_follow_the_clocks_of_the_zone(zone: str) -> None:
    """The clocks are changed within the 200 days of the bars and after them."""
    local = bars("2020-01-06", 200)
    utc = local.tz_localize(zone).tz_convert("UTC").tz_localize(None)
    assert check_continues(utc, 90, zone).describe() == "hourly (Monday to Friday, 09:00 to 16:00)"


SPARSE: list[tuple[str, Callable[[np.random.Generator], pd.DatetimeIndex]]] = [
    ("daily", lambda rng: DAYS[rng.random(120) < 0.5]),
    ("hourly", lambda rng: WEEK[rng.random(len(WEEK)) < 0.7]),
    ("daily", lambda rng: pd.date_range("2020-01-01", periods=13)[rng.random(13) < 0.8]),
    ("monthly", lambda rng: pd.date_range("2015-01-01", periods=60, freq="MS")[rng.random(60) < 0.6]),
]


@pytest.mark.parametrize(("words", "draw"), SPARSE)
@pytest.mark.parametrize("seed", range(8))
def test_gaps_by_chance_are_missing_rows(words: str, draw: Any, seed: int) -> None:
    assert infer(draw(np.random.default_rng(seed))).describe() == words


def test_a_panel_forecasts_open_steps() -> None:
    times = bars()
    frame = pl.DataFrame({"ds": times, "y": np.random.default_rng(0).random(len(times))})
    panel = Panel.from_frame(frame)
    assert len(panel.values) == len(times)
    _, stamps = panel.future(9)
    expected = pd.DatetimeIndex([*pd.date_range("2020-04-06 09:00", periods=8, freq="h"), "2020-04-07 09:00"])
    assert times[-1] == pd.Timestamp("2020-04-03 16:00")
    np.testing.assert_array_equal(stamps, expected.to_numpy())
    np.testing.assert_array_equal(panel.cut(9).future(9)[1], times[-9:].to_numpy())


def test_fields_of_older_frequencies_are_enough() -> None:
    """A saved frequency is its fields; before calendars there were six of them."""
    six = {"unit": "day", "multiple": 7, "stamp": "datetime64[D]", "zone": None, "time_of_day": 0, "day": 1}
    assert asdict(Frequency(**six)) == six | {"weekday": None, "open_steps": ()}


def test_series_with_calendars_of_their_own_are_named() -> None:
    """All have one axis, that of the union: forecasts of b are also for its closed days or hours."""
    night = WEEK[WEEK.hour % 24 < 20]
    for (a, b), named in (
        ((DAYS, DAYS[DAYS.day_of_week < 6]), True),
        ((DAYS[DAYS.day_of_week < 6], DAYS[DAYS.day_of_week < 5]), True),
        ((WEEK, bars()), True),
        ((night, night[night.hour > 8]), True),
        ((DAYS, DAYS[3:]), False),
        ((DAYS, DAYS[np.random.default_rng(0).random(120) < 0.6]), False),
        ((DAYS, DAYS[:5]), False),
        ((WEEK[::6], WEEK[3::6]), False),
        ((LONGER[LONGER.day_of_week == 4], LONGER[LONGER.day_of_week == 4][5:]), False),
    ):
        frame = pl.DataFrame(
            {"unique_id": ["a"] * len(a) + ["b"] * len(b), "ds": [*a, *b], "y": np.arange(len(a) + len(b)) * 1.0}
        )
        notes = [note for note in Panel.from_frame(frame).notes if "never have a row" in note]
        assert [note.endswith("1 series (b).") for note in notes] == [True] * named
