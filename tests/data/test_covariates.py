"""Covariates of a table: which columns, on which steps, and what is wrong with them."""

from dataclasses import asdict
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest

from throughtime._errors import InputError
from throughtime.data.columns import ColumnNames
from throughtime.data.frames import from_native
from throughtime.data.future_covariates import require_future, with_future
from throughtime.data.missing import without_leading_gaps
from throughtime.data.panel import Panel
from throughtime.data.readers import read_panel
from throughtime.data.source import Source


def days(first: int, last: int) -> list[date]:
    return [date(2024, 1, 1) + timedelta(day) for day in range(first, last + 1)]


# Series a has days 0 to 4 and the future up to 6, b days 2 to 4 and the future up to 5; a lacks day 1.
TABLE = pl.DataFrame(
    {
        "shop": ["b"] * 4 + ["a"] * 6,
        "day": days(2, 5) + days(0, 0) + days(2, 6),
        "sold": [5.0, 6.0, 7.0, None, 1.0, None, 2.0, 3.0, None, None],
        "left": [50.0, 60.0, None, None, 10.0, 20.0, 30.0, 40.0, None, None],
        "price": [0.5, 0.6, None, 0.8, 0.0, 0.2, 0.3, 0.4, 0.5, 0.6],
        "sky": ["sun", "rain", "sun", "snow", None, "rain", "sun", "sun", "rain", "hail"],
        "kind": ["big"] * 4 + [None, *["small"] * 5],
    }
)
COLUMNS = {"id": "shop", "time": "day"}
ROLES = {"static": "kind", "past": ["sky"], "future": ["price"]}


def panel_of(table: object = TABLE, target: str | list[str] = "sold", **roles: object) -> Panel:
    return Panel.from_frame(table, **COLUMNS, target=target, **(roles or ROLES))


def on_steps(panel: Panel, name: str, i: int) -> list:
    """Return a covariate from the first step of series ``i`` to the end of its grid; None if missing."""
    covariates = panel.covariates
    column = next(column for column in (*covariates.past, *covariates.future) if column.name == name)
    skipped = (panel.starts[i] - covariates.starts[i]) // panel.frequency.multiple
    values = column.values[covariates.offsets[i] + skipped : covariates.offsets[i + 1]]
    known = [None if np.isnan(value) else value for value in values.tolist()]
    return known if column.categories is None else [k if k is None else column.categories[int(k)] for k in known]


