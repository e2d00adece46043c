"""One axis, written in many ways."""

from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest

from throughtime._errors import InputError
from throughtime.data.source import Source
from throughtime.data.timestamps import parse_times, share_of_dates

SOURCE = Source("a.csv")


def parsed(*texts: str) -> tuple[list[str], str | None]:
    stamps = parse_times(pl.Series("ds", texts), SOURCE)
    return np.datetime_as_string(stamps.values, unit="s").tolist(), stamps.zone


@pytest.mark.parametrize(
    "texts",
    [
        ("2024-02-01", "2024-03-01"),
        ("2024-02", "2024-03"),
        (" 2024-2-1", "2024-3-1 "),
        ("2024-02-01 00:00:00", "2024-03-01 00:00"),
        ("2024-02-01", "2024-03-01T00:00:00.000"),
        ("2024/02/01", "2024/03/01"),
        ("01.02.2024", "01.03.2024"),
        ("20240201", "20240301"),
        ("202402", "202403"),
        ("02/2024", "03/2024"),
        ("Feb 2024", "Mar 2024"),
        ("February 2024", "March 2024"),
        ("2024 Feb", "2024 Mar"),
        ("01-Feb-2024", "01-Mar-2024"),
        ("February 1, 2024", "March 1, 2024"),
        ("02/01/2024 12:00 AM", "03/01/2024 12:00:00 AM", "03/13/2024 12:00 AM"),
    ],
)
def test_first_days_of_february_and_march(texts: tuple[str, ...]) -> None:
    assert parsed(*texts)[0][:2] == ["2024-02-01T00:00:00", "2024-03-01T00:00:00"]


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (("2024Q1", "2024-Q4"), ["2024-01-01", "2024-10-01"]),
        (("2024-W01", "2024W09"), ["2024-01-01", "2024-02-26"]),
        (("01/02/2024", "13/02/2024"), ["2024-02-01", "2024-02-13"]),
        (("01/02/2024", "02/13/2024"), ["2024-01-02", "2024-02-13"]),
        (("01-02-2024", "13-02-2024"), ["2024-02-01", "2024-02-13"]),
    ],
)
def test_other_ways(texts: tuple[str, ...], expected: list[str]) -> None:
    assert parsed(*texts)[0] == [f"{day}T00:00:00" for day in expected]


def test_a_column_decides_late_whether_the_day_comes_first() -> None:
    texts = [f"{day:02d}/{month:02d}/2024" for month in range(1, 13) for day in range(1, 13)] * 2 + ["13/01/2024"]
    assert parsed(*texts)[0][1] == "2024-01-02T00:00:00"


@pytest.mark.parametrize(
    ("written", "zone", "first"),
    [
        ("Z", "UTC", "2024-03-31T01:30:00"),
        ("+00:00", "UTC", "2024-03-31T01:30:00"),
        (" UTC", "UTC", "2024-03-31T01:30:00"),
        ("+02:00", "+02:00", "2024-03-30T23:30:00"),
        ("+02", "+02:00", "2024-03-30T23:30:00"),
        ("-0430", "-04:30", "2024-03-31T06:00:00"),
    ],
)
def test_offsets(written: str, zone: str, first: str) -> None:
    values, found = parsed(f"2024-03-31T01:30{written}", f"2024-03-31T02:30:00.0{written}")
    assert (values[0], found) == (first, zone)


def test_two_names_of_one_zone() -> None:
    assert parsed("2024-03-31T01:30Z", "2024-03-31T02:30+00:00")[1] == "UTC"


@pytest.mark.parametrize("values", [["1", "2", "-3"], ["1.0", "2.", "-3.00"], [1, 2, -3], [1.0, 2.0, -3.0]])
def test_integers(values: list) -> None:
    stamps = parse_times(pl.Series("t", values), SOURCE)
    assert stamps.values.dtype == np.int64
    assert (stamps.values.tolist(), stamps.stamp, stamps.digits) == ([1, 2, -3], "int64", None)


def test_years_are_integers_and_digits_may_be_dates() -> None:
    assert parse_times(pl.Series("year", ["1949", "1950"]), SOURCE).values.tolist() == [1949, 1950]
    assert parse_times(pl.Series("t", [202012, 202013]), SOURCE).values.tolist() == [202012, 202013]
    stamps = parse_times(pl.Series("month", [202012, 202101]), SOURCE)
    assert stamps.values.astype("datetime64[M]").astype(str).tolist() == ["2020-12", "2021-01"]
    assert stamps.digits == "YYYYMM"


def spoken(form: str) -> list[str]:
    """Twenty days from 2020-05-05 on in a format."""
    return [(datetime(2020, 5, 5) + timedelta(k)).strftime(form) for k in range(20)]


@pytest.mark.parametrize(
    "form", ["%d/%m/%y", "%m/%d/%y", "%d.%m.%y", "%d-%m-%y", "%m-%d-%y", "%y-%m-%d", "%y/%m/%d", "%d-%b-%y", "%d %b %y"]
)
@pytest.mark.parametrize("clock", ["", " 0:00", " 12:00 AM"])
def test_years_of_two_digits(form: str, clock: str) -> None:
    values, zone = parsed(*(day + clock for day in spoken(form)))
    assert (values[0], values[-1], zone) == ("2020-05-05T00:00:00", "2020-05-24T00:00:00", None)


