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
