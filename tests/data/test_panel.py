"""Long tables of any kind and order become regular series, and say what was done."""

from datetime import UTC, date, datetime
from time import perf_counter
from types import ModuleType

import hypothesis.strategies as st
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given

from throughtime._errors import InputError
from throughtime.data.panel import Panel


def long_frame() -> pl.DataFrame:
    """Three series of different starts and lengths; b has a gap of two days and a missing value."""
    return pl.DataFrame(
        {
            "unique_id": ["a"] * 3 + ["b"] * 4 + ["c"] * 2,
            "ds": [date(2024, 2, day) for day in (27, 28, 29, 3, 4, 7, 8, 10, 11)],
            "y": [1.0, 2.5, 4.0, 10.0, None, 30.0, 40.0, 7.0, 9.0],
        }
    )


def test_series_and_their_time_axes() -> None:
    panel = Panel.from_frame(long_frame())
    assert len(panel) == 3
    assert panel.ids.tolist() == ["a", "b", "c"]
    assert panel.lengths.tolist() == [3, 6, 2]
    np.testing.assert_array_equal(panel.series(0), [1.0, 2.5, 4.0])
    np.testing.assert_array_equal(panel.series(1), [10.0, np.nan, np.nan, np.nan, 30.0, 40.0])
    np.testing.assert_array_equal(panel.times(1), np.arange("2024-02-03", "2024-02-09", dtype="datetime64[D]"))
    ids, times = panel.future(2)
    assert ids.tolist() == ["a", "a", "b", "b", "c", "c"]
    assert times.tolist() == [date(2024, *day) for day in ((3, 1), (3, 2), (2, 9), (2, 10), (2, 12), (2, 13))]


def test_notes_say_what_was_found_and_done() -> None:
    frame = long_frame().with_columns(shop=pl.lit("x")).reverse()
    assert Panel.from_frame(frame).notes == (
        "3 series of 2 to 6 steps, daily, from 2024-02-03 to 2024-02-29.",
        "Time in column 'ds', values in column 'y'.",
        "Ignored the column 'shop'.",
        "The rows were not in order of time: sorted.",
        "2 time steps had no row: taken as missing.",
        "1 value missing in the rows.",
    )


@given(st.permutations(range(9)))
def test_the_order_of_rows_means_nothing(order: list[int]) -> None:
    expected, panel = Panel.from_frame(long_frame()), Panel.from_frame(long_frame()[order])
    for i, name in enumerate(panel.ids.tolist()):
        j = expected.ids.tolist().index(name)
        np.testing.assert_array_equal(panel.series(i), expected.series(j))
        np.testing.assert_array_equal(panel.times(i), expected.times(j))


@given(st.integers(0, 8))
def test_what_is_cut_off_is_the_future(steps: int) -> None:
    panel = Panel.from_frame(long_frame())
    cut = panel.cut(steps)
    assert cut.lengths.tolist() == [max(length - steps, 0) for length in panel.lengths]
    ids, times = cut.future(steps)
    assert ids.tolist() == np.repeat(panel.ids, steps).tolist()
    for i in range(len(panel)):
        np.testing.assert_array_equal(cut.series(i), panel.series(i)[: cut.lengths[i]])
        full = panel.frequency.times(panel.starts[i] + np.arange(panel.lengths[i] - steps, panel.lengths[i]))
        np.testing.assert_array_equal(times[i * steps : (i + 1) * steps], full)


def test_cutting_nothing_and_less_than_nothing() -> None:
    panel = Panel.from_frame(long_frame())
    np.testing.assert_array_equal(panel.cut(0).values, panel.values)
    with pytest.raises(InputError, match="cannot cut -1 steps") as raised:
        panel.cut(-1)
    assert raised.value.fields() == {"code": "negative-steps", "found": -1, "expected": "0 or more"}


def test_series_without_values_are_left_out_and_named() -> None:
    empty = pl.DataFrame({"unique_id": ["z", "z"], "ds": [date(2024, 2, 1), date(2024, 2, 2)], "y": [None, None]})
    panel = Panel.from_frame(pl.concat([long_frame()[:3], empty, long_frame()[3:]]))
    assert panel.ids.tolist() == ["a", "b", "c"]
    assert panel.lengths.tolist() == [3, 6, 2]
    np.testing.assert_array_equal(panel.series(2), [7.0, 9.0])


def test_missing_values_at_the_ends_stay() -> None:
    frame = pl.DataFrame({"ds": range(5), "y": [None, 1.0, 2.0, None, None]})
    panel = Panel.from_frame(frame)
    np.testing.assert_array_equal(panel.values, [np.nan, 1.0, 2.0, np.nan, np.nan])
    assert panel.future(1)[1] == [5]


@pytest.mark.parametrize("library", [pl, pd, pa], ids=lambda library: library.__name__)
@pytest.mark.parametrize("ids", [[30, 4, 30, 4, 17, 17], [2.5, -1.0, 2.5, -1.0, 0.0, 0.0]])
def test_numbers_name_series_in_order_of_appearance(ids: list, library: ModuleType) -> None:
    make = library.table if library is pa else library.DataFrame
    panel = Panel.from_frame(make({"unique_id": ids, "ds": [1, 1, 2, 2, 5, 6], "y": [1.0, 2, 3, 4, 5, 6]}))
    assert panel.ids.tolist() == [ids[0], ids[1], ids[4]]
    assert panel.ids.dtype == np.array(ids).dtype
    assert [panel.series(i).tolist() for i in range(3)] == [[1, 3], [2, 4], [5, 6]]


