"""Input that cannot be used, and the words that its message must hold: tables for the reader and the command line.

BAD_INPUTS are files, BAD_OPTIONS what is asked of a good one. ODD_INPUTS are files that can be used, and what must be
said of them. What needs a process of its own has its own tests: Ctrl-C in test_interrupts.py, a disk or an output that
is full in test_cli.py.
"""

import gzip
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import polars as pl


@dataclass(frozen=True)
class BadInput:
    """One case.

    Attributes:
        name: what is wrong.
        file: the file's name.
        write: writes it, given the path.
        words: what the message must hold besides the file's name.
        options: the columns that are named: "id", "time", "target"; on the command line each with two dashes.
        unprivileged: whether to read it as a user without rights.
    """

    name: str
    file: str
    write: Callable[[Path], object]
    words: tuple[str, ...]
    options: dict[str, str] = field(default_factory=dict)
    unprivileged: bool = False


def text(content: str) -> Callable[[Path], object]:
    return lambda path: path.write_text(content, encoding="utf-8")


def binary(content: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(content)


def nothing(path: Path) -> None:
    """For a file that is not there."""


def forbidden(path: Path) -> None:
    path.write_text("ds,y\n2020-01-01,1\n2020-01-02,2\n")
    path.chmod(0)


def damaged_parquet(path: Path) -> None:
    pl.DataFrame({"ds": [1, 2, 3], "y": [1.0, 2.0, 4.0]}).write_parquet(path)
    path.write_bytes(path.read_bytes()[:-20])


@contextmanager
def without_rights() -> Iterator[None]:
    """As nobody, where the tests run as root, whom no permission stops."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


DAYS = "".join(f"2020-01-{day:02d},{day}\n" for day in range(1, 21))
WEEKS = "".join(f"{date(2020, 1, 6) + timedelta(weeks=week)},{week}\n" for week in range(12))
TWO_STORES = "store,ds,y\nwest,2020-01-01,1\nwest,2020-01-02,2\neast,2020-01-01,3\neast,2020-01-02,4\n"


# A table reads best with one case a row, however long.
# ruff: noqa: E501
BAD_INPUTS = (
    BadInput("empty file", "a.csv", binary(b""), ("empty", "CSV")),
    BadInput("blank lines only", "a.csv", binary(b"\n\n  \n"), ("empty",)),
    BadInput("byte order mark only", "a.csv", binary(b"\xef\xbb\xbf"), ("empty",)),
    BadInput("header only", "a.csv", text("ds,y\n"), ("no rows",)),
    BadInput("no header", "a.csv", text("1949-01,112\n1949-02,118\n"), ("line 1", "1949-01, 112", "names of the columns")),
    BadInput("one column", "a.csv", text("y\n1\n2\n"), ("line 1", "one column", "two or more")),
    BadInput("named column missing", "a.csv", text("ds,sales\n1,2\n2,3\n"), ("'sale'", "--target", "'ds', 'sales'", "Did you mean 'sales'"), {"target": "sale"}),
    BadInput("named id missing", "a.csv", text("ds,y\n1,2\n2,3\n"), ("'store'", "--id"), {"id": "store"}),
    BadInput("one column for two roles", "a.csv", text("ds,y\n1,2\n2,3\n"), ("different columns",), {"time": "ds", "target": "ds"}),
    BadInput("no time column", "a.csv", text("a,b\n5,1\n6,2\n"), ("no time column", "'a', 'b'", "--time")),
    BadInput("no values column", "a.csv", text("ds,b\n2020-01-01,x\n2020-01-02,y\n"), ("no column of numbers", "'b'", "--target")),
    BadInput("two time columns", "a.csv", text("sold,paid,y\n2020-01-01,2020-02-01,1\n2020-01-02,2020-02-02,2\n"), ("'sold', 'paid'", "--time")),
    BadInput("two value columns", "a.csv", text("ds,in,out\n2020-01-01,1,2\n2020-01-02,2,3\n"), ("'in', 'out'", "--target")),
    BadInput("two columns of one name", "a.csv", text("ds,y,y\n1,2,3\n"), ("line 1", "two columns", "'y'")),
    BadInput("text in the target", "a.csv", text("ds,y\n1,2\n2,NA\n\n3,closed\n"), ("line 5", "column 'y'", "'closed'", "number")),
    BadInput("an infinite value", "a.csv", text("ds,y\n1,2\n2,-inf\n"), ("line 3", "column 'y'", "'-inf'", "finite")),
    BadInput("values too far apart", "a.csv", text("ds,y\n1,1.7e308\n2,-1.7e308\n3,1.7e308\n"), ("line 2", "column 'y'", "'1.7e308'", "at most 1e+300")),
    BadInput("a value too large", "a.csv", text("ds,y\n1,2\n2,1e999\n"), ("line 3", "'1e999'", "finite")),
    BadInput("all values missing", "a.csv", text("ds,y\n1,\n2,NaN\n3,null\n"), ("column 'y'", "all values are missing")),
    BadInput("a time stamp missing", "a.csv", text("ds,y\n1,5\n,6\n"), ("line 3", "column 'ds'", "no time stamp")),
    BadInput("an unreadable date", "a.csv", text("ds,y\n2020-01-01,5\n2020-01-32,6\n"), ("line 3", "column 'ds'", "'2020-01-32'", "date")),
    BadInput("a decimal year", "a.csv", text("time,y\n1749,5\n1750,3\n1750.083,6\n"), ("line 4", "column 'time'", "'1750.083'", "integer")),
    BadInput("day or month first", "a.csv", text("ds,y\n01/02/2020,5\n02/02/2020,6\n"), ("line 2", "2020-02-01", "2020-01-02", "YYYY-MM-DD")),
    BadInput("years of two digits", "a.csv", text("ds,y\n12/02/20,5\n13/02/20,6\n"), ("line 2", "'12/02/20'", "expected a date")),
    BadInput("duplicate time stamps", "a.csv", text("ds,y\n2020-01-02,5\n2020-01-01,6\n2020-01-02,7\n"), ("duplicate", "2020-01-02 (line 2)", "line 4", "--id")),
    BadInput("several series without id", "a.csv", text(TWO_STORES), ("duplicate", "line 2", "line 4", "--id store")),
    BadInput("duplicates in a series", "a.csv", text(TWO_STORES + "east,2020-01-01,9\n"), ("'east'", "2020-01-01 (line 4)", "line 6"), {"id": "store"}),
    BadInput("a row without series", "a.csv", text("unique_id,ds,y\na,1,2\n,2,3\n"), ("line 3", "column 'unique_id'")),
    BadInput("mixed offsets", "a.csv", text("ds,y\n2020-03-29T01:00+01:00,1\n2020-03-29T03:00+02:00,2\n"), ("line 3", "mixed time zones", "UTC")),
    BadInput("with and without zone", "a.csv", text("ds,y\n2020-03-29T01:00Z,1\n2020-03-29T03:00,2\n"), ("line 3", "mixed time zones", "UTC")),
    BadInput("one irregular time stamp", "a.csv", text("ds,y\n" + WEEKS.replace("2020-01-27", "2020-01-28")), ("irregular", "2020-01-28 (line 5)", "8 days", "2020-01-20 (line 4)", "resample")),
    BadInput("irregular time stamps", "a.csv", text("ds,y\n2020-01-01,1\n2020-01-02,2\n2020-02-09,2\n2020-03-22,3\n"), ("irregular", "2020-01-01 (line 2)", "42 days", "line 5", "Resample to regular steps")),
    BadInput("one time stamp", "a.csv", text("ds,y\n2020-01-01,1\n"), ("frequency is unknown", "line 2", "two or more")),
    BadInput("a row too long", "a.csv", text("ds,y\n" + DAYS + "2020-01-21,7,8\n"), ("line 22", "3 fields", "expected 2")),
    BadInput("a row too short", "a.csv", text('ds,"y\n"\n1,2\n\n2\n'), ("line 5", "1 field", "expected 2")),
    BadInput("an open quotation mark", "a.csv", text('ds,y\n1,2\n"2,3\n3,4\n'), ("line 3", "quotation mark", "never closed")),
    BadInput("quotation marks inside", "a.csv", text('ds,note,y\n1,5" pipe,2\n2,3" pipe,3\n'), ("quotation marks",)),
    BadInput("a picture", "a.csv", binary(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"), ("PNG picture", "CSV")),
    BadInput("a workbook", "a.csv", binary(b"PK\x03\x04\x14\0\x06\0"), ("Excel workbook", "CSV")),
    BadInput("binary data", "a.csv", binary(b"ds,y\n1,\0\0\n"), ("binary", "CSV")),
    BadInput("another encoding", "a.csv", binary("ds,größe\n1,2\n2,3\n".encode("latin-1")), ("line 1", "UTF-8")),
    BadInput("UTF-16", "a.csv", binary("ds,y\n1,2\n".encode("utf-16")), ("UTF-16", "UTF-8")),
    BadInput("truncated gzip", "a.csv.gz", binary(gzip.compress(("ds,y\n" + DAYS).encode())[:-12]), ("truncated", "gzip")),
    BadInput("damaged gzip", "a.csv.gz", binary(b"\x1f\x8b" + b"x" * 40), ("damaged", "gzip")),
    BadInput("damaged Parquet", "a.parquet", damaged_parquet, ("damaged", "Parquet")),
    BadInput("text in a Parquet target", "a.parquet", lambda path: pl.DataFrame({"ds": [1, 2], "y": ["3", "x"]}).write_parquet(path), ("row 2", "column 'y'", "'x'")),
    BadInput("a folder", "a.csv", Path.mkdir, ("folder", "CSV")),
    BadInput("no such file", "a.csv", nothing, ("no such file",)),
    BadInput("no permission", "a.csv", forbidden, ("no permission",), unprivileged=True),
)  # fmt: skip

# Options on top of a file of two daily series of 40 steps.
BAD_OPTIONS = (
    (["--horizon", "0"], ("horizon is 0", "at least 1")),
    (["--horizon", "-3"], ("horizon is -3",)),
    (["--horizon", "1000000"], ("1000000", "40", "at most")),
    (["--horizon", "3", "--season", "0"], ("season is 0",)),
    (["--horizon", "3", "--level", "100"], ("level 100", "between 0 and 100")),
    (["--horizon", "3", "--cell", "gro"], ("cell 'gro'", "elman", "Did you mean 'gru'")),
)

# Forecast 3 steps ahead: no network, but forecasts and what was found.
ODD_INPUTS = (
    BadInput("not in order of time", "a.csv", text("ds,y\n3,6\n1,5\n2,7\n4,2\n"), ("not in order of time: sorted", "from 1 to 4")),
    BadInput("too short", "a.csv", text("ds,y\n1,5\n2,7\n3,6\n4,2\n"), ("No network: 1 different windows", "expected 8", "Not compared", "too short to learn from")),
    BadInput("constant", "a.csv", text("ds,y\n1,5\n2,5\n3,5\n4,5\n"), ("No network",)),
    BadInput("two values", "a.csv", text("ds,y\n1,5\n2,7\n"), ("No network: 0 different windows",)),
)  # fmt: skip
