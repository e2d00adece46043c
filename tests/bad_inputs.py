"""Input that cannot be used, and the fields of its error: tables for the reader and the command line.

BAD_INPUTS are files; the reader must refuse all of them, the command line those of SHOWN. BAD_OPTIONS are options for a
good file. ODD_INPUTS are files that can be used, and words that must be said of them. Cases that need a process have
tests elsewhere: Ctrl-C in test_interrupts.py, a disk or an output that is full in test_app.py.
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
    """A file that cannot be used.

    Attributes:
        name: the mistake.
        file: the file's name.
        write: writes the file to a path.
        code: the kind of error.
        line: the line of the error; the row in a Parquet file.
        column: the column of the error.
        found: the value of the error.
        options: the columns that are named: "id", "time", "target"; on the command line with two dashes.
        unprivileged: if it is read as a user without rights.
    """

    name: str
    file: str
    write: Callable[[Path], object]
    code: str
    line: int | None = None
    column: str | None = None
    found: object = None
    options: dict[str, str] = field(default_factory=dict)
    unprivileged: bool = False

    def fields(self) -> dict[str, object]:
        """Return the fields of its error, but for what was expected."""
        fields = {"code": self.code, "file": self.file, "line": self.line, "column": self.column, "found": self.found}
        return {name: value for name, value in fields.items() if value is not None}


@dataclass(frozen=True)
class OddInput:
    """A file that can be used.

    Attributes:
        name: its oddity.
        content: the file.
        words: words that the command line must say.
    """

    name: str
    content: str
    words: tuple[str, ...]


def text(content: str) -> Callable[[Path], object]:
    return lambda path: path.write_text(content, encoding="utf-8")


def binary(content: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(content)


def nothing(path: Path) -> None:
    """Write nothing: the file is missing."""


def forbidden(path: Path) -> None:
    path.write_text("ds,y\n2020-01-01,1\n2020-01-02,2\n")
    path.chmod(0)


def damaged_parquet(path: Path) -> None:
    pl.DataFrame({"ds": [1, 2, 3], "y": [1.0, 2.0, 4.0]}).write_parquet(path)
    path.write_bytes(path.read_bytes()[:-20])


@contextmanager
def without_rights() -> Iterator[None]:
    """Become the user nobody if the tests run as root, whom no permission stops."""
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
    BadInput("empty file", "a.csv", binary(b""), "empty-file"),
    BadInput("blank lines only", "a.csv", binary(b"\n\n  \n"), "empty-file"),
    BadInput("byte order mark only", "a.csv", binary(b"\xef\xbb\xbf"), "empty-file"),
    BadInput("header only", "a.csv", text("ds,y\n"), "no-rows"),
    BadInput("no header", "a.csv", text("1949-01,112\n1949-02,118\n"), "no-header", 1, found=["1949-01", "112"]),
    BadInput("one column", "a.csv", text("y\n1\n2\n"), "one-column", 1, found=1),
    BadInput("named column missing", "a.csv", text("ds,sales\n1,2\n2,3\n"), "no-such-column", found="sale", options={"target": "sale"}),
    BadInput("named id missing", "a.csv", text("ds,y\n1,2\n2,3\n"), "no-such-column", found="store", options={"id": "store"}),
    BadInput("one column for two roles", "a.csv", text("ds,y\n1,2\n2,3\n"), "column-used-twice", None, "ds", ["ds", "ds"], {"time": "ds", "target": "ds"}),
    BadInput("no time column", "a.csv", text("a,b\n5,1\n6,2\n"), "no-time-column", found=["a", "b"]),
    BadInput("no values column", "a.csv", text("ds,b\n2020-01-01,x\n2020-01-02,y\n"), "no-target-column", found=["b"]),
    BadInput("two time columns", "a.csv", text("sold,paid,y\n2020-01-01,2020-02-01,1\n2020-01-02,2020-02-02,2\n"), "several-time-columns", found=["sold", "paid"]),
    BadInput("two value columns", "a.csv", text("ds,in,out\n2020-01-01,1,2\n2020-01-02,2,3\n"), "several-target-columns", found=["in", "out"]),
    BadInput("two columns of one name", "a.csv", text("ds,y,y\n1,2,3\n"), "several-target-columns", found=["y (column 2)", "y (column 3)"]),
    BadInput("text in the target", "a.csv", text("ds,y\n1,2\n2,NA\n\n3,closed\n"), "not-a-number", 5, "y", "closed"),
    BadInput("an infinite value", "a.csv", text("ds,y\n1,2\n2,-inf\n"), "not-finite", 3, "y", "-inf"),
    BadInput("values too far apart", "a.csv", text("ds,y\n1,1.7e308\n2,-1.7e308\n3,1.7e308\n"), "not-finite", 2, "y", "1.7e308"),
    BadInput("a value too large", "a.csv", text("ds,y\n1,2\n2,1e999\n"), "not-finite", 3, "y", "1e999"),
    BadInput("all values missing", "a.csv", text("ds,y\n1,\n2,NaN\n3,null\n"), "all-missing", None, "y"),
    BadInput("a time stamp missing", "a.csv", text("ds,y\n1,5\n,6\n"), "missing-time", 3, "ds"),
    BadInput("an unreadable date", "a.csv", text("ds,y\n2020-01-01,5\n2020-01-32,6\n"), "not-a-time", 3, "ds", "2020-01-32"),
    BadInput("a decimal year", "a.csv", text("time,y\n1749,5\n1750,3\n1750.083,6\n"), "not-a-time", 4, "time", "1750.083"),
    BadInput("day or month first", "a.csv", text("ds,y\n01/02/2020,5\n02/02/2020,6\n"), "day-or-month-first", 2, "ds", "01/02/2020"),
    BadInput("years of two digits", "a.csv", text("ds,y\n12/02/20,5\n13/02/20,6\n"), "not-a-time", 2, "ds", "12/02/20"),
    BadInput("duplicate time stamps", "a.csv", text("ds,y\n2020-01-02,5\n2020-01-01,6\n2020-01-02,7\n"), "duplicate-time", 4, "ds", "2020-01-02"),
    BadInput("several series without id", "a.csv", text(TWO_STORES), "duplicate-time", 4, "ds", "2020-01-01"),
    BadInput("duplicates in a series", "a.csv", text(TWO_STORES + "east,2020-01-01,9\n"), "duplicate-time", 6, "ds", "2020-01-01", {"id": "store"}),
    BadInput("a row without series", "a.csv", text("unique_id,ds,y\na,1,2\n,2,3\n"), "missing-id", 3, "unique_id"),
    BadInput("mixed offsets", "a.csv", text("ds,y\n2020-03-29T01:00+01:00,1\n2020-03-29T03:00+02:30,2\n"), "mixed-time-zones", 3, "ds", "2020-03-29T03:00+02:30"),
    BadInput("with and without zone", "a.csv", text("ds,y\n2020-03-29T01:00Z,1\n2020-03-29T03:00,2\n"), "mixed-time-zones", 3, "ds", "2020-03-29T03:00"),
    BadInput("one irregular time stamp", "a.csv", text("ds,y\n" + WEEKS.replace("2020-01-27", "2020-01-28")), "irregular-times", 5, "ds", "8 days"),
    BadInput("irregular time stamps", "a.csv", text("ds,y\n2020-01-01,1\n2020-01-02,2\n2020-02-09,2\n2020-03-22,3\n"), "irregular-times", 5, "ds", "42 days"),
    BadInput("one time stamp", "a.csv", text("ds,y\n2020-01-01,1\n"), "unknown-frequency", 2, "ds", "1 time stamp"),
    BadInput("a row too long", "a.csv", text("ds,y\n" + DAYS + "2020-01-21,7,8\n"), "wrong-number-of-fields", 22, found=3),
    BadInput("a row too short", "a.csv", text('ds,"y\n"\n1,2\n\n2\n'), "wrong-number-of-fields", 5, found=1),
    BadInput("an open quotation mark", "a.csv", text('ds,y\n1,2\n"2,3\n3,4\n'), "open-quotation", 3),
    BadInput("quotation marks inside", "a.csv", text('ds,note,y\n1,5" pipe,2\n2,3" pipe,3\n'), "quotation-inside"),
    BadInput("a picture", "a.csv", binary(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"), "not-csv", found="a PNG picture"),
    BadInput("a workbook", "a.csv", binary(b"PK\x03\x04\x14\0\x06\0"), "not-csv", found="a ZIP archive or an Excel workbook"),
    BadInput("binary data", "a.csv", binary(b"ds,y\n1,\0\0\n"), "not-csv", found="binary data"),
    BadInput("another encoding", "a.csv", binary(b"ds,gr\x81\n1,2\n2,3\n"), "not-utf-8", 1, found="0x81"),
    BadInput("UTF-32", "a.csv", binary("ds,y\n1,2\n".encode("utf-32")), "not-csv", found="binary data"),
    BadInput("truncated gzip", "a.csv.gz", binary(gzip.compress(("ds,y\n" + DAYS).encode())[:-12]), "damaged-gzip"),
    BadInput("damaged gzip", "a.csv.gz", binary(b"\x1f\x8b" + b"x" * 40), "damaged-gzip"),
    BadInput("damaged Parquet", "a.parquet", damaged_parquet, "damaged-parquet"),
    BadInput("text in a Parquet target", "a.parquet", lambda path: pl.DataFrame({"ds": [1, 2], "y": ["3", "x"]}).write_parquet(path), "not-a-number", 2, "y", "x"),
    BadInput("a folder", "a.csv", Path.mkdir, "folder", found="a folder"),
    BadInput("no such file", "a.csv", nothing, "no-such-file"),
    BadInput("no permission", "a.csv", forbidden, "no-permission", unprivileged=True),
)  # fmt: skip

# The cases that the command line runs too: a file, a line and a column, an option, and a library's error.
SHOWN = [
    case
    for case in BAD_INPUTS
    if case.name in ("no such file", "no permission", "text in the target", "named column missing", "damaged Parquet")
]

# Options for a file of two daily series of 40 steps.
BAD_OPTIONS = (
    (["--horizon", "0"], ("horizon is 0", "at least 1")),
    (["--horizon", "-3"], ("horizon is -3",)),
    (["--horizon", "1000000"], ("1000000", "40", "at most")),
    (["--horizon", "3", "--season", "0"], ("season is 0",)),
    (["--horizon", "3", "--level", "100"], ("level 100", "between 0 and 100")),
    (["--horizon", "3", "--cell", "gro"], ("cell 'gro'", "elman", "Did you mean 'gru'")),
)

# A forecast of 3 steps has no network, but forecasts and words about the findings.
ODD_INPUTS = (
    OddInput("not in order of time", "ds,y\n3,6\n1,5\n2,7\n4,2\n", ("not in order of time: sorted", "from 1 to 4")),
    OddInput("too short", "ds,y\n1,5\n2,7\n3,6\n4,2\n", ("No network was trained: 1 different windows", "expected 8", "Not compared", "too short to learn from")),
    OddInput("constant", "ds,y\n1,5\n2,5\n3,5\n4,5\n", ("No network",)),
    OddInput("two values", "ds,y\n1,5\n2,7\n", ("No network was trained: 0 different windows",)),
)  # fmt: skip
