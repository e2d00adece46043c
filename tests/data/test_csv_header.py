"""CSV files with other line ends, lines above the header, and odd names of columns; files that are no CSV; pipes.

Varied: the line ends (and mixtures), quoted fields with line ends, the separator, the lines above the header, their
padding, names that are missing or twice, marks for missing values, and what kind of file comes through a pipe.
"""

import gzip
import os
import threading
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from throughtime._errors import InputError
from throughtime.data.panel import Panel
from throughtime.data.readers import read_panel

ROWS = ["ds,y", *(f"2020-01-{day:02d},{day + 0.5}" for day in range(1, 6))]
VALUES = [1.5, 2.5, 3.5, 4.5, 5.5]


def read(path: Path, text: str, **columns: str) -> Panel:
    path.write_bytes(text.encode())
    return read_panel(path, **columns)


@pytest.mark.parametrize("last", [True, False])
@pytest.mark.parametrize("ends", ["\r", "\r\n", "\n", "\r\r\n", ["\r", "\n", "\r\n"], ["\n", "\r"], ["\r\n", "\r"]])
def test_line_ends(ends: str | list[str], last: bool, tmp_path: Path) -> None:
    ends = [ends] if isinstance(ends, str) else ends
    text = "".join(row + ends[k % len(ends)] for k, row in enumerate(ROWS))
    assert read(tmp_path / "a", text if last else text.rstrip("\r\n")).values.tolist() == VALUES


@pytest.mark.parametrize("start", ["\ufeff", "\r", "\r\r"])
def test_old_macs_with_marks_and_blank_lines(start: str, tmp_path: Path) -> None:
    assert read(tmp_path / "a", start + "\r".join(ROWS)).values.tolist() == VALUES


def test_old_macs_with_quoted_lines_and_an_error(tmp_path: Path) -> None:
    text = 'ds,note,y\r1,"one\rtwo",5\r2,x,closed\r'
    with pytest.raises(InputError) as raised:
        read(tmp_path / "a", text, target="y")
    assert (raised.value.line, raised.value.found) == (4, "closed")


@pytest.mark.parametrize(
    ("above", "separator", "skipped"),
    [
        ("sep=;\n", ";", 1),
        ('"sep=;"\r\n', ";", 1),
        ("SEP=,\n", ",", 1),
        ("sep=|\n", "|", 1),
        ("sep=\t\n", "\t", 1),
        ("", "|", 0),
        ("# one\n# two, three, four\n", ",", 2),
        ("#\n\n# by hand\n", ";", 3),
        ("Sales of the year\n", ",", 1),
        ("Sales of the year\n\nin thousands\n\n", ";", 4),
        ("Sales of the year,,\n,,\n", ",", None),
        ('"Sales, and more"\n', ",", 1),
        ("sep=;\n# note\n", ";", 2),
    ],
)
def test_lines_above_the_header(above: str, separator: str, skipped: int | None, tmp_path: Path) -> None:
    rows = [row + (",x" if k else ",note") for k, row in enumerate(ROWS)]
    panel = read(tmp_path / "a", above + "\n".join(rows).replace(",", separator))
    assert panel.values.tolist() == VALUES
    notes = [note for note in panel.notes if "above the names" in note]
    if skipped is not None:
        assert [note.split()[0] for note in notes] == ([str(skipped)] if skipped else [])


def test_a_header_behind_a_number_sign(tmp_path: Path) -> None:
    panel = read(tmp_path / "a", "# by hand\n# " + "\n".join(ROWS))
    assert panel.values.tolist() == VALUES
    assert panel.ids.tolist() == ["y"]


def test_lines_are_counted_with_those_above(tmp_path: Path) -> None:
    with pytest.raises(InputError) as raised:
        read(tmp_path / "a", "Title\n# note\n\n" + "\n".join(ROWS).replace("3.5", "x"))
    assert raised.value.line == 7


