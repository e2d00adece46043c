"""The findings of reading a table: their numbers, and the wording of each sentence."""

from datetime import date
from typing import Any

import numpy as np
import polars as pl
import pytest
from tests.data.test_covariates import COLUMNS, ROLES, TABLE
from tests.data.test_panel import long_frame

from throughtime.data.arrange import arrange
from throughtime.data.columns import ColumnNames, TableColumns
from throughtime.data.findings import Findings, explain, explain_leading_missing
from throughtime.data.frames import from_native
from throughtime.data.frequency import Frequency
from throughtime.data.source import Source


def findings_of(frame: pl.DataFrame, **names: Any) -> Findings:
    return arrange(from_native(frame), Source("the frame"), ColumnNames(**names)).findings


def test_the_shape_of_the_series() -> None:
    findings = findings_of(long_frame().with_columns(shop=pl.lit("x")))
    assert findings.lengths.tolist() == [3, 6, 2]
    assert findings.span.tolist() == [date(2024, 2, 3), date(2024, 2, 29)]
    assert (findings.columns.id, findings.columns.time, findings.columns.targets) == ("unique_id", "ds", ("y",))
    assert findings.columns.ignored == ("shop",)
    assert (findings.frequency.describe(), findings.digits) == ("daily", None)


@pytest.mark.parametrize(
    ("change", "in_order"),
    [
        (lambda frame: frame, True),
        (lambda frame: frame.sort("ds", "unique_id"), True),  # the series take turns
        (lambda frame: frame[::-1], False),
        (lambda frame: frame[[0, 2, 1, 3, 4, 5, 6, 7, 8]], False),
    ],
)
def test_the_order_of_rows(change: Any, in_order: bool) -> None:
    assert findings_of(change(long_frame())).in_order == in_order


def test_gaps_and_missing_values_are_counted_apart() -> None:
    findings = findings_of(long_frame())
    assert (findings.missing_rows, findings.missing_values) == (2, 1)
    assert (len(findings.trailing_missing), len(findings.rows_after_last), len(findings.empty_ids)) == (0, 0, 0)


def test_series_that_end_with_missing_values_are_named() -> None:
    findings = findings_of(pl.DataFrame({"ds": range(5), "y": [None, 1.0, 2.0, None, None]}))
    assert findings.trailing_missing.tolist() == ["y"]
    assert (findings.missing_values, findings.lengths.tolist()) == (3, [5])


def test_rows_after_the_last_value_are_future_covariates_and_not_missing() -> None:
    """In b one row is after the last value, in a two; a also lacks the row of a day inside."""
    findings = findings_of(TABLE, **COLUMNS, target="sold", **ROLES)
    assert sorted(findings.rows_after_last.tolist()) == ["a", "b"]
    assert (len(findings.trailing_missing), findings.missing_rows, findings.missing_values) == (0, 1, 1)
    assert findings.lengths.tolist() == [3, 5]


def test_a_sparse_series_among_others_is_named() -> None:
    frame = pl.DataFrame({"unique_id": ["a"] * 300 + ["b"] * 3, "ds": [*range(300), 0, 60, 90], "y": range(303)})
    assert findings_of(frame).sparse_ids.tolist() == ["b"]


def test_empty_series_are_named_and_counted_among_the_lengths() -> None:
    empty = pl.DataFrame({"unique_id": ["z"] * 2, "ds": [date(2024, 2, 1), date(2024, 2, 2)], "y": [None, None]})
    findings = findings_of(pl.concat([long_frame()[:3], empty]))
    assert findings.empty_ids.tolist() == ["z"]
    assert findings.lengths.tolist() == [3, 2]


# The wording, one sentence each


def findings(**changes: Any) -> Findings:
    """Return findings that need no other sentence than those about the series and the columns."""
    columns = TableColumns("shop", "day", ("sold",), (), (), (), ())
    nobody = np.array([], str)
    plain = Findings(
        columns=columns,
        frequency=Frequency("day", stamp="datetime64[D]"),
        lengths=np.array([1_200, 30]),
        span=np.array(["2020-01-01", "2023-04-14"], "datetime64[D]"),
        digits=None,
        in_order=True,
        missing_rows=0,
        missing_values=0,
        trailing_missing=nobody,
        rows_after_last=nobody,
        sparse_ids=nobody,
        empty_ids=nobody,
    )
    return plain._replace(**changes)


def test_the_sentences_that_are_always_said() -> None:
    assert explain(findings()) == [
        "2 series of 30 to 1,200 steps, daily, from 2020-01-01 to 2023-04-14.",
        "Time in column 'day', values in column 'sold'.",
    ]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"lengths": np.array([7])}, "1 series of 7 steps, daily, from 2020-01-01 to 2023-04-14."),
        (
            {"columns": TableColumns(None, "day", ("sold", "left"), (), (), (), ())},
            "Time in column 'day', values in columns 'sold', 'left'.",
        ),
        (
            {"columns": TableColumns(None, "day", ("sold",), ("kind",), (), ("price", "promo"), ())},
            "Covariates: static 'kind'; future 'price', 'promo'.",
        ),
        (
            {"columns": TableColumns(None, "day", ("sold",), (), (), (), ("note",))},
            "Ignored the column 'note'.",
        ),
        (
            {"columns": TableColumns(None, "day", ("sold",), (), (), (), ("note", "x"))},
            "Ignored the columns 'note', 'x'.",
        ),
        ({"digits": "YYYYMM"}, "The time stamps in column 'day' are read as dates, YYYYMM."),
        ({"in_order": False}, "The rows were not in order of time: sorted."),
        ({"missing_rows": 1}, "1 time step had no row: taken as missing."),
        ({"missing_rows": 1_234}, "1,234 time steps had no row: taken as missing."),
        ({"missing_values": 2}, "2 values missing in the rows."),
        (
            {"rows_after_last": np.array(["a"])},
            "Rows after the last value are used as future covariates: 1 series (a).",
        ),
        (
            {"trailing_missing": np.array([7, 8, 9, 10])},
            "These series end with missing values; forecasts still start after their last time step: "
            "4 series (7, 8, 9, ...).",
        ),
        (
            {"sparse_ids": np.array(["a", "b"])},
            "These series have a row for fewer than one in 10 steps, as if their frequency were another: "
            "2 series (a, b).",
        ),
        ({"empty_ids": np.array(["z"])}, "Left out, because all values are missing: 1 series (z)."),
    ],
)
def test_the_sentence_of_a_finding(changes: dict[str, Any], sentence: str) -> None:
    sentences = explain(findings(**changes))
    assert sentence in sentences
    assert len(sentences) == 2 + (not changes.keys() <= {"lengths"} and "values in columns" not in sentence)


def test_the_sentence_about_leading_missing_values() -> None:
    assert explain_leading_missing(1_500) == "Missing values before the first observation left out: 1,500 series."
