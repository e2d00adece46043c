"""Rows as lines of text: CSV below a line of names, or a JSON object a line. One line is one row."""

import csv
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import polars as pl

from throughtime.data import Source

MOST_BYTES = 2**20  # of a line; the rest of a longer one is not kept
NAME = "standard input"
MARK = b"\xef\xbb\xbf"  # of the order of bytes, with which Windows begins files of UTF-8
SEPARATORS = ",;\t"
LARGEST = 2**63  # in size, of an integer in a column of integers


@dataclass(frozen=True)
class Layout:
    """The layout of the lines.

    Attributes:
        names: the names of the columns of CSV; none for JSON lines, each of which has its own.
        separator: the sign between the fields of CSV.
    """

    names: tuple[str, ...] = ()
    separator: str = ","

    def table(self, line: bytes, source: Source) -> pl.DataFrame:
        """Return the row of a line.

        Raises:
            InputError: for a line that is no row.
        """
        if len(line) > MOST_BYTES:
            raise source.error(
                f"a line of more than {MOST_BYTES} bytes, expected one row",
                code="long-line",
                row=0,
                expected=MOST_BYTES,
            )
        try:
            text = line.decode()
        except UnicodeDecodeError as error:
            raise source.error(f"no text in UTF-8 ({error.reason})", code="not-text", row=0, expected="UTF-8") from None
        return table_of([self._fields(text, source) if self.names else _json_object(text, source)], source)

    def _fields(self, text: str, source: Source) -> dict[str, str | None]:
        fields = _split(text, self.separator, source)
        if len(fields) != len(self.names):
            raise source.error(
                f"found {len(fields)} fields, expected {len(self.names)}, as in the first line",
                code="field-count",
                row=0,
                found=len(fields),
                expected=len(self.names),
            )
        return dict(zip(self.names, (field if field.strip() else None for field in fields), strict=True))


class Line(NamedTuple):
    """A line that holds a row.

    Attributes:
        number: of the row; lines without any text and the names of columns are not counted.
        content: the line; its first bytes if it is too long.
        layout: says how to read it.
    """

    number: int
    content: bytes
    layout: Layout


def read_lines(readline: Callable[[int], bytes], first: int) -> Iterator[Line]:
    """Yield rows as they come.

    Args:
        readline: returns the next line, at most so many bytes of it: CSV that begins with the names of the columns, or
            JSON lines.
        first: the number of the first row.

    Raises:
        InputError: for a first line that is neither names nor a JSON object.
    """
    texts = (text for text in _whole_lines(readline) if text.strip())
    opening = next(texts, b"").removeprefix(MARK)
    number = first
    if opening.lstrip().startswith(b"{"):
        layout = Layout()
        yield Line(number, opening, layout)
        number += 1
    else:
        layout = _csv_layout(opening)
    for text in texts:
        yield Line(number, text, layout)
        number += 1


def table_of(rows: Sequence[Mapping[str, Any]], source: Source) -> pl.DataFrame:
    """Return rows as a table, null where a row does not have a column.

    Raises:
        InputError: for a value that is neither a number, a text, true, false nor null.
    """
    names = dict.fromkeys(name for row in rows for name in row)
    return pl.DataFrame({name: _column(name, [row.get(name) for row in rows], source) for name in names})


def _whole_lines(readline: Callable[[int], bytes]) -> Iterator[bytes]:
    """Yield lines without their ends; of one that is too long, one byte more than the most."""
    while line := readline(MOST_BYTES + 1):
        rest = line
        while len(rest) > MOST_BYTES and not rest.endswith(b"\n"):
            rest = readline(MOST_BYTES + 1)
        yield line if len(line) > MOST_BYTES else line.rstrip(b"\r\n")


def _csv_layout(opening: bytes) -> Layout:
    source = Source(NAME)
    try:
        text = opening.decode()
    except UnicodeDecodeError as error:
        raise source.error(f"no text in UTF-8 ({error.reason})", code="not-text", expected="UTF-8") from None
    separator = max(SEPARATORS, key=text.count)
    names = tuple(name.strip() for name in _split(text, separator, source))
    if len(set(names)) < len(names) or text.lstrip().startswith("["):
        raise source.error(
            f"the first line is {text[:80]!r}: expected different names of columns, or a JSON object in each line",
            code="no-names",
            found=text[:80],
            expected="names of columns",
        )
    return Layout(names, separator)


def _split(text: str, separator: str, source: Source) -> list[str]:
    try:
        return next(csv.reader([text], delimiter=separator, strict=True), [])
    except csv.Error as error:
        raise source.error(f"no row of CSV: {error}", code="not-csv", row=0) from None


def _json_object(text: str, source: Source) -> dict[str, Any]:
    try:
        row = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise source.error(f"no JSON: {error}", code="not-json", row=0, expected="a JSON object") from None
    if not isinstance(row, dict) or not row:
        raise source.error(
            f"found {text[:80]}, expected a JSON object with a value for each column",
            code="not-an-object",
            row=0,
            found=text[:80],
            expected="a JSON object",
        )
    return row


def _column(name: str, values: list[Any], source: Source) -> pl.Series:
    """Return a column: integers, numbers, or text if a value is text, true, false, or larger than 64 bits."""
    for row, value in enumerate(values):
        if not isinstance(value, str | int | float | None) or not _is_text(name, value):
            raise source.error(
                f"found {value!r}, expected a number, a text, true, false or null",
                code="not-a-value",
                row=row,
                column=name.encode(errors="replace").decode(),
                found=repr(value),
                expected="a number, a text, true, false or null",
            )
    known = [value for value in values if value is not None]
    if any(
        isinstance(value, str | bool) or (isinstance(value, int) and not -LARGEST <= value < LARGEST) for value in known
    ):
        return pl.Series(name, [value if value is None else _text(value) for value in values], pl.String)
    return pl.Series(name, values, strict=False)


def _text(value: str | bool | int | float) -> str:
    """Return a value as a file of text has it: covariates may be true or false."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _is_text(*values: Any) -> bool:
    """Return False for text that no file can hold: JSON can write half a sign of UTF-16."""
    try:
        for value in values:
            str(value).encode()
    except UnicodeEncodeError:
        return False
    return True