@pytest.mark.parametrize("header", ["2020-01-01,5", "1,2"])
def test_a_file_without_header_is_still_refused(header: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as raised:
        read(tmp_path / "a", "Title\n" + header + "\n" + header)
    assert raised.value.code in ("no-header", "one-column", "wrong-number-of-fields")


# Names


@pytest.mark.parametrize(
    ("header", "row", "names"),
    [
        ("ds,y,,", "{day},{value},,", ["ds", "y"]),
        ("ds,y,y", "{day},{value},{value}", ["ds", "y"]),
        ("ds,y,y", "{day},{value},7", ["ds", "y (column 2)", "y (column 3)"]),
        (",y", "{day},{value}", ["", "y"]),
        (",y,", "{day},{value},a", ["", "y", "(column 3)"]),
        (",,y,,", "{day},a,{value},b,", ["(column 1)", "(column 2)", "y", "(column 4)"]),
        ("ds,ds,y", "{day},{day},{value}", ["ds", "y"]),
    ],
)
def test_missing_and_double_names(header: str, row: str, names: list[str], tmp_path: Path) -> None:
    rows = [row.format(day=f"2020-01-{day:02d}", value=day * 2) for day in (1, 2, 3)]
    path = tmp_path / "a"
    target = next(name for name in names if name.startswith("y"))
    if names[0] == "(column 1)":
        names = ["", *names[1:]]
    panel = read(path, header + "\n" + "\n".join(rows), target=target)
    assert panel.values.tolist() == [2, 4, 6]
    said = " ".join(panel.notes)
    assert all(f"'{name}'" in said for name in names)
    assert ("same name" in said) == (target != "y")


# Files that are no CSV, and marks that are no numbers


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        ('[{"ds": "2020-01-01", "y": 5},\n {"ds": "2020-01-02", "y": 6}]', "JSON"),
        ('{"ds": ["2020-01-01"],\n "y": [5]}', "JSON"),
        ('{"ds": "2020-01-01", "y": 5}\n{"ds": "2020-01-02", "y": 6}\n', "JSON"),
        ('\n [ ["2020-01-01", 5], ["2020-01-02", 6]]', "JSON"),
        ("[1, 2, 3]", "JSON"),
        ("<!DOCTYPE html>\n<html><body>a,b</body></html>", "a page of HTML or XML"),
        ('<?xml version="1.0"?>\n<a>1,2</a>', "a page of HTML or XML"),
    ],
)
def test_other_kinds_of_files(content: str, kind: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as raised:
        read(tmp_path / "a.csv", content)
    assert (raised.value.code, raised.value.found) == ("not-csv", kind)


def test_a_bracket_in_the_header_is_no_json(tmp_path: Path) -> None:
    assert read(tmp_path / "a", "\n".join(["[ds],[y]", *ROWS[1:]])).values.tolist() == VALUES


MARKS = ["-", "--", "\u2013", "\u2014", ".", "..", "...", "?", "#N/A", "#NA", "<NA>", "<na>", "n.a.", "#DIV/0!", "*"]
MARKS += ["missing", "(null)", "NaT", "nil", "k.A.", "#VALUE!", "_", "unknown", "1.#IND", "N.D."]


@pytest.mark.parametrize(("mark", "separator"), [(mark, ",;"[k % 2]) for k, mark in enumerate(MARKS)])
def test_marks_for_missing_values_get_a_hint(mark: str, separator: str, tmp_path: Path) -> None:
    text = "\n".join([*ROWS, f"2020-01-06,{mark}", f"2020-01-07,{mark}", "2020-01-08,closed"])
    with pytest.raises(InputError, match="looks like a missing value, in 2 rows") as raised:
        read(tmp_path / "a", text.replace(",", separator))
    assert (raised.value.code, raised.value.line, raised.value.found) == ("not-a-number", 7, mark)


@pytest.mark.parametrize("word", ["closed", "12 apples", "1-2", "$5", "1.2.3"])
def test_other_text_gets_no_hint(word: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as raised:
        read(tmp_path / "a", "\n".join([*ROWS, f"2020-01-06,{word}"]))
    assert "looks like" not in str(raised.value)


# Pipes


@pytest.mark.parametrize("kind", ["CSV", "CSV.gz", "Parquet", "Parquet.gz"])
def test_a_pipe(kind: str, tmp_path: Path) -> None:
    frame = pl.DataFrame({"ds": [3, 4, 5], "y": [1.5, None, 2.5], "price": [1.0, 2.0, 3.0]})
    path = tmp_path / "file"
    frame.write_csv(path) if kind.startswith("CSV") else frame.write_parquet(path)
    content = path.read_bytes()
    content = gzip.compress(content) if kind.endswith("gz") else content
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=(tmp_path / "pipe").write_bytes, args=(content,))
    writer.start()
    panel = read_panel(tmp_path / "pipe", past="price")
    writer.join()
    np.testing.assert_array_equal(panel.values, [1.5, np.nan, 2.5])
    np.testing.assert_array_equal(panel.covariates.past[0].values, [1, 2, 3])
