"""CSV and Parquet files of every kind give the same panel, and real files are read as they are."""

import gzip
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from throughtime.data.panel import Panel
from throughtime.data.readers import read_panel

FRAME = pl.DataFrame(
    {
        "unique_id": ["a, the first", "a, the first", 'b "2"', 'b "2"', 'b "2"'],
        "ds": [date(2024, 2, 28), date(2024, 2, 29), date(2024, 3, 1), date(2024, 3, 2), date(2024, 3, 3)],
        "y": [1.5, -2.0, 1e6, None, 4.25],
    }
)


def check(panel: Panel) -> None:
    assert panel.ids.tolist() == ["a, the first", 'b "2"']
    assert panel.offsets.tolist() == [0, 2, 5]
    np.testing.assert_array_equal(panel.values, [1.5, -2.0, 1e6, np.nan, 4.25])
    np.testing.assert_array_equal(panel.times(1), np.arange("2024-03-01", "2024-03-04", dtype="datetime64[D]"))


WAYS: dict[str, Callable[[Path], object]] = {
    "comma": lambda path: FRAME.write_csv(path),
    "semicolon": lambda path: FRAME.write_csv(path, separator=";"),
    "decimal comma": lambda path: FRAME.write_csv(path, separator=";", decimal_comma=True, float_scientific=False),
    "tab": lambda path: FRAME.write_csv(path, separator="\t"),
    "quoted": lambda path: FRAME.write_csv(path, quote_style="always"),
    "Windows": lambda path: FRAME.write_csv(path, include_bom=True, line_terminator="\r\n"),
    "NA": lambda path: FRAME.write_csv(path, null_value="NA"),
    "gzip": lambda path: path.write_bytes(gzip.compress(FRAME.write_csv().encode())),
    "no last newline": lambda path: path.write_text(FRAME.write_csv().rstrip()),
    "blank lines": lambda path: path.write_text("\n\n" + FRAME.write_csv().replace("\n", "\n\r\n") + "\n\n"),
    "empty rows": lambda path: path.write_text(FRAME.write_csv() + ",,\n,,\n"),
    "Parquet": lambda path: FRAME.write_parquet(path),
}


@pytest.mark.parametrize("way", WAYS)
def test_every_way_to_write_a_file(way: str, tmp_path: Path) -> None:
    path = tmp_path / "a file"
    WAYS[way](path)
    check(read_panel(path))


def test_fields_may_hold_separators_and_lines(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('note,ds,y\n"one, two\nthree ""3""",1,5\nx,2,7\n', encoding="utf-8")
    np.testing.assert_array_equal(read_panel(path).values, [5.0, 7.0])


def test_columns_by_name(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(
        "shop,week,day,sold,left\nx,1,2024-01-01,3,9\ny,1,2024-01-02,4,8\nx,2,2024-01-03,5,7\ny,2,2024-01-04,6,6\n"
    )
    panel = read_panel(path, id="shop", time="week", target="left")
    assert panel.ids.tolist() == ["x", "y"]
    assert panel.values.tolist() == [9.0, 7.0, 8.0, 6.0]
    assert "Ignored the columns 'day', 'sold'." in panel.notes


@pytest.mark.parametrize(
    ("file", "target", "series", "steps", "words", "coming"),
    [
        ("air_passengers.csv", None, 1, 144, "monthly", "1961-01-01"),
        ("monthly_sunspots.csv", None, 1, 2820, "monthly", "1984-01-01"),
        ("ETTh1.csv", "OT", 1, 17420, "hourly", "2018-06-26T20"),
        ("m4_hourly_train.csv.gz", None, 414, 353500, "integer steps", None),
        ("m4_weekly_train.csv.gz", None, 359, 366912, "integer steps", None),
        ("cif2016.csv.gz", None, 72, None, "integer steps", None),
        ("nn5_daily.csv.gz", None, 111, 111 * 791, "integer steps", None),
        ("hospital.csv.gz", None, 767, 767 * 84, "integer steps", None),
        ("us_births.csv.gz", None, 1, 7305, "integer steps", None),
    ],
)
def test_real_files(
    shared_data: Path, file: str, target: str | None, series: int, steps: int | None, words: str, coming: str | None
) -> None:
    panel = read_panel(shared_data / file, target=target)
    assert (len(panel), panel.frequency.describe()) == (series, words)
    assert steps in (None, len(panel.values))
    if coming is not None:
        assert panel.future(1)[1] == np.datetime64(coming)


def test_missing_values_of_a_real_file(shared_data: Path) -> None:
    panel = read_panel(shared_data / "nn5_daily.csv.gz")
    assert np.isnan(panel.values).sum() == 1677
    assert "1,677 values missing in the rows." in panel.notes
