"""Numbers that are times: weeks, quarters, days of a year, short months, counts since a date, and step numbers."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from throughtime._errors import InputError
from throughtime.data.panel import Panel
from throughtime.data.source import Source
from throughtime.data.timestamps import parse_times

DAYS = [date(2020, 1, 1) + timedelta(k) for k in range(800)]
BUSINESS_DAYS = [day for day in DAYS if day.weekday() < 5]
HOURS = [datetime(2020, 1, 1, tzinfo=UTC) + timedelta(hours=k) for k in range(24 * 40)]
MONTHS = [date(year, month, 1) for year in range(2014, 2020) for month in range(1, 13)]
WEEKS = [100 * year + week for year in (2018, 2019, 2020) for week in range(1, 53)]
QUARTERS = [(year, quarter) for year in range(2005, 2021) for quarter in range(1, 5)]


def seconds(time: date) -> int:
    return int(datetime(time.year, time.month, time.day, getattr(time, "hour", 0), tzinfo=UTC).timestamp())


def serial(time: date) -> float:
    days = seconds(time) / 86_400 + 25_569
    return days if days % 1 else int(days)


def future(times: list[Any], steps: int = 3, name: str = "ds") -> tuple[str, int, list[str]]:
    """The frequency of a series with these time stamps, its steps, and the stamps that follow."""
    panel = Panel.from_frame(pl.DataFrame({name: times, "y": np.arange(len(times), dtype=float)}), time=name)
    following = panel.future(steps)[1]
    if following.dtype.kind == "M":
        following = np.datetime_as_string(following, unit="h" if panel.frequency.unit == "elapsed" else "D")
    return panel.frequency.describe(), int(panel.lengths[0]), following.tolist()


WEEKLY = ["2020-12-28", "2021-01-04", "2021-01-11"]  # 2020-W53, 2021-W01 and -W02: 2020 has 53 weeks
QUARTERLY = ["2021-01-01", "2021-04-01", "2021-07-01"]
MONTHLY = ["2020-01-01", "2020-02-01", "2020-03-01"]
DAILY = ["2022-03-11", "2022-03-12", "2022-03-13"]
HOURLY = ["2020-02-10T00", "2020-02-10T01", "2020-02-10T02"]


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        pytest.param(WEEKS, ("weekly", 156, WEEKLY), id="YYYYWW"),
        pytest.param([str(week) for week in WEEKS], ("weekly", 156, WEEKLY), id="YYYYWW as text"),
        pytest.param([float(week) for week in WEEKS], ("weekly", 156, WEEKLY), id="YYYYWW as floats"),
        pytest.param([week - 200_000 for week in WEEKS], ("weekly", 156, WEEKLY), id="YYWW"),
        pytest.param([f"{w // 100}-{w % 100:02d}" for w in WEEKS], ("weekly", 156, WEEKLY), id="YYYY-WW"),
        pytest.param([f"{w // 100}/{w % 100}" for w in WEEKS], ("weekly", 156, WEEKLY), id="YYYY/W"),
        pytest.param([f"{w % 100:02d}/{w // 100}" for w in WEEKS], ("weekly", 156, WEEKLY), id="WW/YYYY"),
        pytest.param([f"{q}-{y}" for y, q in QUARTERS], ("quarterly", 64, QUARTERLY), id="Q-YYYY"),
        pytest.param([f"{day:%m.%Y}" for day in MONTHS], ("monthly", 72, MONTHLY), id="MM.YYYY"),
        pytest.param([int(f"{day:%y%m%d}") for day in MONTHS], ("monthly", 72, MONTHLY), id="months as YYMMDD"),
        pytest.param(
            [int(f"{day:%y%m%d}") for day in DAYS[5::7]],
            ("weekly", 114, ["2022-03-14", "2022-03-21", "2022-03-28"]),
            id="weeks as YYMMDD",
        ),
        pytest.param(
            [int(f"{hour - timedelta(hours=1):%Y%m%d%H}") + 1 for hour in HOURS[1:]],
            ("hourly", 959, HOURLY),
            id="YYYYMMDDHH from 1 to 24",
        ),
        pytest.param(
            WEEKS[::2], ("every 2 weeks", 78, ["2020-12-28", "2021-01-11", "2021-01-25"]), id="every second week"
        ),
        pytest.param(WEEKS[:40], ("weekly", 40, ["2018-10-08", "2018-10-15", "2018-10-22"]), id="weeks of one year"),
        pytest.param(
            [201851, 201852, 201901], ("weekly", 3, ["2019-01-07", "2019-01-14", "2019-01-21"]), id="three weeks"
        ),
        pytest.param([10 * y + q for y, q in QUARTERS], ("quarterly", 64, QUARTERLY), id="YYYYQ"),
        pytest.param([10 * (y - 2000) + q for y, q in QUARTERS if y > 2009], ("quarterly", 44, QUARTERLY), id="YYQ"),
        pytest.param([f"{y}-{q}" for y, q in QUARTERS], ("quarterly", 64, QUARTERLY), id="YYYY-Q"),
        pytest.param([f"{y}.{q}" for y, q in QUARTERS], ("quarterly", 64, QUARTERLY), id="YYYY.Q"),
        pytest.param([y + q / 10 for y, q in QUARTERS], ("quarterly", 64, QUARTERLY), id="YYYY.Q as floats"),
        pytest.param([y + (q - 1) / 4 for y, q in QUARTERS], ("quarterly", 64, QUARTERLY), id="quarters of R"),
        pytest.param([int(f"{day:%Y%j}") for day in DAYS], ("daily", 800, DAILY), id="YYYYDDD"),
        pytest.param([f"{day:%Y-%j}" for day in DAYS], ("daily", 800, DAILY), id="YYYY-DDD"),
        pytest.param([int(f"{day:%y%j}") for day in DAYS], ("daily", 800, DAILY), id="YYDDD"),
        pytest.param([int(f"{day:%y%m%d}") for day in DAYS], ("daily", 800, DAILY), id="YYMMDD"),
        pytest.param([int(f"{day:%Y%m%d}") for day in DAYS], ("daily", 800, DAILY), id="YYYYMMDD"),
        pytest.param([int(f"{day:%y%m}") for day in MONTHS], ("monthly", 72, MONTHLY), id="YYMM"),
        pytest.param([f"{day:%Y.%m}" for day in MONTHS], ("monthly", 72, MONTHLY), id="YYYY.MM"),
        pytest.param([day.year + day.month / 100 for day in MONTHS], ("monthly", 72, MONTHLY), id="YYYY.MM as floats"),
        pytest.param(
            [f"{day.year + (day.month - 1) / 12:.3f}" for day in MONTHS], ("monthly", 72, MONTHLY), id="months of R"
        ),
        pytest.param(
            [int(f"{month:02d}{day:02d}") for month in range(5, 9) for day in range(1, 13)],
            ("monthly", 48, ["2009-01-01", "2009-02-01", "2009-03-01"]),
            id="YYMM from 2005, without the leading zero",
        ),
        pytest.param([int(f"{hour:%Y%m%d%H}") for hour in HOURS], ("hourly", 960, HOURLY), id="YYYYMMDDHH"),
        pytest.param([int(f"{hour:%Y%m%d%H%M}") for hour in HOURS], ("hourly", 960, HOURLY), id="YYYYMMDDHHMM"),
        pytest.param([int(f"{hour:%Y%m%d%H%M%S}") for hour in HOURS], ("hourly", 960, HOURLY), id="YYYYMMDDHHMMSS"),
        pytest.param([seconds(hour) for hour in HOURS], ("hourly", 960, HOURLY), id="seconds"),
        pytest.param([f"{seconds(hour)}" for hour in HOURS], ("hourly", 960, HOURLY), id="seconds as text"),
        pytest.param([seconds(hour) + 0.0 for hour in HOURS], ("hourly", 960, HOURLY), id="seconds as floats"),
        pytest.param([seconds(hour) * 1000 for hour in HOURS], ("hourly", 960, HOURLY), id="milliseconds"),
        pytest.param([seconds(hour) * 10**6 for hour in HOURS], ("hourly", 960, HOURLY), id="microseconds"),
        pytest.param([seconds(hour) * 10**9 for hour in HOURS], ("hourly", 960, HOURLY), id="nanoseconds"),
        pytest.param([f"{seconds(hour) * 10**9}" for hour in HOURS], ("hourly", 960, HOURLY), id="nanoseconds, text"),
        pytest.param([seconds(day) for day in MONTHS], ("monthly", 72, MONTHLY), id="months in seconds"),
        pytest.param(
            [seconds(day) for day in BUSINESS_DAYS],
            ("business days", 572, ["2022-03-11", "2022-03-14", "2022-03-15"]),
            id="business days in seconds",
        ),
        pytest.param([float(serial(hour)) for hour in HOURS], ("hourly", 960, HOURLY), id="hours of a spreadsheet"),
        pytest.param([f"{serial(hour):.6f}" for hour in HOURS], ("hourly", 960, HOURLY), id="hours, text"),
    ],
)
def test_numbers_that_are_times(times: list[Any], expected: tuple[str, int, list[str]]) -> None:
    assert future(times) == expected


@pytest.mark.parametrize("name", ["Date", "Datum", "ds", "order_date"])
def test_days_of_a_spreadsheet_by_the_name_of_the_column(name: str) -> None:
    assert future([serial(day) for day in DAYS], name=name) == ("daily", 800, DAILY)
    assert future([serial(day) for day in DAYS], name="t")[0] == "integer steps"


@pytest.mark.parametrize("days", [MONTHS, BUSINESS_DAYS, DAYS[::7], [day + timedelta(30) for day in MONTHS[::12]]])
def test_days_of_a_spreadsheet_that_only_a_calendar_explains(days: list[date]) -> None:
    numbers = [serial(day) for day in days]
    assert future(numbers, name="t") == future(days, name="t")


@pytest.mark.parametrize(
    ("times", "following"),
    [
        pytest.param(list(range(1900, 2020)), 2020, id="years"),
        pytest.param([*range(1901, 1913), *range(1950, 1960)], 1960, id="years with a gap"),
        pytest.param(list(range(1, 500)), 500, id="from 1"),
        pytest.param(list(range(20_001, 20_500)), 20_500, id="five digits"),
        pytest.param(list(range(200_001, 200_200)), 200_200, id="six digits"),
        pytest.param(list(range(2_000_001, 2_000_900)), 2_000_900, id="seven digits"),
        pytest.param(list(range(10_000_000, 10_000_300)), 10_000_300, id="eight digits"),
        pytest.param([202_012, 202_013], 202_014, id="two numbers of one year"),
    ],
)
def test_step_numbers_and_years_remain(times: list[int], following: int) -> None:
    frequency, _, stamps = future(times, 1, name="t")
    assert (frequency, stamps) == ("integer steps", [following])


@pytest.mark.parametrize(
    ("times", "code", "line"),
    [
        ([100 * y + w for y in (2018, 2019, 2020) for w in range(1, 54)], "no-such-part-of-the-year", 53),
        ([201_900 + w for w in range(1, 54)], "no-such-part-of-the-year", 53),
        ([100 * y + w for y in (2018, 2019, 2020) for w in range(53)], "no-such-part-of-the-year", 1),
        ([1000 * y + d for y in (2018, 2019, 2020) for d in range(1, 367)], "no-such-part-of-the-year", 366),
        ([100 * y + q for y, q in QUARTERS], "months-or-quarters", 1),
        ([f"{y}-{q:02d}" for y, q in QUARTERS], "months-or-quarters", 1),
    ],
)
def test_the_likely_meaning_is_named(times: list[Any], code: str, line: int) -> None:
    with pytest.raises(InputError) as raised:
        future(times)
    assert (raised.value.code, raised.value.line, raised.value.found) == (code, line, times[line - 1])


def test_the_wording_of_likely_meanings() -> None:
    with pytest.raises(InputError) as raised:
        future([100 * y + w for y in (2018, 2019, 2020) for w in range(1, 54)])
    assert str(raised.value) == (
        "the frame, row 53, column 'ds': found 201853: the column looks like weeks of a year, but 2018 has the ISO "
        "weeks 1 to 52, and this is 53. Write the first day of each week as YYYY-MM-DD."
    )


@pytest.mark.parametrize(
    ("times", "notation"),
    [
        (WEEKS, "YYYYWW (ISO weeks)"),
        ([seconds(hour) for hour in HOURS], "seconds since 1970 (UTC)"),
        (["2015-3", "2015-4", "2016-1"], "YYYYQ (quarters)"),
        ([serial(day) for day in DAYS], "days since 1899-12-30 (serial numbers of spreadsheets)"),
    ],
)
def test_the_reading_is_told(times: list[Any], notation: str) -> None:
    assert parse_times(pl.Series("ds", times), Source("a.csv")).digits == notation


def test_rows_in_any_order_and_repeated_in_several_series() -> None:
    shuffled = np.random.default_rng(3).permutation(np.tile(WEEKS, 2))
    stamps = parse_times(pl.Series("ds", shuffled), Source("a.csv"))
    weeks = [datetime.strptime(f"{week}1", "%G%V%u") for week in shuffled.tolist()]
    assert stamps.values.tolist() == weeks
