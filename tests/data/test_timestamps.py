"""One axis, written in many ways."""

import numpy as np
import polars as pl
import pytest

from throughtime.data.source import Source
from throughtime.data.timestamps import parse_times

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
