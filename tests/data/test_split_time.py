"""A time that is split over columns is read as one and said; advice names columns only if they tell rows apart.

Varied: the parts and their names, numbers, floats and text, names of months, clocks of 12 and 24 hours, ids, files and
frames, the order of rows, and columns that look like parts but are none.
"""

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from throughtime._errors import InputError
from throughtime.data.frames import from_native
from throughtime.data.future_covariates import with_future
from throughtime.data.panel import Panel
from throughtime.data.readers import read_panel
from throughtime.data.source import Source

HOURS = [datetime(2020, 1, 30) + timedelta(hours=k) for k in range(72)]
MONTHS = [datetime(2019 + k // 12, k % 12 + 1, 1) for k in range(30)]
DAYS = [datetime(2020, 1, 1) + timedelta(days=k) for k in range(70)]

SPLIT = {
    "year, month": (MONTHS, {"year": "%Y", "month": "%m"}, "monthly"),
    "Year, Month name": (MONTHS, {"Year": "%Y", "Month": "%B"}, "monthly"),
    "YR, mon": (MONTHS, {"YR": "%Y", "MON": "%b"}, "monthly"),
    "year, month, day": (DAYS, {"year": "%Y", "month": "%m", "day": "%d"}, "daily"),
    "year, month, day, hour": (HOURS, {"year": "%Y", "month": "%m", "day": "%d", "hour": "%H"}, "hourly"),
    "year, month, day, clock": (HOURS, {"year": "%Y", "month": "%m", "day": "%d", "at": "%H:%M"}, "hourly"),
    "date, hour": (HOURS, {"dteday": "%Y-%m-%d", "hr": "%H"}, "hourly"),
    "date and midnight, hour": (HOURS, {"Date": "%Y-%m-%d 00:00:00", "Hour": "%H"}, "hourly"),
    "date, hour ending": (HOURS, {"Date": "%d.%m.%Y", "HE": None}, "hourly"),
    "date, HHMM": (HOURS, {"Date": "%d.%m.%Y", "Time": "%H00"}, "hourly"),
    "Date, Time": (HOURS, {"Date": "%d/%m/%Y", "Time": "%H:%M:%S"}, "hourly"),
    "Date, Time of UCI": (HOURS, {"Date": "%d/%m/%Y", "Time": "%H.%M.%S"}, "hourly"),
    "Date, Time of 12 hours": (HOURS, {"Date": "%Y-%m-%d", "Time": "%I:%M %p"}, "hourly"),
    "year, quarter": ([MONTHS[k] for k in range(0, 30, 3)], {"year": "%Y", "quarter": "quarter"}, "quarterly"),
    "year, week": (
        [datetime(2019, 12, 30) + timedelta(7 * k) for k in range(60)],
        {"year": "%G", "week": "%V"},
        "weekly",
    ),
    "date, hour, minute": (
        [datetime(2020, 1, 1) + timedelta(minutes=15 * k) for k in range(200)],
        {"date": "%Y-%m-%d", "hour": "%H", "minute": "%M"},
        "every 15 minutes",
    ),
}


def table_of(kind: str) -> tuple[pl.DataFrame, list[datetime]]:
    times, parts, _ = SPLIT[kind]
    columns: dict[str, list] = {}
    for name, form in parts.items():
        if form is None:
            columns[name] = [time.hour + 1 for time in times]
        elif form == "quarter":
            columns[name] = [f"Q{(time.month + 2) // 3}" for time in times]
        else:
            columns[name] = [time.strftime(form) for time in times]
    return pl.DataFrame({**columns, "sold": [float(k % 7) for k in range(len(times))]}), times


WAYS = ["frame", "pandas", "reversed", "id"]


@pytest.mark.parametrize(
    ("kind", "way"), [(kind, way) for k, kind in enumerate(SPLIT) for way in ("file", WAYS[k % len(WAYS)])]
)
def test_a_split_time(kind: str, way: str, tmp_path: Path) -> None:
    table, times = table_of(kind)
    if way == "file":
        table.write_csv(tmp_path / "a")
        panel = read_panel(tmp_path / "a")
    elif way == "id":
        both = pl.concat([table.with_columns(shop=pl.lit(name)) for name in "ab"])
        panel = Panel.from_frame(both, id="shop")
        assert panel.ids.tolist() == ["a", "b"]
    else:
        frame = {"frame": table, "pandas": table.to_pandas(), "reversed": table.reverse()}[way]
        panel = Panel.from_frame(frame)
    shift = timedelta(hours=1) if kind == "date, hour ending" else timedelta(0)
    assert panel.times(0).astype("datetime64[us]").tolist() == [time + shift for time in times]
    assert panel.frequency.describe() == SPLIT[kind][2]
    assert panel.series(0).tolist() == table["sold"].to_list()
    said = next(note for note in panel.notes if note.startswith("Time in"))
    assert all(f"'{name}'" in said for name in SPLIT[kind][1])


def test_parts_of_numbers() -> None:
    table, times = table_of("year, month, day, hour")
    for dtype in (pl.Int64, pl.Float64, pl.Int16):
        panel = Panel.from_frame(table.with_columns(pl.exclude("sold").cast(pl.Int64).cast(dtype)))
        assert panel.times(0).astype("datetime64[us]").tolist() == times


def test_a_future_of_split_time() -> None:
    table, _ = table_of("date, hour")
    table = table.with_columns(price=pl.int_range(pl.len()).cast(pl.Float64))
    panel = Panel.from_frame(table.head(60), target="sold", future=["price", "hr"])
    actual = with_future(panel, from_native(table.tail(12)), Source("the frame"), 12)
    np.testing.assert_array_equal(actual.covariates.future[0].values, np.arange(72.0))


def test_a_split_time_that_is_named() -> None:
    table, times = table_of("date, hour")
    panel = Panel.from_frame(table.rename({"hr": "Time"}), time="dteday + Time")
    assert panel.times(0).astype("datetime64[us]").tolist() == times
    with pytest.raises(InputError) as raised:
        Panel.from_frame(table, time="dteday + sold")
    assert raised.value.code == "no-such-column"


def test_columns_that_are_no_parts() -> None:
    dates = pl.DataFrame({"date": DAYS, "year": [d.year for d in DAYS], "month": [d.month for d in DAYS]})
    panel = Panel.from_frame(dates.with_columns(y=pl.lit(1.5)))
    assert panel.frequency.describe() == "daily"
    yearly = pl.DataFrame({"year": range(1990, 2020), "month": [7] * 30, "y": [1.5] * 30})
    assert Panel.from_frame(yearly, target="y", time="year").frequency.describe() == "integer steps"


def test_a_part_that_is_no_date() -> None:
    table = pl.DataFrame({"year": [2019] * 3, "month": [1, 2, 2], "day": [31, 1, 30], "y": [1.0, 2, 3]})
    with pytest.raises(InputError) as raised:
        Panel.from_frame(table)
    assert (raised.value.code, raised.value.line, raised.value.found) == ("not-a-time", 3, "2019-02-30")


# The advice


def advised(table: pl.DataFrame, **columns: str) -> str | None:
    with pytest.raises(InputError) as raised:
        Panel.from_frame(table, **columns)
    assert raised.value.code == "duplicate-time"
    message = str(raised.value)
    return message.rpartition("--id ")[2].split()[0] if "--id" in message else None


TWICE = pl.DataFrame({"day": DAYS[:20] * 2, "sold": [k / 7 for k in range(40)]})


@pytest.mark.parametrize("dtype", [pl.String, pl.Int64, pl.Categorical])
def test_a_column_that_tells_the_series_apart_is_advised(dtype: pl.DataType) -> None:
    names = pl.Series([1] * 20 + [2] * 20).cast(pl.String).cast(dtype)
    table = TWICE.with_columns(
        row=pl.int_range(40).cast(pl.String),  # a number for each row names no series
        weather=pl.Series(["sun", "rain"] * 20),
        store=names,
    )
    assert advised(table, time="day", target="sold") == "store"


def test_no_column_is_advised_without_one_that_tells_the_rows_apart() -> None:
    assert advised(TWICE) is None
    table = TWICE.with_columns(weather=pl.Series(["sun", "rain"] * 20), row=pl.int_range(40).cast(pl.String))
    assert advised(table, time="day", target="sold") is None


def test_a_name_of_series_that_is_no_column_is_an_error_of_names() -> None:
    with pytest.raises(InputError) as raised:
        Panel.from_frame(table_of("year, month, day, hour")[0], id="store")
    assert (raised.value.code, raised.value.found) == ("no-such-column", "store")


@pytest.mark.parametrize(
    ("column", "value"), [("month", "13"), ("month", "x"), ("day", "0"), ("hour", "x"), ("at", "25 h")]
)
def test_a_part_that_cannot_be_read(column: str, value: str) -> None:
    table, _ = table_of("year, month, day, clock" if column == "at" else "year, month, day, hour")
    table = pl.concat([table] * 3)  # longer than the rows that show the parts
    row = len(table) - 2
    wrong = pl.int_range(pl.len()) == row
    table = table.with_columns(pl.when(wrong).then(pl.lit(value)).otherwise(column).alias(column))
    with pytest.raises(InputError) as raised:
        Panel.from_frame(table)
    assert (raised.value.code, raised.value.line, raised.value.column) == ("not-a-time", row + 1, column)
