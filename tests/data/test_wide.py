"""Wide tables, with a column for each time stamp, are recognized, made long, and said.

Varied: how the time stamps are written, the number of columns and rows, the columns beside them, ids (one column, two,
none, named), missing values, files and frames, and tables that are not wide.
"""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from throughtime._errors import InputError
from throughtime.data.panel import Panel
from throughtime.data.readers import read_panel

DAYS = [date(2015, 7, 1) + timedelta(k) for k in range(400)]
MONTHS = [date(2015 + k // 12, k % 12 + 1, 1) for k in range(40)]
STAMPS = {
    "days": [f"{day}" for day in DAYS],
    "three days": [f"{day}" for day in DAYS[:3]],
    "days first": [f"{day:%d.%m.%Y}" for day in DAYS],
    "months first": [f"{day:%m/%d/%Y}" for day in DAYS],
    "months": [f"{day:%Y-%m}" for day in MONTHS],
    "names of months": [f"{day:%b %Y}" for day in MONTHS],
    "hours": [f"{DAYS[0]} {hour:02d}:00" for hour in range(24)],
    "years": [str(year) for year in range(1960, 2020)],
}


def table_of(stamps: list[str]) -> pl.DataFrame:
    columns = {stamp: [k + 0.5, None if k == 1 else k * 2.0] for k, stamp in enumerate(stamps)}
    return pl.DataFrame({"Page": ["b,x", "a"], "Lat": [1.5, 1.5], **columns})


def check(panel: Panel, steps: int) -> None:
    assert panel.ids.tolist() == ["b,x", "a"]
    np.testing.assert_array_equal(panel.series(0), np.arange(steps) + 0.5)
    np.testing.assert_array_equal(panel.series(1), [np.nan if k == 1 else k * 2.0 for k in range(steps)])
    assert any(note.startswith("The table is wide") and f"{steps:,} time stamps" in note for note in panel.notes)


WAYS = ["polars", "semicolons", "pandas", "Parquet", "pyarrow"]


@pytest.mark.parametrize(
    ("kind", "way"), [(kind, way) for k, kind in enumerate(STAMPS) for way in ("CSV", WAYS[k % len(WAYS)])]
)
def test_a_wide_table(kind: str, way: str, tmp_path: Path) -> None:
    table, path = table_of(STAMPS[kind]), tmp_path / "a"
    if way in ("CSV", "semicolons", "Parquet"):
        if way == "Parquet":
            table.write_parquet(path)
        else:
            table.write_csv(path, separator="," if way == "CSV" else ";")
        panel = read_panel(path)
    else:
        panel = Panel.from_frame({"polars": table, "pandas": table.to_pandas(), "pyarrow": table.to_arrow()}[way])
    check(panel, len(STAMPS[kind]))


def test_two_columns_name_the_series(tmp_path: Path) -> None:
    lines = ["Province,Country,Lat," + ",".join(STAMPS["months"])]
    lines += [f"{name},{k}.5," + ",".join(map(str, range(k, k + 40))) for k, name in enumerate([",F", "Q,F", "Q,E"])]
    (tmp_path / "a").write_text("\n".join(lines))
    panel = read_panel(tmp_path / "a", static="Country")
    assert panel.ids.tolist() == ["F", "Q/F", "Q/E"]
    assert panel.values.tolist() == [*range(40), *range(1, 41), *range(2, 42)]
    named = read_panel(tmp_path / "a", id="Lat")
    assert named.ids.tolist() == ["0.5", "1.5", "2.5"]


def test_one_row_without_a_name() -> None:
    panel = Panel.from_frame(pl.DataFrame({stamp: [k * 1.0] for k, stamp in enumerate(STAMPS["days"])}))
    assert panel.series(0).tolist() == list(range(400))


def test_an_error_names_the_line(tmp_path: Path) -> None:
    table_of(STAMPS["months"]).cast(pl.String).with_columns(pl.Series("2015-04", ["1", "x"])).write_csv(tmp_path / "a")
    with pytest.raises(InputError) as raised:
        read_panel(tmp_path / "a")
    assert (raised.value.code, raised.value.line, raised.value.found) == ("not-a-number", 3, "x")


@pytest.mark.parametrize(
    "header", ["2015-07-01,5", "west,2015-07-01,5", "west,2015-07-01,2015-07-02,5", "2001,7", "a,2001,2003,2002"]
)
def test_rows_without_header_are_not_wide(header: str, tmp_path: Path) -> None:
    (tmp_path / "a").write_text(f"{header}\n{header}\n")
    with pytest.raises(InputError) as raised:
        read_panel(tmp_path / "a")
    assert raised.value.code in ("no-header", "no-time-column", "duplicate-column", "several-time-columns")
    assert len(str(raised.value)) < 300


MONTH_NAMES = [f"{date(2000, month, 1):%b}" for month in range(1, 13)]
FULL_NAMES = [f"{date(2000, month, 1):%B}" for month in range(1, 13)]
SPELLINGS = {
    "stamps with prefixes": ("X1990 X1991 X1992 X1993", "integer steps"),
    "fiscal years": ("FY1990 FY1991 FY1992", "integer steps"),
    "years of the World Bank": ("1990 [YR1990],1991 [YR1991],1992 [YR1992]", "integer steps"),
    "years, falling": ("1992 1991 1990", "integer steps"),
    "months in digits": ("201011 201012 201101", "monthly"),
    "days in digits": ("20191230 20191231 20200101", "daily"),
    "quarters": ("2019Q4 2020Q1 2020Q2", "quarterly"),
    "numbered": (" ".join(f"d_{k}" for k in range(1, 15)), "integer steps"),
}


@pytest.mark.parametrize("kind", SPELLINGS)
def test_spellings_of_times_in_names(kind: str, tmp_path: Path) -> None:
    names, frequency = SPELLINGS[kind]
    times = names.split(",") if "," in names else names.split()
    lines = [
        ",".join(["region", *times]),
        *(",".join([name, *map(str, range(k, k + len(times)))]) for k, name in ((3, "b"), (9, "a"))),
    ]
    (tmp_path / "a").write_text("\n".join(lines))
    panel = read_panel(tmp_path / "a")
    assert (panel.ids.tolist(), panel.frequency.describe(), len(panel.values)) == (
        ["b", "a"],
        frequency,
        2 * len(times),
    )
    assert panel.series(1).tolist() == sorted(range(9, 9 + len(times)), reverse=kind == "years, falling")


CROSSED = {
    "months": ("Year", [2019, 2020], MONTH_NAMES, "monthly", "2019-01-01"),
    "months in capitals": ("YEAR", [2019, 2020], [name.upper() for name in MONTH_NAMES], "monthly", "2019-01-01"),
    "full names": ("year", [2019, 2020], FULL_NAMES, "monthly", "2019-01-01"),
    "numbers of months": ("Year", [2019, 2020], [str(k) for k in range(1, 13)], "monthly", "2019-01-01"),
    "M01": ("Year", [2019, 2020], [f"M{k:02d}" for k in range(1, 13)], "monthly", "2019-01-01"),
    "quarters": ("Year", [2018, 2019, 2020], ["Q1", "Q2", "Q3", "Q4"], "quarterly", "2018-01-01"),
    "weeks": ("Year", [2018, 2019], [f"W{k}" for k in range(1, 53)], "weekly", "2018-01-01"),
    "hours from 0": ("Date", ["2020-01-01", "2020-01-02"], [str(k) for k in range(24)], "hourly", "2020-01-01"),
    "hours from 1": ("Date", ["01.01.2020", "13.01.2020"], [f"H{k}" for k in range(1, 25)], "hourly", "2020-01-01T01"),
    "times of day": ("Date", ["2020-01-01", "2020-01-02"], [f"{k:02d}:00" for k in range(24)], "hourly", "2020-01-01"),
    "years": ("Month", MONTH_NAMES, ["2018", "2019", "2020"], "monthly", "2018-01-01"),
}


@pytest.mark.parametrize("kind", CROSSED)
def test_names_that_are_parts_of_the_rows_times(kind: str, tmp_path: Path) -> None:
    """One series and two, columns of totals, empty cells at the end, and frames."""
    name, rows, columns, frequency, first = CROSSED[kind]
    size = len(rows) * len(columns)
    cells = np.arange(float(size)).reshape(len(rows), len(columns))
    if kind == "years":
        cells = np.arange(float(size)).reshape(len(columns), len(rows)).T
    alone = pl.DataFrame(
        {name: rows, **{column: cells[:, k] for k, column in enumerate(columns)}, "Total": [0.0] * len(rows)}
    )
    both = pl.concat(
        [alone.with_columns(city=pl.lit("b")), alone.with_columns(pl.col(columns) + 500, city=pl.lit("a"))]
    )
    ended = alone.with_columns(pl.Series(columns[-1], [*cells[:-1, -1], None]))
    alone.write_csv(tmp_path / "a", separator=";")
    ended.write_csv(tmp_path / "b")
    for panel in (
        read_panel(tmp_path / "a"),
        Panel.from_frame(alone.to_pandas()),
        Panel.from_frame(both, id="city"),
        Panel.from_frame(both),
    ):
        assert panel.frequency.describe() == frequency
        assert panel.times(0)[0] == np.datetime64(first)
        known = panel.series(0)[~np.isnan(panel.series(0))]
        np.testing.assert_array_equal(known, np.arange(size))
        assert any(note.startswith("The table is wide") for note in panel.notes)
    assert panel.ids.tolist() == ["b", "a"]
    np.testing.assert_array_equal(panel.series(1), panel.series(0) + 500)
    assert read_panel(tmp_path / "b").values[-1] == size - 2


def test_every_column_of_numbers_on_request() -> None:
    frame = pl.DataFrame({"day": DAYS[:5], "a": range(5), "text": list("abcde"), "b": [0.5] * 5})
    panel = Panel.from_frame(frame, target="*")
    assert (panel.ids.tolist(), panel.series(0).tolist(), panel.series(1).tolist()) == (
        ["a", "b"],
        [*range(5)],
        [0.5] * 5,
    )
    assert Panel.from_frame(frame, target="*", future="b").ids.tolist() == ["a"]
    wide = pl.DataFrame({"Year": [2019, 2020], **{month: [1.0, 2.0] for month in MONTH_NAMES}})
    assert len(Panel.from_frame(wide, target="*").values) == 24
    assert Panel.from_frame(wide, target="Jan", time="Year").ids.tolist() == ["Jan"]
