"""Every bad table raises one error, whose fields and message say where it is, what was found and what was expected."""

from contextlib import nullcontext
from pathlib import Path

import polars as pl
import pytest
from tests.bad_inputs import BAD_INPUTS, BadInput, without_rights

from throughtime._errors import InputError
from throughtime.data.panel import Panel
from throughtime.data.readers import read_panel

# The wording of each kind of message, checked here and nowhere else.
CSV = "a CSV file (text in UTF-8; may be packed as .gz) or a Parquet file"
TIME = "a date such as 1949-01 or 1949-01-31, a date-time such as 1949-01-31 13:00, or an integer"
MESSAGES = {
    "empty file": f"a.csv: the file is empty, expected {CSV}",
    "header only": "a.csv: no rows below the names of the columns, expected one for each series and time",
    "no header": "a.csv, line 1: found 1949-01, 112, expected the names of the columns, such as ds,y",
    "one column": (
        "a.csv, line 1: found one column, expected two or more (time and value) between commas, semicolons, tabs or "
        "pipes"
    ),
    "named column missing": (
        "a.csv: no column 'sale' (--target COLUMN (target= in Python)): the columns are 'ds', 'sales'. "
        "Did you mean 'sales'?"
    ),
    "one column for two roles": (
        "a.csv, column 'ds': series, time, values and covariates must be different columns, "
        "found 'ds', 'ds': 'ds' twice"
    ),
    "no time column": (
        "a.csv: no time column: none of 'a', 'b' holds dates, or integers under a name such as 'ds', 'time' or 't'. "
        "Name it with --time COLUMN (time= in Python)."
    ),
    "no values column": (
        "a.csv: no column of numbers to forecast besides the time: found 'b' (such as 'x'). "
        "Name it with --target COLUMN (target= in Python)."
    ),
    "two time columns": (
        "a.csv: the columns 'sold', 'paid' could all be the time. Choose one with --time COLUMN (time= in Python)."
    ),
    "two value columns": (
        "a.csv: the columns 'in', 'out' could all be the values to forecast. "
        "Choose one with --target COLUMN (target= in Python), or forecast each of them with --wide "
        "(target='*' in Python)."
    ),
    "text in the target": (
        "a.csv, line 5, column 'y': found 'closed', expected a number, or nothing where it is missing"
    ),
    "an infinite value": (
        "a.csv, line 3, column 'y': found '-inf', expected a finite number of at most 1e+300 in size, "
        "or nothing where missing"
    ),
    "all values missing": "a.csv, column 'y': all values are missing, expected numbers",
    "a time stamp missing": "a.csv, line 3, column 'ds': no time stamp",
    "an unreadable date": f"a.csv, line 3, column 'ds': found '2020-01-32', expected {TIME}",
    "day or month first": (
        "a.csv, line 2, column 'ds': '01/02/2020' may be 2020-02-01 or 2020-01-02: all dates of the column can be "
        "read with the day or the month first. Write them as YYYY-MM-DD."
    ),
    "several series without id": (
        "a.csv, line 4, column 'ds': duplicate time stamps: found 2020-01-01 (line 2) again; expected one row for "
        "each. If the table holds several series, name the column that tells them apart, such as 'store': "
        "--id store (id= in Python)"
    ),
    "duplicates in a series": (
        "a.csv, line 6, column 'ds': duplicate time stamps of series 'east': found 2020-01-01 (line 4) again; "
        "expected one row for each"
    ),
    "a row without series": "a.csv, line 3, column 'unique_id': no name of a series",
    "mixed offsets": (
        "a.csv, line 3, column 'ds': mixed time zones: found '2020-03-29T03:00+02:30', "
        "but '2020-03-29T01:00+01:00' in line 2. Convert all time stamps to UTC."
    ),
    "one irregular time stamp": (
        "a.csv, line 5, column 'ds': irregular time stamps: 2020-01-28 (line 5) is 8 days after 2020-01-20 (line 4), "
        "but most are 7 days apart. Correct it, or resample the series to regular steps."
    ),
    "irregular time stamps": (
        "a.csv, line 5, column 'ds': irregular time stamps: 1 day from 2020-01-01 (line 2) to 2020-01-02 (line 3), "
        "but 42 days from 2020-02-09 (line 4) to 2020-03-22 (line 5); only 3 of 81 steps (daily) would have a row. "
        "Resample to regular steps, and put series of different frequencies into separate files."
    ),
    "one time stamp": (
        "a.csv, line 2, column 'ds': the frequency is unknown: no series has more than one time stamp, "
        "such as 2020-01-01 (line 2); expected two or more"
    ),
    "a row too long": "a.csv, line 22: found 3 fields, expected 2 between commas as in line 1",
    "an open quotation mark": ("a.csv, line 3: a quotation mark opens here or further down and is never closed"),
    "quotation marks inside": (
        "a.csv: quotation marks inside of fields; enclose such fields in quotation marks and double them"
    ),
    "a picture": f"a.csv: this is a PNG picture, expected {CSV}",
    "another encoding": (
        "a.csv, line 1: found the byte 0x81, which is not UTF-8: binary data or text in another encoding, "
        f"expected {CSV}"
    ),
    "truncated gzip": (
        "a.csv.gz: truncated or damaged gzip data (Compressed file ended before the end-of-stream marker was reached); "
        "get or write the file again"
    ),
    "text in a Parquet target": (
        "a.parquet, row 2, column 'y': found 'x', expected a number, or nothing where it is missing"
    ),
    "a folder": "a.csv: this is a folder, expected a CSV or Parquet file",
    "no such file": "a.csv: there is no such file",
    "no permission": "a.csv: no permission to read this file",
}


