"""The bytes of a CSV file as a table of text, and the line of each row.

polars fills short rows with nulls and does not report lines, so the rows are measured here first.
"""

import re
from dataclasses import replace
from io import BytesIO
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from throughtime.data.columns import listed
from throughtime.data.csv_header import SEPARATORS, find_preamble, named_columns
from throughtime.data.csv_layout import footer_begins, missing_separator, rows_of_table, with_tabs
from throughtime.data.number_marks import may_have_symbols, without_marks
from throughtime.data.source import Repairs, Source
from throughtime.data.text_encoding import as_utf8
from throughtime.data.timestamps import share_of_dates
from throughtime.data.wide_names import time_names

FOREIGN = {  # the first bytes of files that users take for CSV
    b"\x89PNG": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"%PDF": "a PDF document",
    b"PK\x03\x04": "a ZIP archive or an Excel workbook",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"BZh": "data packed with bzip2",
    b"\xfd7zXZ": "data packed with xz",
    b"\x28\xb5\x2f\xfd": "data packed with Zstandard",
    b"ARROW1": "a Feather file",
}
FOREIGN_TEXT = {
    "JSON": rb'^\s*(\{|\[\s*[\[{"\d-])',
    "a page of HTML or XML": rb"(?i)^\s*<(!doctype|html|head|body|table|\?xml)\b",
}
DIGITS = np.frombuffer(b"0123456789-+", np.uint8)  # that a row of data may begin with
PREAMBLE = 50  # rows in which the names of the columns must begin
EXPECTED = "a CSV file (text in UTF-8; may be packed as .gz) or a Parquet file"


class TextRows(NamedTuple):
    """The rows of a text.

    Attributes:
        begins: the byte at which each row begins.
        lines: the line of each row, from 1; a quoted field may hold several lines.
        blank: if a row is an empty line.
        quoted: if a byte is inside quotation marks; None if the text has no such marks.
    """

    begins: NDArray[np.int64]
    lines: NDArray[np.int64]
    blank: NDArray[np.bool_]
    quoted: NDArray[np.bool_] | None

    def part(self, first: int, end: int) -> "TextRows":
        """Return the rows from ``first`` to before ``end``."""
        return TextRows(self.begins[first:end], self.lines[first:end], self.blank[first:end], self.quoted)


def parse_csv(content: bytes, source: Source) -> tuple[pl.DataFrame, Source]:
    """Return all columns as text, and a source that knows the line of each row. Empty rows are left out.

    Raises:
        InputError: for bytes that are not text, rows of different lengths, and a first line without column names.
    """
    content, encoding = as_utf8(content)
    content = with_tabs(_with_newlines(content))
    _check_text(content, source)
    text = np.frombuffer(content, np.uint8)
    rows = _rows(text)
    source = replace(source, lines=rows.lines)
    if rows.quoted is not None and rows.quoted[-1]:
        raise source.error(
            "a quotation mark opens here or further down and is never closed",
            code="open-quotation",
            row=len(rows.lines) - 1,
        )
    preamble = find_preamble(_first_rows(content, rows))
    skipped = int(rows.lines[preamble.rows] - rows.lines[0])
    rows = rows.part(preamble.rows, len(rows.lines))
    source = replace(source, lines=rows.lines, repairs=Repairs(skipped_lines=skipped, encoding=encoding))
    separator = preamble.separator or _separator(text, rows, source)
    fields = _fields(text, rows, separator)
    end = footer_begins(fields, rows.blank, np.isin(text[rows.begins], DIGITS))
    below, stop = int((~rows.blank[end:]).sum()), int(np.append(rows.begins, len(text))[end])
    rows, fields = rows.part(0, end), fields[:end]
    body = content[int(rows.begins[0]) : stop]
    header = int(np.append(rows.begins, stop)[1] - rows.begins[0]) - 1
    second = body[header + 1 :].partition(b"\n")[0].rstrip(b"\r")
    names_line = missing_separator(body[:header].rstrip(b"\r"), second, fields[~rows.blank], separator.encode())
    if names_line is not None:
        body, fields = names_line + b"\n" + body[header + 1 :], fields + (np.arange(end) == 0)
    _check_fields(fields, rows, separator, source)
    cells = _cells(body, separator, len(rows.lines), source)
    names = [name or "" for name in cells.row(0)]
    if preamble.commented:
        names[0] = names[0].removeprefix("#").lstrip()
    _check_names(names, source)
    table, made_up = named_columns(cells.slice(1), names)
    filled = table.select(~pl.all_horizontal(pl.all().is_null())).to_series()
    table, lines = table.filter(filled), rows.lines[1:][filled.to_numpy()]
    begin, end = rows_of_table(table.to_series(0)) if len(table) else (0, 0)
    repairs = replace(source.repairs, made_up_names=made_up, lines_of_words=begin, lines_below=below + len(table) - end)
    table, source = table[begin:end], replace(source, lines=lines[begin:end], repairs=repairs)
    if separator == "," and rows.quoted is None and not may_have_symbols(content):
        return table, source
    table, marks = without_marks(table, separator)
    repairs = replace(repairs, grouped=marks.grouped, symbols=marks.symbols)
    return table, replace(source, unclear=marks.unclear, repairs=repairs)


