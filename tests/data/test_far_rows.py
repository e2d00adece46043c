"""New rows far after the others of their series: a mistyped time is refused, a pause and a long future are not."""

from datetime import date, datetime, timedelta

import narwhals as nw
import polars as pl
import pytest

from throughtime._errors import InputError
from throughtime.data import ColumnNames, Panel, Source, append_rows
from throughtime.data.far_rows import NEAR
from throughtime.data.irregular import SPARSE

SOURCE = Source("the rows")


def days(step: int) -> date:
    return date(2020, 1, 1) + timedelta(step)


def hours(step: int) -> datetime:
    return datetime(2020, 1, 1) + timedelta(hours=step)


def months(step: int) -> date:
    return date(2000 + step // 12, step % 12 + 1, 1)


def thirds(step: int) -> int:
    return 7 + 3 * step


TIMES = [days, hours, months, thirds]


def frame(time, steps, name: str = "a", value: float | None = 1.0) -> pl.DataFrame:
    """Rows with a value, or without, and with a covariate."""
    rows = {"unique_id": name, "ds": [time(step) for step in steps], "promo": 0}
    return pl.DataFrame(rows).with_columns(y=pl.lit(value, pl.Float64))


def panel_of(*frames: pl.DataFrame, future: str | None = "promo") -> Panel:
    return Panel.from_frame(pl.concat(frames), future=future or ())


def appended(panel: Panel, rows: pl.DataFrame) -> Panel:
    names = ColumnNames("unique_id", "ds", "y", future=() if panel.covariates is None else "promo")
    return append_rows(panel, nw.from_native(rows), SOURCE, names)


def refused(panel: Panel, rows: pl.DataFrame) -> InputError:
    with pytest.raises(InputError) as caught:
        appended(panel, rows)
    assert caught.value.code == "far-row"
    return caught.value


@pytest.mark.parametrize("future", ["promo", None])
@pytest.mark.parametrize("value", [1.0, None])
@pytest.mark.parametrize("time", TIMES)
@pytest.mark.parametrize("length", [9, 150, 1200])
def test_a_row_may_be_as_far_as_the_series_is_long_a_value_ten_times_as_far(time, length, value, future):
    """And a thousand steps in any case."""
    panel = panel_of(frame(time, range(length)), future=future)
    most = max(NEAR, length if value is None else SPARSE * length)
    if time is months and most > 9000:
        pytest.skip("beyond the year 9999, at which dates end")
    far = frame(time, [length + most], value=value)
    error = refused(panel, far)
    assert (error.line, error.column, error.expected) == (1, "ds", most)
    longer = appended(panel, frame(time, [length + most - 1], value=value))
    assert longer.lengths.tolist() == [length + most * (value is not None or future is None)]


def test_a_long_future_comes_near_other_rows():
    """In one table or row by row: a year of hours after some days."""
    panel, year = panel_of(frame(hours, range(100))), frame(hours, range(100, 100 + 8760), value=None)
    whole = appended(panel, year)
    assert whole.covariates.offsets.tolist() == [0, 100 + 8760]
    days_alone = appended(panel, year[23::24])
    for part in year.iter_slices(900):
        panel = appended(panel, part[-1:])
    for longer in (days_alone, panel):
        assert longer.covariates.offsets.tolist() == [0, 100 + 8760]
    assert appended(whole, frame(hours, [5000])).lengths.tolist() == [5001]
    assert refused(whole, frame(hours, [100 + 8760 + NEAR], value=None)).line == 1


def test_the_row_is_named_among_those_of_several_series():
    panel = panel_of(frame(days, range(40)), frame(days, range(30), "b"))
    near = [frame(days, [60]), frame(days, range(35, 37), "b"), frame(days, range(3), "new")]
    for far in (frame(days, [68000], "b"), frame(days, [68000], "a", None), frame(days, [68000], "new")):
        error = refused(panel, pl.concat([*near, far, frame(days, [61])]))
        assert (error.line, error.found) == (7, str(days(68000)))
    far = pl.concat([frame(days, [10_000]), frame(days, [9900], "b", None)])
    assert refused(panel_of(frame(days, range(1200)), frame(days, range(30), "b")), far).line == 2
    assert appended(panel, pl.concat(near)).lengths.tolist() == [61, 37, 3]


def test_a_short_series_may_pause_as_long_as_the_others_know():
    """As a sensor that began shortly before the weekend: its row would never be right again if it were refused."""
    panel = panel_of(frame(hours, range(2000)), frame(hours, range(1990, 1992), "b"))
    assert appended(panel, frame(hours, [1992 + 19_000], "b")).lengths.tolist() == [2000, 19_003]
    assert refused(panel, frame(hours, [1992 + 21_000], "b")).line == 1
    old = pl.concat([frame(days, range(2000), "old"), frame(days, [2000 + 9000], "old")])
    assert appended(panel_of(frame(days, range(20))), old).lengths.tolist() == [20, 11_001]


@pytest.mark.parametrize(("seconds", "most"), [(60, 57_600), (1, 100_000), (900, 3840), (3600, NEAR)])
def test_a_feed_may_pause_for_days_however_short_its_steps_are(seconds, most):
    def times(step: int) -> datetime:
        return datetime(2020, 1, 1) + timedelta(seconds=seconds * step)

    panel = panel_of(frame(times, range(50)))
    assert refused(panel, frame(times, [50 + most])).expected == most
    assert appended(panel, frame(times, [49 + most])).lengths.tolist() == [50 + most]
    assert refused(panel, frame(times, [50 + NEAR], value=None)).expected == NEAR


def test_integers_as_far_apart_as_they_can_be():
    panel = panel_of(frame(lambda step: step, range(40)))
    assert refused(panel, frame(lambda step: step * 9 * 10**18, [-1, 1], "new")).line == 2
