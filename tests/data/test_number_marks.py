"""Numbers with decimal commas and marks for thousands are read as they are meant, or refused.

Varied: the separator, the decimal mark, the mark for thousands (point, comma, blank, apostrophe), signs, missing
values, the other columns, and whether all values hold a mark.
"""

from pathlib import Path

import numpy as np
import pytest

from throughtime._errors import InputError
from throughtime.data.panel import Panel
from throughtime.data.readers import read_panel

NAN = float("nan")


def read(path: Path, values: str, separator: str = ";", other: str = "") -> Panel:
    """Read a file of days, values and perhaps a second column, all of whose values are ``other``."""
    lines = ["ds" + separator + "y" + (separator + "z" if other else "")]
    for day, value in enumerate(values.split("|"), 1):
        lines.append(f"2020-01-{day:02d}{separator}{value}" + (separator + other if other else ""))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return read_panel(path)


@pytest.mark.parametrize(
    ("separator", "values", "other", "expected"),
    [
        (";", "987|1.234|1.105|998|2.450", "", [987, 1234, 1105, 998, 2450]),
        (";", "-987|-1.234|+1.105|NA| 12", "", [-987, -1234, 1105, NAN, 12]),
        (";", "0|12.345|123.456", "", [0, 12345, 123456]),
        (";", "1.234.567|987|1.105", "", [1234567, 987, 1105]),
        (";", "1.234,56|7,5|-2.000", "", [1234.56, 7.5, -2000]),
        (";", "1.234|2.345|3.456", "0,5", [1234, 2345, 3456]),
        (";", "987|1.234|1.105", "0.25", [987, 1.234, 1.105]),
        (";", "987|1.234|1.105", "31.12.2020", [987, 1234, 1105]),
        (";", "0.125|1.234|2", "", [0.125, 1.234, 2]),
        (";", "1.5|1.234|2", "", [1.5, 1.234, 2]),
        (";", "1.234e2|1.105|2", "", [123.4, 1.105, 2]),
        (";", "1,5|1,234|2", "", [1.5, 1.234, 2]),
        (";", "1,234|2,345|3,456", "", [1.234, 2.345, 3.456]),
        (";", "1,234.5|2,000|3", "", [1234.5, 2000, 3]),
        (";", "1,234,567|2,000|3", "", [1234567, 2000, 3]),
        (";", "1,234|987|2,345", "0.5", [1234, 987, 2345]),
        (";", "1 234,50|987|12 345 678", "", [1234.5, 987, 12345678]),
        (";", "1\u202f234|987|2\u00a0345,5", "", [1234, 987, 2345.5]),
        (";", "1'234.5|987|2'345", "", [1234.5, 987, 2345]),
        ("\t", "1,5|2,25|3", "", [1.5, 2.25, 3]),
        ("\t", "1.234,5|2,25|3", "", [1234.5, 2.25, 3]),
        ("\t", "1.234|2.345|3.456", "", [1.234, 2.345, 3.456]),
        ("\t", "987|1.234|1.105", "1,5", [987, 1234, 1105]),
        (",", "987|1.234|1.105", "", [987, 1.234, 1.105]),
        (",", '987|"1,234.5"|1.105', "", [987, 1234.5, 1.105]),
        (",", '"1.234,5"|"7,25"|3', "", [1234.5, 7.25, 3]),
        (",", '"987"|"1.234"|"1.105"', "", [987, 1.234, 1.105]),
    ],
)
def test_marks_are_read(separator: str, values: str, other: str, expected: list[float], tmp_path: Path) -> None:
    np.testing.assert_array_equal(read(tmp_path / "a.csv", values, separator, other).values, expected)


@pytest.mark.parametrize(
    ("separator", "values", "found"),
    [
        (";", "1.234|2.345|3.456", "1.234"),
        (";", "1234|2.345|3.456", "2.345"),
        (";", "NA|987|1,234|2,345", "1,234"),
        (";", "1.234|2,345|3", "1.234"),
        ("\t", "987|1.234|1.105", "1.234"),
        ("\t", "1,234|2,345", "1,234"),
        (",", '987|"1,234"|5', "1,234"),
    ],
)
def test_marks_that_may_be_either_are_refused(separator: str, values: str, found: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as raised:
        read(tmp_path / "a.csv", values, separator)
    error = raised.value
    assert (error.code, error.column, error.found) == ("decimal-or-thousands", "y", found)
    assert error.line == 2 + values.replace('"', "").split("|").index(found)


def test_removed_marks_are_said_of_used_columns_only(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("ds;y;z\n2020-01-01;987;5\n2020-01-02;1.234;1.105\n2020-01-03;1.105;7\n", encoding="utf-8")
    (note,) = (note for note in read_panel(path, target="y").notes if "thousands" in note)
    assert note.endswith("in column 'y'.")
    assert not any("thousands" in note for note in read(tmp_path / "b.csv", "1,5|2,5").notes)


def test_unused_columns_may_be_unclear(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("ds;y;z\n2020-01-01;987;1.234\n2020-01-02;34;2.345\n", encoding="utf-8")
    assert read_panel(path, target="y").values.tolist() == [987, 34]
    with pytest.raises(InputError) as raised:
        read_panel(path, target="y", future="z")
    assert (raised.value.code, raised.value.column, raised.value.line) == ("decimal-or-thousands", "z", 2)


def test_numbers_that_cannot_be_read_are_shown(tmp_path: Path) -> None:
    with pytest.raises(InputError) as raised:
        read(tmp_path / "a.csv", "5 kWh|7 kWh")
    assert raised.value.code == "not-a-number"
    path = tmp_path / "b.csv"
    path.write_text("day,sold\n2020-01-01,5 kWh\n2020-01-02,7 kWh\n", encoding="utf-8")
    with pytest.raises(InputError, match="'5 kWh'") as raised:
        read_panel(path)
    assert raised.value.code == "no-target-column"