def _cells(body: bytes, separator: str, count: int, source: Source) -> pl.DataFrame:
    """Return all rows as text, the names of the columns first."""
    try:
        cells = pl.read_csv(BytesIO(body), separator=separator, has_header=False, infer_schema=False)
    except pl.exceptions.PolarsError:
        cells = pl.DataFrame()
    if len(cells) != count:
        raise source.error(
            "quotation marks inside of fields; enclose such fields in quotation marks and double them",
            code="quotation-inside",
        )
    return cells


def _with_newlines(content: bytes) -> bytes:
    """Return text whose lines end as on Linux if some end with a carriage return alone, as on old Macs."""
    if not re.search(rb"\r(?!\n)", content):
        return content
    return content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def _first_rows(content: bytes, rows: TextRows) -> list[str]:
    bounds = [*rows.begins.tolist(), len(content)][: PREAMBLE + 1]
    return [content[first:last].decode().strip("\r\n") for first, last in pairwise(bounds)]


def _check_text(content: bytes, source: Source) -> None:
    if not content.strip():
        raise source.error(f"the file is empty, expected {EXPECTED}", code="empty-file", expected=EXPECTED)
    kind = next((kind for magic, kind in FOREIGN.items() if content.startswith(magic)), None)
    kind = kind or next((kind for kind, form in FOREIGN_TEXT.items() if re.match(form, content)), None)
    if kind is None and b"\0" in content:
        kind = "binary data"
    if kind is not None:
        raise source.error(f"this is {kind}, expected {EXPECTED}", code="not-csv", found=kind, expected=EXPECTED)
    try:
        content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        byte = f"0x{content[error.start]:02x}"
        raise replace(source, lines=np.array([line])).error(
            f"found the byte {byte}, which is not UTF-8: binary data or text in another encoding, expected {EXPECTED}",
            code="not-utf-8",
            row=0,
            found=byte,
            expected=EXPECTED,
        ) from None


def _rows(text: NDArray[np.uint8]) -> TextRows:
    """Return the rows, from the first that is not blank. A doubled quotation mark leaves a field and enters it."""
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
    return TextRows(begins[first:], lines[first:], blank[first:], quoted)


def _separator(text: NDArray[np.uint8], rows: TextRows, source: Source) -> str:
    """Return the separator that divides the first row into most fields."""
    end = rows.begins[1] if len(rows.begins) > 1 else len(text)
    head = text[rows.begins[0] : end]
    if rows.quoted is not None:
        head = head[~rows.quoted[rows.begins[0] : end]]
    counts = {separator: int((head == ord(separator)).sum()) for separator in SEPARATORS}
    if not any(counts.values()):
        raise source.error(
            "found one column, expected two or more (time and value) between commas, semicolons, tabs or pipes",
            code="one-column",
            row=0,
            found=1,
            expected="two or more columns",
        )
    return max(counts, key=lambda separator: counts[separator])


def _fields(text: NDArray[np.uint8], rows: TextRows, separator: str) -> NDArray[np.int64]:
    """Return the number of fields of each row."""
    separators = text == ord(separator)
    if rows.quoted is not None:
        separators &= ~rows.quoted
    return np.add.reduceat(separators, rows.begins, dtype=np.int64) + 1


def _check_fields(fields: NDArray[np.int64], rows: TextRows, separator: str, source: Source) -> None:
    wrong = (fields != fields[0]) & ~rows.blank
    if wrong.any():
        row = int(wrong.argmax())
        plural = "s" if fields[row] > 1 else ""
        between = SEPARATORS.get(separator, repr(separator))
        raise source.error(
            f"found {fields[row]} field{plural}, expected {fields[0]} between {between} as in line {rows.lines[0]}",
            code="wrong-number-of-fields",
            row=row,
            found=int(fields[row]),
            expected=int(fields[0]),
        )


def _check_names(names: list[str], source: Source) -> None:
    text = pl.Series(names)
    if time_names(names):
        return
    if share_of_dates(text) > 0 or text.cast(pl.Float64, strict=False).is_not_null().all():
        raise source.error(
            f"found {listed(names, quoted=False)}, expected the names of the columns, such as ds,y",
            code="no-header",
            row=0,
            found=names,
            expected="the names of the columns",
        )
