"""Files as statistical offices, exchanges, weather services, spreadsheets and R write them: their dates and values.

Varied: encodings, separators, lines above and below the table and between names and rows, units and signs in cells,
codes for missing values, spellings of dates, indexes of rows. Each table holds the same numbers at consecutive steps.
"""

import gzip
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from throughtime._errors import InputError
from throughtime.data.panel import Panel
from throughtime.data.readers import read_panel

COUNT = 36
VALUES = np.arange(COUNT) * 1.5 + 10
DAYS = [date(2020, 1, 1) + timedelta(k) for k in range(COUNT)]
MONTHS = [date(2015 + k // 12, k % 12 + 1, 1) for k in range(COUNT)]
QUARTERS = [date(2010 + k // 4, 3 * (k % 4) + 1, 1) for k in range(COUNT)]
WEEKS = [date(2020, 1, 6) + timedelta(7 * k) for k in range(COUNT)]
HOURS = [datetime(2020, 1, 1) + timedelta(hours=k) for k in range(COUNT)]
NTH = {1: "st", 2: "nd", 3: "rd", 21: "st", 22: "nd", 23: "rd", 31: "st"}


def table(header: str = "day,sold", row: str = "{t},{v}", times: list = DAYS) -> str:
    """Return a file of the values, one at each time."""
    lines = [row.format(t=time, v=value, k=k) for k, (time, value) in enumerate(zip(times, VALUES, strict=True))]
    return "\n".join([header, *lines]) + "\n"


def dates(write: Callable, times: list = DAYS) -> str:
    """Return a file whose times are written so."""
    return table("when,sold", '"{t}",{v}', [write(time) for time in times])


FILES: dict[str, tuple[str | bytes, list]] = {
    # encodings and separators
    "UTF-16 with tabs": (table("day\tsold", "{t}\t{v}").encode("utf-16"), DAYS),
    "UTF-16, big-endian": (b"\xfe\xff" + table().encode("utf-16-be"), DAYS),
    "Windows-1252": (table("größe,sold").encode("cp1252"), DAYS),
    "blanks": (table("day   sold", "{t}   {v}"), DAYS),
    "blanks below comments": ("# by hand\n" + table("day sold", "{t}  {v}"), DAYS),
    "blanks after commas": (table("day, sold", "{t}, {v}"), DAYS),
    "gzip of Windows-1252": (gzip.compress(table("day;größe", "{t};{v}").encode("cp1252")), DAYS),
    # lines that are no rows
    "titles of two fields": ('"Source","Office",\n\n"Updated","May",\n' + table("day,sold,a,b", "{t},{v},x,y"), DAYS),
    "units below the names": (table("day,sold\n(utc),(m3/s)"), DAYS),
    "three lines of names": (table("Price,sold\nTicker,ABC\nDate,"), DAYS),
    "a source below": (table() + "\nSource: Office\n", DAYS),
    "a source of two fields": (table() + '"Source: Office",\n', DAYS),
    "a note of two fields below an empty line": (table("day,sold,z", "{t},{v},x") + "\nid,note\n1,estimate\n", DAYS),
    "a total": (table() + "Total,999\n", DAYS),
    "names of rows without a name": (table("day,sold", '"{k}",{t},{v}'), DAYS),
    "separators at the ends": (table("day,sold", "{t},{v},"), DAYS),
    "an index and quotation marks": (table('"","day","sold"', '"{k}","{t}",{v}'), DAYS),
    # cells
    "dollars": (table(row='{t},"${v:,.2f}"'), DAYS),
    "dollars, negative": (table(row="{t},-${v}"), DAYS),
    "euros behind": (table("day;sold", "{t};{v} €"), DAYS),
    "a currency's code": (table(row="{t},USD {v}"), DAYS),
    "per cent": (table(row="{t},{v}%"), DAYS),
    "parentheses": (table(row="{t},({v})"), DAYS),
    "a typographic minus": (table(row="{t},\u2212{v}"), DAYS),
    # times
    "ordinals": (dates(lambda t: f"{t.day}{NTH.get(t.day, 'th')} {t:%B %Y}"), DAYS),
    "names of weekdays": (dates(lambda t: f"{t:%A, %B} {t.day}, {t.year}"), DAYS),
    "short weekdays": (dates(lambda t: f"{t:%a %d %b %Y}"), DAYS),
    "months without commas": (dates(lambda t: f"{t:%B %d %Y}"), DAYS),
    "months between slashes": (dates(lambda t: f"{t:%d/%b/%Y}"), DAYS),
    "years first and names": (dates(lambda t: f"{t:%Y-%b-%d}"), DAYS),
    "points, years first": (dates(lambda t: f"{t:%Y.%m.%d}"), DAYS),
    "C's": (dates(lambda t: f"{t:%a %b %d %H:%M:%S %Y}", HOURS), HOURS),
    "Sept": (dates(lambda t: f"{t:%b %Y}".replace("Sep", "Sept"), MONTHS), MONTHS),
    "points behind months": (dates(lambda t: f"{t:%b}. {t.year}", MONTHS), MONTHS),
    "apostrophes": (dates(lambda t: f"{t:%b'%y}", MONTHS), MONTHS),
    "Q1 10": (dates(lambda t: f"Q{t.month // 3 + 1} {t:%y}", QUARTERS), QUARTERS),
    "10Q1": (dates(lambda t: f"{t:%y}Q{t.month // 3 + 1}", QUARTERS), QUARTERS),
    "1Q10": (dates(lambda t: f"{t.month // 3 + 1}Q{t:%y}", QUARTERS), QUARTERS),
    "Q1'10": (dates(lambda t: f"Q{t.month // 3 + 1}'{t:%y}", QUARTERS), QUARTERS),
    "spans with slashes": (dates(lambda t: f"{t}/{t + timedelta(6)}", WEEKS), WEEKS),
    "spans with dashes": (dates(lambda t: f"{t} - {t + timedelta(6)}", WEEKS), WEEKS),
    "spans of hours": (dates(lambda t: f"{t:%d.%m.%Y %H:%M} - {t + timedelta(hours=1):%d.%m.%Y %H:%M}", HOURS), HOURS),
    "a date and spans of hours": (
        table("date,hours,sold", "{t:%Y-%m-%d},{t:%H}:00-{t:%H}:59,{v}", HOURS), HOURS,
    ),
    "a year and its day": (table("YEAR,DOY,sold", "{t:%Y},{t:%j},{v}"), DAYS),
    "years and fractions": (
        table("time,value", "{t},{v}", [f"{t.year + (t.month - 1) / 12:.10g}" for t in MONTHS]), MONTHS,
    ),
    "split years": (dates(lambda k: f"{1990 + k}/{(1991 + k) % 100:02d}", list(range(COUNT))), list(range(1990, 2026))),
    "split years that look like months": (
        dates(lambda k: f"{2000 + k}-{k + 1:02d}", list(range(COUNT))), list(range(2000, 2036)),
    ),
}  # fmt: skip
SIGNS = {"dollars, negative": -1, "parentheses": -1, "a typographic minus": -1}


@pytest.mark.parametrize("name", FILES)
def test_a_public_file(name: str, tmp_path: Path) -> None:
    content, times = FILES[name]
    (tmp_path / "a").write_bytes(content if isinstance(content, bytes) else content.encode())
    panel = read_panel(tmp_path / "a")
    np.testing.assert_array_equal(panel.values, SIGNS.get(name, 1) * VALUES)
    expected = np.array(times) if isinstance(times[0], int) else np.array(times, "datetime64[us]")
    np.testing.assert_array_equal(panel.times(0), expected)
    assert not any("thousands" in note for note in panel.notes)


def read(path: Path, text: str) -> Panel:
    path.write_bytes(text.encode())
    return read_panel(path)


def test_what_was_left_out_is_said(tmp_path: Path) -> None:
    text = "Title\n\nday,sold\nyyyy,EUR\n" + table(row="{t},{v}%").partition("\n")[2] + "\nSource: a\nSource: b\n"
    notes = read(tmp_path / "a", text).notes
    assert [note.split(" ")[0] for note in notes if "skipped" in note] == ["2", "1", "2"]
    assert any(note.startswith("'%' left out") for note in notes)
    (tmp_path / "b").write_bytes(table("größe,sold").encode("cp1252"))
    assert any("Windows-1252" in note for note in read_panel(tmp_path / "b").notes)


@pytest.mark.parametrize(
    ("code", "others", "known"),
    [
        ("-9999", [10, 5, 7, 3, 8, 4], False),
        ("-999.0", [-20, 5, 7, 3, 30, 4], False),
        ("-99", [10, 50, 70, 300, 8, 4], False),
        ("-99.99", [315, 316, 330, 350, 380, 410], False),
        ("9999.9", [10, 5, 7, 3, 8, 4], False),
        ("99", [1, 2, 3, 4, 5, 6], True),
        ("-99", [-100, 50, -70, 300, 8, 4], True),
        ("9999", [9000, 5000, 7000, 8000, 100, 4], True),
        ("-9999", [10, 5], True),
    ],
)
def test_codes_for_missing_values(code: str, others: list[float], known: bool, tmp_path: Path) -> None:
    values = [*map(str, others), code, str(others[0]), code, str(others[1])]
    panel = read(tmp_path / "a", "day,n\n" + "".join(f"{day},{v}\n" for day, v in zip(DAYS, values, strict=False)))
    assert np.isnan(panel.values).sum() == (0 if known else 2)
    assert any("stands for a missing value" in note for note in panel.notes) != known
    once = read(tmp_path / "b", "day,n\n" + "".join(f"{day},{v}\n" for day, v in zip(DAYS, values[:-2], strict=False)))
    assert not np.isnan(once.values).any()


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ("{t},{v} kWh", "no-target-column"),
        ("{t},{v}K", "no-target-column"),
        ("{t:%Y-%m-%d %H:%M:%S} CEST,{v}", "no-time-column"),
        ("{t:FY%y Q1},{v}", "no-time-column"),
        ("{t:%d-%b},{v}", "no-time-column"),
    ],
)
def test_what_cannot_be_known_is_refused(rows: str, code: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as raised:
        read(tmp_path / "a", table("when,sold", rows, HOURS))
    assert raised.value.code == code
