"""The bytes of a CSV file as a table of text, and for each row the line that it stands in.

polars fills short rows with nulls and names no lines, so the rows are measured here first.
"""

from dataclasses import replace
from io import BytesIO
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from throughtime.data.source import MISSING, Source
from throughtime.data.timestamps import share_of_dates

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
FOREIGN = {
    b"\x89PNG": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"%PDF": "a PDF document",
    b"PK\x03\x04": "a ZIP archive or an Excel workbook",
    b"\xff\xfe": "text in UTF-16",
    b"\xfe\xff": "text in UTF-16",
}
SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs"}
EXPECTED = "expected a CSV file (text in UTF-8; may be packed as .gz) or a Parquet file"
DECIMAL_COMMA = r"^\s*-?\d*(,\d+)?\s*$"


class Rows(NamedTuple):
    """Where the rows of a text lie.

    Attributes:
        begins: the byte at which each row begins.
        lines: the line of each, from 1; a quoted field may hold several lines.
        blank: which rows are empty lines.
        quoted: which bytes lie inside quotation marks; None where the text has none.
    """

    begins: NDArray[np.int64]
    lines: NDArray[np.int64]
    blank: NDArray[np.bool_]
    quoted: NDArray[np.bool_] | None


def parse_csv(content: bytes, source: Source) -> tuple[pl.DataFrame, Source]:
    """All columns as text, and a source that knows the line of each row. Empty rows are left out.

    Raises:
        InputError: for what is no text, rows of different lengths, and a first line that holds no names of columns.
    """
    content = content.removeprefix(BYTE_ORDER_MARK)
    _check_text(content, source)
    text = np.frombuffer(content, np.uint8)
    rows = _rows(text)
    source = replace(source, lines=rows.lines)
    if rows.quoted is not None and rows.quoted[-1]:
        raise source.error("a quotation mark opens here or further down and is never closed", row=len(rows.lines) - 1)
    separator = _separator(text, rows, source)
    _check_fields(text, rows, separator, source)
    try:
        head = int(rows.begins[0])
        cells = pl.read_csv(BytesIO(content[head:]), separator=separator, has_header=False, infer_schema=False)
    except pl.exceptions.PolarsError:
        cells = pl.DataFrame()
    if len(cells) != len(rows.lines):
        raise source.error("quotation marks inside of fields; enclose such fields in quotation marks and double them")
    names = [name or "" for name in cells.row(0)]
    _check_names(names, source)
    cells.columns = names
    table = cells.slice(1)
    filled = table.select(~pl.all_horizontal(pl.all().is_null())).to_series()
    table = table.filter(filled)
    if separator == ";":
        table = table.with_columns(_with_points(column) for column in table)
    return table, replace(source, lines=rows.lines[1:][filled.to_numpy()])


def _check_text(content: bytes, source: Source) -> None:
    if not content.strip():
        raise source.error(f"the file is empty, {EXPECTED}")
    for magic, what in FOREIGN.items():
        if content.startswith(magic):
            raise source.error(f"this is {what}, {EXPECTED}")
    if b"\0" in content:
        raise source.error(f"this is binary data, {EXPECTED}")
    try:
        content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        found = content[error.start]
        raise replace(source, lines=np.array([line])).error(
            f"found the byte 0x{found:02x}, which is not UTF-8: binary data or text in another encoding, {EXPECTED}",
            row=0,
        ) from None


def _rows(text: NDArray[np.uint8]) -> Rows:
    """Where rows begin, from the first that is not blank. A doubled quotation mark leaves a field and enters it."""
    marks = text == ord('"')
    quoted = np.bitwise_xor.accumulate(marks) if marks.any() else None
    breaks = text == ord("\n")
    newlines = np.flatnonzero(breaks)
    ends = newlines if quoted is None else np.flatnonzero(breaks & ~quoted)
    if not len(ends) or ends[-1] < len(text) - 1:
        ends = np.append(ends, len(text))
    begins = np.append(0, ends[:-1] + 1)
    lines = np.searchsorted(newlines, begins) + 1
    blank = (ends == begins) | ((ends == begins + 1) & (text[begins] == ord("\r")))
    first = int(blank.argmin())
    return Rows(begins[first:], lines[first:], blank[first:], quoted)


def _separator(text: NDArray[np.uint8], rows: Rows, source: Source) -> str:
    """The separator that divides the first row into most fields."""
    end = rows.begins[1] if len(rows.begins) > 1 else len(text)
    head = text[rows.begins[0] : end]
    if rows.quoted is not None:
        head = head[~rows.quoted[rows.begins[0] : end]]
    counts = {separator: int((head == ord(separator)).sum()) for separator in SEPARATORS}
    if not any(counts.values()):
        raise source.error(
            "found one column, expected two or more (time and value) between commas, semicolons or tabs", row=0
        )
    return max(counts, key=lambda separator: counts[separator])


def _check_fields(text: NDArray[np.uint8], rows: Rows, separator: str, source: Source) -> None:
    separators = text == ord(separator)
    if rows.quoted is not None:
        separators &= ~rows.quoted
    fields = np.add.reduceat(separators, rows.begins, dtype=np.int64) + 1
    wrong = (fields != fields[0]) & ~rows.blank
    if wrong.any():
        row = int(wrong.argmax())
        found = f"{fields[row]} field{'s' if fields[row] > 1 else ''}"
        raise source.error(
            f"found {found}, expected {fields[0]} between {SEPARATORS[separator]} as in line {rows.lines[0]}", row=row
        )


def _check_names(names: list[str], source: Source) -> None:
    twice = [name for k, name in enumerate(names) if name in names[:k]]
    if twice:
        raise source.error(f"two columns have the name {twice[0]!r}, expected different names", row=0)
    text = pl.Series(names)
    if share_of_dates(text) > 0 or text.cast(pl.Float64, strict=False).is_not_null().all():
        raise source.error(f"found {', '.join(names)}, expected the names of the columns, such as ds,y", row=0)


def _with_points(column: pl.Series) -> pl.Series:
    """Decimal points for decimal commas, where a column holds nothing but such numbers, or nothing."""
    missing = column.str.strip_chars().str.to_lowercase().is_in(MISSING)
    numbers = (missing | column.str.contains(DECIMAL_COMMA)).all()
    return column.str.replace(",", ".", literal=True) if numbers else column