@pytest.mark.parametrize(
    ("texts", "first", "last"),
    [
        (("31/12/99", "1/1/00", "2/1/00"), "1999-12-31", "2000-01-02"),
        (("5-Jan-09", "6-Jan-09", "7-Jan-09"), "2009-01-05", "2009-01-07"),
        (("Dec-19", "Jan-20", "Feb-20"), "2019-12-01", "2020-02-01"),
        (("13.02.15", "12.02.15"), "2015-02-13", "2015-02-12"),
    ],
)
def test_centuries_of_two_digits(texts: tuple[str, ...], first: str, last: str) -> None:
    values, _ = parsed(*texts)
    assert (values[0], values[-1]) == (f"{first}T00:00:00", f"{last}T00:00:00")


@pytest.mark.parametrize(
    ("texts", "code"),
    [
        (("01/02/15", "02/02/15", "03/02/15"), "day-or-month-first"),
        (("12/02/20", "13/02/20"), "not-a-time"),  # may be 2012 and 2013
        (("1-01", "1-02", "1-03"), "not-a-time"),
        (("20-13-45", "20-13-46"), "not-a-time"),
    ],
)
def test_years_of_two_digits_that_may_be_another(texts: tuple[str, ...], code: str) -> None:
    with pytest.raises(InputError) as raised:
        parsed(*texts)
    assert (raised.value.code, raised.value.line, raised.value.found) == (code, 1, texts[0])


def test_a_year_without_four_digits_is_named_as_the_cause() -> None:
    with pytest.raises(InputError, match=r"It has no year of four digits: write dates as YYYY-MM-DD$"):
        parsed("12/02/20", "13/02/20")


@pytest.mark.parametrize(
    "form", ["Q{q} {y}", "Q{q}-{y}", "Q{q}/{y}", "{q}Q{y}", "{y}q{q}", "{y}Q{q}", "{y}-Q{q}", "{y}:Q{q}", "{y} Q{q}"]
)
def test_quarters(form: str) -> None:
    assert parsed(*(form.format(y=2019 + k // 4, q=k % 4 + 1) for k in (0, 3, 5)))[0] == [
        f"{day}T00:00:00" for day in ("2019-01-01", "2019-10-01", "2020-04-01")
    ]


@pytest.mark.parametrize("form", ["{y}-W{w}", "{y}w{w:02d}", "W{w:02d} {y}", "W{w}/{y}", "{y} W{w}", "{y}-W{w:02d}"])
def test_weeks(form: str) -> None:
    assert parsed(*(form.format(y=y, w=w) for y, w in ((2020, 1), (2020, 53), (2021, 9))))[0] == [
        f"{day}T00:00:00" for day in ("2019-12-30", "2020-12-28", "2021-03-01")
    ]


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (("20200131T235900", "20200201T000500"), ["2020-01-31T23:59:00", "2020-02-01T00:05:00"]),
        (("20200131T2359", "20200201T0005"), ["2020-01-31T23:59:00", "2020-02-01T00:05:00"]),
        (("2020M01", "2020M11"), ["2020-01-01T00:00:00", "2020-11-01T00:00:00"]),
        (("2020-02-28 23:00", "2020-02-28 24:00"), ["2020-02-28T23:00:00", "2020-02-29T00:00:00"]),
        (("2020-12-31T24:00:00Z", "2021-01-01T01:00:00Z"), ["2021-01-01T00:00:00", "2021-01-01T01:00:00"]),
        (("31/12/2019 11:00 p.m.", "01/01/2020 1:00 a.m."), ["2019-12-31T23:00:00", "2020-01-01T01:00:00"]),
    ],
)
def test_months_and_times_of_day(texts: tuple[str, ...], expected: list[str]) -> None:
    assert parsed(*texts)[0] == expected


@pytest.mark.parametrize(
    ("texts", "advice"),
    [
        (("2020-03-29T00:00+01:00", "2020-03-30T00:00+02:30"), "drop the offsets"),
        (("2020-03-29 06:30:00+00:00", "2020-03-30 06:30:00+01:15"), "drop the offsets"),
        (("2020-03-29T00:00+01:00", "2020-03-29T03:00+02:30"), "Convert all time stamps to UTC"),
        (("2020-03-29T00:00Z", "2020-03-30T00:00"), "Convert all time stamps to UTC"),
    ],
)
def test_the_way_out_of_mixed_offsets(texts: tuple[str, ...], advice: str) -> None:
    with pytest.raises(InputError, match=advice) as raised:
        parsed(*texts)
    assert (raised.value.code, raised.value.found) == ("mixed-time-zones", texts[1])


def test_decimal_numbers_that_are_dates() -> None:
    weeks = pl.Series("week", ["201852", "201901", "201902"]).cast(pl.Decimal(10, 0))
    assert parse_times(weeks, SOURCE).values.astype("datetime64[D]").astype(str).tolist()[:2] == [
        "2018-12-24",
        "2018-12-31",
    ]


def test_categories_that_are_dates() -> None:
    texts = ["2020-01-31", "2020-02-29"]
    for kind in (pl.Categorical, pl.Enum(texts)):
        assert (
            parse_times(pl.Series("day", texts, dtype=kind), SOURCE).values.astype("datetime64[D]").astype(str).tolist()
            == texts
        )
        assert share_of_dates(pl.Series("day", texts, dtype=kind)) == 1