def frames_of_each_kind() -> dict[str, object]:
    table = long_frame().with_columns(pl.col("ds").cast(pl.Datetime("us")))
    columns = table.to_dict(as_series=False)
    frame = pd.DataFrame(columns)
    return {
        "polars": table,
        "polars categories": table.with_columns(pl.col("unique_id").cast(pl.Categorical)),
        "polars text": table.with_columns(pl.col("ds").dt.to_string("%Y-%m-%d"), pl.col("y").cast(pl.String)),
        "pandas": frame,
        "pandas categories": frame.astype({"unique_id": "category"}),
        "pandas nullable": frame.assign(
            y=(frame["y"] * 2).astype("Int64") / 2, unique_id=frame["unique_id"].astype("string")
        ),
        "pandas objects": frame.assign(ds=[time.date() for time in columns["ds"]], y=frame["y"].astype(object)),
        "pandas periods": frame.assign(ds=pd.PeriodIndex(columns["ds"], freq="D")),
        "pandas index": frame.set_index("ds"),
        "pandas indices": frame.set_index(["unique_id", "ds"]),
        "pandas index and column": frame.set_index("ds", drop=False),
        "pandas order": frame.set_index(pd.Index([5, 3, 9, 1, 0, 2, 7, 4, 6])),
        "pandas arrow": frame.convert_dtypes(dtype_backend="pyarrow"),
        "pyarrow": pa.table(columns),
    }


@pytest.mark.parametrize("kind", frames_of_each_kind())
def test_frames_of_each_kind_give_the_same_panel(kind: str) -> None:
    panel, expected = Panel.from_frame(frames_of_each_kind()[kind]), Panel.from_frame(long_frame())
    assert panel.ids.tolist() == expected.ids.tolist()
    np.testing.assert_array_equal(panel.values, expected.values)
    np.testing.assert_array_equal(panel.offsets, expected.offsets)
    np.testing.assert_array_equal(panel.starts, expected.starts)


def test_time_zones_of_frames() -> None:
    days = pd.date_range("2024-03-29", periods=4, tz="Europe/Berlin")
    for frame in (pd.DataFrame({"ds": days, "y": 1.5}), pl.DataFrame({"ds": pl.Series(days), "y": [1.5] * 4})):
        panel = Panel.from_frame(frame)
        assert (panel.frequency.describe(), panel.frequency.zone) == ("daily", "Europe/Berlin")
        assert panel.times(0)[-1] == np.datetime64("2024-03-31T22:00")
    mixed = [datetime(2024, 1, 1), datetime(2024, 1, 2, tzinfo=UTC)]
    with pytest.raises(InputError) as raised:
        Panel.from_frame(pd.DataFrame({"ds": pd.Series(mixed, dtype=object), "y": [1, 2]}))
    assert (raised.value.code, raised.value.line, raised.value.column) == ("mixed-time-zones", 2, "ds")


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (["unique_id", "ds", "y"], ("unique_id", "ds", "y")),
        (["y", "ds", "other"], (None, "ds", "y")),
        (["Month", "#Passengers"], (None, "Month", "#Passengers")),
        (["unique_id", "T", "sales"], ("unique_id", "T", "sales")),
    ],
)
def test_columns_are_found(columns: list[str], expected: tuple[str | None, str, str]) -> None:
    kinds = {"unique_id": ["a", "a", "a"], "other": [3, 4, 5], "T": [0, 1, 2]}
    data = {name: kinds.get(name, [1.5, 2.0, 4.0]) for name in columns}
    data |= {name: ["2020-01-01", "2020-01-02", "2020-01-03"] for name in columns if name in ("ds", "Month")}
    panel = Panel.from_frame(pl.DataFrame(data))
    np.testing.assert_array_equal(panel.values, [1.5, 2.0, 4.0])
    assert f"Time in column {expected[1]!r}, values in column {expected[2]!r}." in panel.notes
    assert panel.ids.tolist() == ["a" if expected[0] else expected[2]]


def test_named_columns_come_first() -> None:
    frame = pl.DataFrame(
        {
            "unique_id": ["u", "v"] * 2,
            "shop": [7, 7, 8, 8],
            "ds": [1, 1, 1, 1],
            "week": [4, 5, 4, 5],
            "y": [0] * 4,
            "sold": [1, 2, 3, 5],
        }
    )
    panel = Panel.from_frame(frame, id="shop", time="week", target="sold")
    assert panel.ids.tolist() == [7, 8]
    assert [panel.series(i).tolist() for i in range(2)] == [[1.0, 2.0], [3.0, 5.0]]


def test_duplicate_and_unnamed_columns_of_pandas() -> None:
    for names, code in ((["ds", "y", "y"], "duplicate-column"), ([0, 1, 2], "column-names-not-text")):
        with pytest.raises(InputError) as raised:
            Panel.from_frame(pd.DataFrame([[1, 2, 3]], columns=names))
        assert (raised.value.code, raised.value.found) == (code, names)


def test_many_series_take_no_loop() -> None:
    """50,000 series need half a second here; 100 microseconds of Python for each would be 5 seconds."""
    count = 50_000
    ids = pl.int_range(count, eager=True).cast(pl.String).repeat_by(20).explode()
    frame = pl.DataFrame({"unique_id": ids, "ds": list(range(20)) * count, "y": np.ones(20 * count)})
    start = perf_counter()
    panel = Panel.from_frame(frame)
    panel.cut(3)
    panel.future(3)
    assert perf_counter() - start < 5
    assert (panel.lengths == 20).all()
