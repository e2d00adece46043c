"""The ids of the future's rows find their series, though another table may have given them another type.

Varied: the type of the ids in the history and in the future (integers, floats, text, categories, files), missing ids,
leading zeros, and ids that are of no series.
"""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest

from throughtime._errors import InputError
from throughtime.data.frames import from_native
from throughtime.data.future_covariates import with_future
from throughtime.data.panel import Panel
from throughtime.data.readers import read_panel, read_table
from throughtime.data.source import Source

KINDS = {
    "int": lambda ids: pl.Series(ids),
    "int32": lambda ids: pl.Series(ids, dtype=pl.Int32),
    "float": lambda ids: pl.Series(ids).cast(pl.Float64),
    "text": lambda ids: pl.Series(list(map(str, ids))),
    "text of floats": lambda ids: pl.Series([f"{i}.0" for i in ids]),
    "category": lambda ids: pl.Series(list(map(str, ids)), dtype=pl.Categorical),
    "decimal": lambda ids: pl.Series(ids).cast(pl.Decimal(10, 1)),
}


def table_of(ids: pl.Series, first: int, steps: int) -> pl.DataFrame:
    """Return ``steps`` days of each id; the covariate is ten times the number of its place, plus the day."""
    days = [date(2020, 1, 1) + timedelta(first + step) for step in range(steps)]
    places = np.repeat(np.arange(len(ids)), steps)
    return pl.DataFrame(
        {
            "shop": ids.gather(places),
            "ds": days * len(ids),
            "y": np.arange(len(places)) % 7 + 0.5,
            "price": 10.0 * places + np.tile(np.arange(first, first + steps), len(ids)),
        }
    )


def prices(panel: Panel) -> list:
    (column,) = panel.covariates.future
    return column.values.tolist()


EXPECTED = [0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15]


@pytest.mark.parametrize("history", KINDS)
@pytest.mark.parametrize(
    ("future", "files"),
    [
        *((kind, "neither") for kind in KINDS),
        ("int", "history"),
        ("float", "future"),
        ("text", "both"),
        ("float", "pandas"),
    ],
)
def test_every_type_of_ids(history: str, future: str, files: str, tmp_path: Path) -> None:
    before, after = (table_of(KINDS[kind]([12, 7]), *steps) for kind, steps in ((history, (0, 4)), (future, (4, 2))))
    before.write_csv(tmp_path / "a"), after.write_csv(tmp_path / "b")
    frames = (before.to_pandas(), after.to_pandas()) if files == "pandas" else (before, after)
    columns = {"id": "shop", "future": "price", "target": "y"}
    of_file = files in ("history", "both")
    panel = read_panel(tmp_path / "a", **columns) if of_file else Panel.from_frame(frames[0], **columns)
    table = read_table(tmp_path / "b") if files in ("future", "both") else (from_native(frames[1]), Source("the frame"))
    assert prices(with_future(panel, *table, 2)) == EXPECTED


@pytest.mark.parametrize("library", ["polars", "pandas"])
def test_a_missing_id_makes_floats_of_integers(library: str) -> None:
    panel = Panel.from_frame(table_of(pl.Series([12, 7]), 0, 4), id="shop", target="y", future="price")
    after = table_of(pl.Series([12.0, 7.0, None]), 4, 2)
    frame = after if library == "polars" else after.to_pandas()
    assert prices(with_future(panel, from_native(frame), Source("the frame"), 2)) == EXPECTED


def test_leading_zeros_are_part_of_text_but_not_of_numbers() -> None:
    after = table_of(pl.Series(["012", "007"]), 4, 2)
    text = Panel.from_frame(table_of(pl.Series(["12", "007"]), 0, 4), id="shop", target="y", future="price")
    actual = prices(with_future(text, from_native(after), Source("the frame"), 2))
    assert actual[6:] == EXPECTED[6:]
    assert np.isnan(actual[4:6]).all()
    numbers = Panel.from_frame(table_of(pl.Series([12, 7]), 0, 4), id="shop", target="y", future="price")
    assert prices(with_future(numbers, from_native(after), Source("the frame"), 2)) == EXPECTED


@pytest.mark.parametrize("ids", [[3, 4], [1.5, 2.5], ["a", "b"], ["12a", "7 b"]])
def test_ids_that_are_of_no_series_are_shown(ids: list) -> None:
    panel = Panel.from_frame(table_of(pl.Series([12, 7]), 0, 4), id="shop", target="y", future="price")
    with pytest.raises(InputError) as raised:
        with_future(panel, from_native(table_of(pl.Series(ids), 4, 2)), Source("the frame"), 2)
    error = raised.value
    assert (error.code, error.column, error.found) == ("other-series", "shop", list(map(str, ids)))
    assert error.expected == ["12", "7"]


def test_ids_of_pandas_that_are_categories_of_numbers() -> None:
    panel = Panel.from_frame(table_of(pl.Series([12, 7]), 0, 4), id="shop", target="y", future="price")
    frame = table_of(pl.Series([12, 7]), 4, 2).to_pandas()
    frame["shop"] = pd.Categorical(frame["shop"].astype(float))
    assert prices(with_future(panel, from_native(frame), Source("the frame"), 2)) == EXPECTED