@pytest.mark.parametrize("case", BAD_INPUTS, ids=lambda case: case.name)
def test_a_bad_file(case: BadInput, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case.write(tmp_path / case.file)
    monkeypatch.chdir(tmp_path)  # a relative path: the folders above the test's are closed to other users
    with without_rights() if case.unprivileged else nullcontext(), pytest.raises(InputError) as raised:
        read_panel(case.file, **case.options)
    fields = raised.value.fields()
    fields.pop("expected", None)
    assert fields == case.fields()
    message = str(raised.value)
    assert message.startswith(case.file)
    assert "\n" not in message
    assert message == MESSAGES.get(case.name, message)


def test_every_kind_of_message_is_checked() -> None:
    """But that of damaged Parquet data, which polars words."""
    kinds = {case.name: case.code for case in BAD_INPUTS}
    assert {kinds[name] for name in MESSAGES} == set(kinds.values()) - {"damaged-parquet"}


@pytest.mark.parametrize(
    ("frame", "fields"),
    [
        ([1, 2, 3], {"code": "not-a-dataframe", "found": "builtins.list"}),
        (
            pl.DataFrame({"ds": [1, 2, 2], "y": [1, 2, 3]}),
            {"code": "duplicate-time", "file": "the frame", "line": 3, "column": "ds", "found": "2"},
        ),
        (
            pl.DataFrame({"ds": [1, 2], "y": [True, False]}),
            {"code": "wrong-type", "column": "y", "found": "Boolean", "expected": "numbers"},
        ),
        (
            pl.DataFrame({"ds": [1.0, 2.5], "y": [1, 2]}),
            {"code": "not-a-time", "line": 2, "column": "ds", "found": 2.5},
        ),
        (
            pl.DataFrame({"ds": [True, False], "y": [1, 2]}),
            {"code": "not-a-time", "column": "ds", "found": "Boolean"},
        ),
        (pl.DataFrame({"ds": [], "y": []}), {"code": "no-rows"}),
        (
            pl.DataFrame({"ds": [1, 2], "y": ["1", "x" * 1_000_000]}),
            {"code": "not-a-number", "line": 2, "found": f"{'x' * 80}... (1,000,000 characters)"},
        ),
        (
            pl.DataFrame({"unique_id": ["a/y", "a"], "ds": [1, 1], "y": [1, 2], "y/y": [3, 4]}),
            {"code": "duplicate-series"},
        ),
        (pl.DataFrame({"ds": [2**63, 2**63 + 1], "y": [1, 2]}), {"code": "not-a-time", "line": 1, "column": "ds"}),
        (
            pl.DataFrame({"ds": pl.Series([1, 1_000_000], dtype=pl.Datetime("ns")), "y": [1, 2]}),
            {"code": "nanoseconds", "line": 1, "column": "ds"},
        ),
    ],
)
def test_a_bad_frame(frame: object, fields: dict) -> None:
    target = ["y", "y/y"] if isinstance(frame, pl.DataFrame) and "y/y" in frame.columns else None
    with pytest.raises(InputError) as raised:
        Panel.from_frame(frame, target=target)
    assert fields.items() <= raised.value.fields().items()