@pytest.mark.parametrize("kind", ["polars", "pandas", "pyarrow", "lazy", "reversed", "CSV", "Parquet"])
def test_a_table_of_any_kind(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    tables = {
        "polars": lambda: TABLE,
        "pandas": TABLE.to_pandas,
        "pyarrow": TABLE.to_arrow,
        "lazy": TABLE.lazy,
        "reversed": TABLE.reverse,
    }
    if kind in tables:
        panel = panel_of(tables[kind]())
    else:
        TABLE.write_csv(path) if kind == "CSV" else TABLE.write_parquet(path)
        panel = read_panel(path, **COLUMNS, target="sold", **ROLES)
    b, a = (panel.ids.tolist().index(name) for name in "ba")
    np.testing.assert_array_equal(panel.series(a), [1, np.nan, np.nan, 2, 3])  # it ends with its last value
    np.testing.assert_array_equal(panel.series(b), [5, 6, 7])
    assert on_steps(panel, "price", a) == [0.0, None, 0.2, 0.3, 0.4, 0.5, 0.6]
    assert on_steps(panel, "price", b) == [0.5, 0.6, None, 0.8]
    assert on_steps(panel, "sky", a) == [None, None, "rain", "sun", "sun", "rain", "hail"]
    (static,) = panel.covariates.static
    assert [static.categories[int(value)] for value in static.values[[a, b]]] == ["small", "big"]
    assert panel.covariates.has_row.sum() == len(TABLE)


def test_without_future_covariates_a_series_ends_with_its_rows() -> None:
    panel = panel_of(past="sky")
    assert panel.lengths.tolist() == [4, 7]
    assert np.isnan(panel.series(0)[-1])


def test_the_values_to_forecast_are_found_beside_covariates() -> None:
    panel = Panel.from_frame(TABLE.drop("left", "kind", "sky"), **COLUMNS, future="price")
    assert "values in column 'sold'." in panel.notes[1]


def test_numbers_truth_and_what_is_a_category_stay_what_they_are() -> None:
    table = TABLE.with_columns(
        sky=pl.Series(["1", "2"] * 5, dtype=pl.Categorical),
        kind=pl.col("kind") == "big",
    )
    given = panel_of(table).covariates
    assert (given.future[0].categories, given.past[0].categories) == (None, ("1", "2"))
    np.testing.assert_array_equal(given.static[0].values, [1.0, 0.0])


def test_cutting_and_leading_gaps_keep_covariates_on_their_steps() -> None:
    panel = panel_of(TABLE.with_columns(sold=pl.when(pl.col("day") == date(2024, 1, 1)).then(None).otherwise("sold")))
    panel = without_leading_gaps(panel)
    a = panel.ids.tolist().index("a")
    assert panel.series(a).tolist() == [2.0, 3.0]
    assert on_steps(panel, "price", a) == [0.3, 0.4, 0.5, 0.6]
    assert on_steps(panel.cut(1), "price", a) == [0.3, 0.4, 0.5, 0.6]


def test_series_without_a_value_are_left_out_with_their_covariates() -> None:
    panel = panel_of(TABLE.with_columns(sold=pl.when(pl.col("shop") == "b").then(None).otherwise("sold")))
    assert panel.ids.tolist() == ["a"]
    assert on_steps(panel, "price", 0) == [0.0, None, 0.2, 0.3, 0.4, 0.5, 0.6]
    assert panel.covariates.sources.tolist() == ["a"]


def test_several_targets_make_series_that_share_their_covariates() -> None:
    panel = panel_of(target=["sold", "left"], **ROLES)
    assert panel.ids.tolist() == ["b/sold", "b/left", "a/sold", "a/left"]
    np.testing.assert_array_equal(panel.series(1), [50, 60])
    np.testing.assert_array_equal(panel.series(3), [10, np.nan, 20, 30, 40])
    assert on_steps(panel, "price", 1) == on_steps(panel, "price", 0) == [0.5, 0.6, None, 0.8]
    assert panel.covariates.sources.tolist() == ["b", "b", "a", "a"]


def test_several_targets_of_one_series_are_named_after_their_columns() -> None:
    table = TABLE.filter(pl.col("shop") == "a").drop("shop")
    panel = Panel.from_frame(table, target=["left", "sold"])
    assert panel.ids.tolist() == ["left", "sold"]
    np.testing.assert_array_equal(panel.series(0), [10, np.nan, 20, 30, 40, np.nan, np.nan])


def test_a_wide_file(shared_data: Path) -> None:
    names = ["HUFL", "HULL", "MUFL", "MULL", "LUFL", "LULL", "OT"]
    panel = read_panel(shared_data / "ETTh1.csv", target=names)
    assert panel.ids.tolist() == names
    assert panel.lengths.tolist() == [17420] * 7
    alone = read_panel(shared_data / "ETTh1.csv", target="MULL")
    np.testing.assert_array_equal(panel.series(3), alone.values)


@pytest.mark.parametrize(
    ("changed", "roles", "fields"),
    [
        ({}, {"future": "prise"}, {"code": "no-such-column", "found": "prise", "expected": "price"}),
        ({}, {"past": "price", "future": "price"}, {"code": "column-used-twice", "column": "price"}),
        ({}, {"past": "sold"}, {"code": "column-used-twice", "column": "sold"}),
        (
            {},
            {"static": "price"},
            {"code": "static-covariate-changes", "line": 2, "column": "price", "found": "0.6"},
        ),
        ({}, {"static": "sky"}, {"code": "static-covariate-changes", "line": 2, "column": "sky", "found": "'rain'"}),
        ({"price": pl.col("day")}, {"past": "price"}, {"code": "wrong-type", "column": "price", "found": "Date"}),
        ({"price": pl.lit(1e301)}, {"past": "price"}, {"code": "not-finite", "line": 1, "column": "price"}),
    ],
)
def test_covariates_that_cannot_be_used(changed: dict, roles: dict, fields: dict) -> None:
    with pytest.raises(InputError) as raised:
        panel_of(TABLE.with_columns(**changed), **roles)
    assert fields.items() <= raised.value.fields().items()


def test_a_static_covariate_that_changes_is_explained() -> None:
    with pytest.raises(InputError) as raised:
        panel_of(static="price")
    assert str(raised.value) == (
        "the frame, row 2, column 'price': found 0.6 and in row 1 0.5 for the series 'b', expected one value for each "
        "series in a static covariate. If it changes, it is a past or a future covariate (--past, --future)."
    )


def test_which_series_it_is_may_be_a_covariate() -> None:
    static = panel_of(static="shop").covariates.static[0]
    assert [static.categories[int(value)] for value in static.values] == ["b", "a"]


# The time to come


def future_of(panel: Panel, table: object, horizon: int) -> Panel:
    return with_future(panel, from_native(table), Source("the frame"), horizon)


def test_what_is_missing_is_a_table_of_dates() -> None:
    panel = panel_of()
    require_future(panel, panel.lengths, 1)
    with pytest.raises(InputError) as raised:
        require_future(panel, panel.lengths, 3)
    fields = {"code": "future-missing", "found": "3 steps without a row", "expected": ["price"]}
    assert raised.value.fields() == fields
    lines = [line.split() for line in str(raised.value).splitlines()[1:]]
    assert lines[1:] == [
        ["b", "2024-01-06", "2024-01-08", "2024-01-06", "2024-01-06", "2", "of", "3"],
        ["a", "2024-01-06", "2024-01-08", "2024-01-06", "2024-01-07", "1", "of", "3"],
    ]


def test_a_gap_inside_of_a_series_is_a_missing_value() -> None:
    panel = panel_of()
    require_future(panel, np.array([1, 1]), 2)  # a lacks the row of its second step, which is inside


@pytest.mark.parametrize("kind", ["polars", "pandas", "lazy"])
def test_a_frame_of_the_future(kind: str) -> None:
    panel = panel_of()
    table = pl.DataFrame(
        {
            "price": [7.0, 8.0, 9.0, 1.0, 2.0],
            "day": [date(2024, 1, 8), date(2024, 1, 7), date(2024, 1, 1), date(2024, 1, 6), date(2024, 1, 7)],
            "shop": ["a", "a", "a", "b", "c"],  # a's first day has been, and there is no c
        }
    )
    actual = future_of(panel, {"polars": table, "pandas": table.to_pandas(), "lazy": table.lazy()}[kind], 3)
    assert on_steps(actual, "price", 1) == [0.0, None, 0.2, 0.3, 0.4, 0.5, 8.0, 7.0]
    assert on_steps(actual, "price", 0) == [0.5, 0.6, None, 1.0, None, None]
    assert on_steps(actual, "sky", 1)[-1] is None
    assert on_steps(panel, "price", 1)[-1] == 0.6  # the panel itself is as it was


def test_categories_of_the_future_may_be_new() -> None:
    panel = panel_of(future="sky")
    table = pl.DataFrame({"shop": ["a", "a"], "day": days(6, 7), "sky": ["fog", "rain"]})
    assert on_steps(future_of(panel, table, 3), "sky", 1)[-3:] == ["rain", "fog", "rain"]


def test_one_row_speaks_of_all_series_of_a_table_without_ids() -> None:
    table = TABLE.filter(pl.col("shop") == "a").drop("shop")
    panel = Panel.from_frame(table, target=["left", "sold"], future="price")
    actual = future_of(panel, pd.DataFrame({"day": pd.to_datetime(days(7, 7)), "price": [9.0]}), 3)
    require_future(actual, actual.lengths, 3)
    assert on_steps(actual, "price", 0)[-1] == on_steps(actual, "price", 1)[-1] == 9.0


@pytest.mark.parametrize(
    ("table", "fields", "dates"),
    [
        (
            {"shop": ["a"], "day": days(7, 7)},
            {"code": "no-such-column", "column": "price", "expected": ["shop", "day", "price"]},
            True,
        ),
        (
            {"shop": ["a"], "day": [9], "price": [1.0]},
            {"code": "other-time-stamps", "column": "day", "found": "int64", "expected": "datetime64[D]"},
            True,
        ),
        (
            {"shop": ["a"] * 2, "day": days(7, 7) * 2, "price": [1.0, 2.0]},
            {"code": "duplicate-time", "line": 2, "column": "day", "found": "row 1"},
            False,
        ),
        (
            {"shop": ["a"], "day": days(7, 7), "price": ["low"]},
            {"code": "not-a-number", "line": 1, "column": "price", "found": "low"},
            False,
        ),
    ],
)
def test_a_frame_of_the_future_that_cannot_be_used(table: dict, fields: dict, dates: bool) -> None:
    with pytest.raises(InputError) as raised:
        future_of(panel_of(), pl.DataFrame(table), 3)
    assert fields.items() <= raised.value.fields().items()
    assert ("needs from" in str(raised.value)) == dates


def test_future_covariates_that_were_not_named() -> None:
    with pytest.raises(InputError) as raised:
        future_of(panel_of(past="sky"), TABLE, 3)
    assert raised.value.code == "no-future-covariates"


def test_names_are_passed_on_by_role() -> None:
    assert asdict(ColumnNames(**COLUMNS)) | ROLES == asdict(ColumnNames(**COLUMNS, **ROLES))
