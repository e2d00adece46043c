"""A few time stamps on no step of the others are moved to the nearest step and named, or refused if it has a row.

Varied: minutes to years, business days, opening hours, zones; earlier and later than the step, by seconds to days; the
first, the last and middle rows, several of them, in panels; steps that have a row; too many odd rows, too few others.
"""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from throughtime._errors import InputError
from throughtime.data.panel import Panel

HOURS = pd.date_range("2020-01-06", periods=24 * 90, freq="h")
USUAL = {
    "minutes": pd.date_range("2020-01-01", periods=500, freq="min"),
    "hours": HOURS[:200],
    "days": pd.date_range("2020-01-01", periods=100),
    "zone": pd.date_range("2020-03-01", periods=60, tz="Europe/Berlin"),
    "weeks": pd.date_range("2019-01-04", periods=150, freq="W-FRI"),
    "months": pd.date_range("2015-01-01", periods=60, freq="MS"),
    "month ends": pd.date_range("2015-01-31", periods=60, freq="ME"),
    "quarter ends": pd.date_range("2010-03-31", periods=40, freq="QE"),
    "years": pd.date_range("1950-01-01", periods=60, freq="YS"),
    "business days": pd.date_range("2019-01-01", periods=300, freq="B"),  # row 3 is a Friday
    "bars": HOURS[(HOURS.day_of_week < 5) & (HOURS.hour >= 9) & (HOURS.hour <= 16)],  # row 7 is at 16:00
}


def read(times: Any, ids: Any = "a") -> Panel:
    return Panel.from_frame(pd.DataFrame({"unique_id": ids, "ds": times, "y": np.arange(len(times)) * 1.0}))


@pytest.mark.parametrize(
    ("kind", "row", "shift"),
    [
        ("minutes", 100, "1s"),
        ("minutes", 499, "-2s"),
        ("hours", 50, "5min"),
        ("hours", 0, "25min"),
        ("hours", 199, "-7min"),
        ("days", 30, "5min"),
        ("days", 30, "-3h"),
        ("zone", 40, "30min"),
        ("weeks", 70, "1D"),
        ("weeks", 70, "-2D"),
        ("months", 20, "1D"),
        ("months", 20, "-1D"),
        ("month ends", 20, "-1D"),
        ("month ends", 20, "1D"),
        ("quarter ends", 20, "-1D"),
        ("years", 20, "1D"),
        ("business days", 3, "1D"),
        ("bars", 7, "1h"),
        ("bars", 7, "-2min"),
    ],
)
def test_an_odd_row_fills_the_nearest_step(kind: str, row: int, shift: str) -> None:
    usual, expected = USUAL[kind], read(USUAL[kind])
    times = usual.to_series().reset_index(drop=True)
    times[row] += pd.Timedelta(shift)
    panel = read(times)
    assert panel.frequency == expected.frequency
    np.testing.assert_array_equal(panel.values, expected.values)
    np.testing.assert_array_equal(panel.times(0), expected.times(0))
    (note,) = (note for note in panel.notes if "moved" in note)
    stamp = times[row] if kind == "zone" else times[row].tz_localize(None)
    assert note.startswith("1 time stamp ")
    assert f"{stamp:%Y-%m-%d}" in note
    assert f"(row {row + 1})" in note
    in_panel = read(
        [*usual[5:], *times, *usual[:-5]], ["b"] * (len(usual) - 5) + ["a"] * len(usual) + ["c"] * (len(usual) - 5)
    )
    assert (in_panel.frequency, len(in_panel.values)) == (expected.frequency, 3 * len(usual) - 10)


@pytest.mark.parametrize(
    ("kind", "extra", "code"),
    [
        ("hours", ["2020-01-06 13:05"], "irregular-times"),
        ("weeks", ["2020-02-08"], "irregular-times"),
        ("business days", ["2019-06-15"], "odd-rows"),
        ("bars", ["2020-02-12 20:00"], "odd-rows"),
        ("days", [f"2020-02-{day:02d} 12:00" for day in (3, 7, 9, 12)], "irregular-times"),
    ],
)
def test_a_row_whose_step_has_another_is_refused(kind: str, extra: list[str], code: str) -> None:
    times = USUAL[kind].append(pd.DatetimeIndex(extra))
    with pytest.raises(InputError) as raised:
        read(times)
    assert (raised.value.code, raised.value.line) == (code, len(USUAL[kind]) + 1)


def test_more_than_a_few_odd_rows_are_refused() -> None:
    times = USUAL["hours"].to_series().reset_index(drop=True)
    times[::30] += pd.Timedelta("3min")  # 7 of 200 rows
    with pytest.raises(InputError) as raised:
        read(times)
    assert raised.value.code == "irregular-times"
    few = USUAL["days"][:19].to_series().reset_index(drop=True)
    few[6] += pd.Timedelta("5min")
    with pytest.raises(InputError):
        read(few)
