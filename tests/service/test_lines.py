"""Lines of CSV and JSON as rows; whatever cannot be read is refused with its number."""

from io import BytesIO

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from throughtime._errors import InputError
from throughtime.data import Source
from throughtime.service import read_lines, table_of
from throughtime.service.lines import MOST_BYTES

ROWS = Source("standard input", before=6)


def tables(text: bytes, first: int = 1) -> list[tuple[int, dict]]:
    lines = read_lines(BytesIO(text).readline, first)
    return [(line.number, line.layout.table(line.content, ROWS).row(0, named=True)) for line in lines]


@pytest.mark.parametrize(
    "text",
    [
        b"shop,day,sold\nwest,2024-01-05,3.5\n\n  \neast,2024-01-06,\n",
        b"\xef\xbb\xbfshop;day;sold\r\nwest;2024-01-05;3.5\r\neast;2024-01-06;",
        b'shop\tday\tsold\n"west"\t2024-01-05\t3.5\neast\t2024-01-06\t""\n',
    ],
)
def test_csv(text):
    west = {"shop": "west", "day": "2024-01-05", "sold": "3.5"}
    east = {"shop": "east", "day": "2024-01-06", "sold": None}
    assert tables(text, 8) == [(8, west), (9, east)]


def test_json_lines():
    text = b'\n{"shop": "west", "day": 7, "sold": 3.5}\n{"day": 8, "sold": null, "left": 99999999999999999999}'
    west = {"shop": "west", "day": 7, "sold": 3.5}
    assert tables(text) == [(1, west), (2, {"day": 8, "sold": None, "left": "99999999999999999999"})]


def test_true_and_false_are_words():
    """Covariates may be either, which a file of text has as words too."""
    lines = b'{"a": true, "b": 1.5}\n{"a": false, "b": null}'
    assert tables(lines) == [(1, {"a": "true", "b": 1.5}), (2, {"a": "false", "b": None})]


def test_nothing_comes_of_nothing():
    assert tables(b"") == tables(b"\n\n") == tables(b"shop,day\n") == []


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"a,1", "field-count"),
        (b'a,1,"2', "not-csv"),
        (b"a,\xff,2", "not-text"),
        (b"a,1," + MOST_BYTES * b"2", "long-line"),
    ],
)
def test_a_line_that_is_no_row_of_csv(line, code):
    first, wrong, last = read_lines(BytesIO(b"shop,day,sold\nw,1,2\n" + line + b"\nw,3,4\n").readline, 1)
    with pytest.raises(InputError) as caught:
        wrong.layout.table(wrong.content, ROWS)
    assert (caught.value.code, caught.value.line, caught.value.file) == (code, 7, "standard input")
    assert (first.number, wrong.number, last.number, last.content) == (1, 2, 3, b"w,3,4")


@pytest.mark.parametrize(
    ("line", "code", "column"),
    [
        (b"[1]", "not-an-object", None),
        (b"{}", "not-an-object", None),
        (b'{"a": 1', "not-json", None),
        (100_000 * b"[", "not-json", None),
        (b'{"a": [1]}', "not-a-value", "a"),
        (b'{"a": "\\ud800"}', "not-a-value", "a"),
        (b'{"\\ud800": 1}', "not-a-value", "?"),
    ],
)
def test_a_line_that_is_no_json_row(line, code, column):
    _, wrong = read_lines(BytesIO(b'{"a": 1}\n' + line).readline, 1)
    with pytest.raises(InputError) as caught:
        wrong.layout.table(wrong.content, ROWS)
    assert (caught.value.code, caught.value.line, caught.value.column) == (code, 7, column)


@pytest.mark.parametrize("text", [b"a,a\n1,2\n", b"[1,2]\n", b"\xff\n", b'a,"b\n'])
def test_a_first_line_that_names_no_columns(text):
    with pytest.raises(InputError):
        list(read_lines(BytesIO(text).readline, 1))


TEXT = st.text(st.characters(exclude_categories=["Cs"]))
ROW = st.dictionaries(TEXT, st.none() | st.integers() | st.floats() | TEXT)


@given(st.lists(ROW, min_size=1))
def test_any_values_become_a_table(rows):
    table = table_of(rows, ROWS)
    assert table.columns == list(dict.fromkeys(name for row in rows for name in row))
    assert len(table) in (0, len(rows))
    assert set(table.dtypes) <= {pl.Null, pl.Int64, pl.Float64, pl.String}
    for name in table.columns:
        assert [value is None for value in table[name]] == [row.get(name) is None for row in rows]
