"""Covariates are categories or numbers by the types of their columns; true and false are one thing across tables.

Varied: the library, the type of the column, the spelling of true and false, missing values, leading zeros, the role,
and which of two tables has which type.
"""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from throughtime._errors import InputError
from throughtime.data.frames import from_native
from throughtime.data.future_covariates import with_future
from throughtime.data.panel import Panel
from throughtime.data.readers import read_panel, read_table
from throughtime.data.source import Source

DAYS = [date(2020, 1, 1) + timedelta(day) for day in range(5)]
BASE = {"ds": DAYS, "y": [3.0, 1.0, 4.0, 1.0, 5.0]}
POSTCODES = ["10115", "01067", None, "20095", "01067"]
NUMBERS = [2, 1, 3, 3, 1]


def polars_frame(values: object, dtype: object = None) -> pl.DataFrame:
    return pl.DataFrame({**BASE, "c": pl.Series(values, dtype=dtype)})


def pandas_frame(values: object) -> pd.DataFrame:
    return pd.DataFrame({**BASE, "ds": pd.to_datetime(BASE["ds"]), "c": values})


CATEGORIES: dict[str, Callable[[], object]] = {
    "polars String": lambda: polars_frame(POSTCODES),
    "polars Categorical": lambda: polars_frame(POSTCODES, pl.Categorical),
    "polars Enum": lambda: polars_frame(POSTCODES, pl.Enum(["01067", "10115", "20095"])),
    "polars lazy": lambda: polars_frame(POSTCODES).lazy(),
    "pandas str": lambda: pandas_frame(pd.Series(POSTCODES, dtype="str")),
    "pandas string": lambda: pandas_frame(pd.Series(POSTCODES, dtype="string")),
    "pandas object": lambda: pandas_frame(pd.Series(POSTCODES, dtype=object)),
    "pandas category": lambda: pandas_frame(pd.Series(POSTCODES, dtype="category")),
    "pandas Arrow string": lambda: pandas_frame(pd.Series(POSTCODES, dtype=pd.ArrowDtype(pa.string()))),
    "pyarrow string": lambda: polars_frame(POSTCODES).to_arrow(),
    "pyarrow dictionary": lambda: polars_frame(POSTCODES, pl.Categorical).to_arrow(),
}


@pytest.mark.parametrize("kind", CATEGORIES)
@pytest.mark.parametrize("role", ["past", "future"])
def test_text_of_digits_stays_categories(kind: str, role: str) -> None:
    panel = Panel.from_frame(CATEGORIES[kind](), **{role: "c"})
    (column,) = getattr(panel.covariates, role)
    assert column.categories is not None
    names = [None if np.isnan(value) else column.categories[int(value)] for value in column.values]
    assert names == POSTCODES


@pytest.mark.parametrize("dtype", [pl.String, pl.Categorical])
def test_text_of_digits_in_parquet_stays_categories(dtype: pl.DataType, tmp_path: Path) -> None:
    polars_frame(POSTCODES, dtype).write_parquet(tmp_path / "a")
    (column,) = read_panel(tmp_path / "a", past="c").covariates.past
    assert set(column.categories) == {"10115", "01067", "20095"}


@pytest.mark.parametrize("values", [NUMBERS, [float(value) for value in NUMBERS]], ids=["int", "float"])
def test_pandas_categories_of_numbers_are_categories(values: list) -> None:
    (column,) = Panel.from_frame(pandas_frame(pd.Series(values, dtype="category")), past="c").covariates.past
    assert [column.categories[int(value)] for value in column.values] == [str(value) for value in NUMBERS]


@pytest.mark.parametrize(
    "frame",
    [
        pandas_frame(NUMBERS),
        pandas_frame(pd.Series(NUMBERS, dtype=object)),
        pandas_frame(pd.Series([np.float32(value) for value in NUMBERS], dtype=object)),
        pandas_frame(pd.Series(NUMBERS, dtype="Int64")),
        polars_frame(NUMBERS, pl.Int8),
        polars_frame(NUMBERS, pl.Decimal(10, 2)),
    ],
)
def test_numbers_are_numbers(frame: object) -> None:
    (column,) = Panel.from_frame(frame, past="c").covariates.past
    assert column.categories is None
    np.testing.assert_array_equal(column.values, NUMBERS)


def test_digits_of_a_text_file_are_numbers(tmp_path: Path) -> None:
    polars_frame(POSTCODES).write_csv(tmp_path / "a")
    (column,) = read_panel(tmp_path / "a", past="c").covariates.past
    np.testing.assert_array_equal(column.values, [10115, 1067, np.nan, 20095, 1067])


# True and false

TRUTH = [True, False, True, True, False]
SPELLED = [str(value) for value in TRUTH]
TRUTHS: dict[str, Callable[[], object]] = {
    "polars Boolean": lambda: polars_frame(TRUTH),
    "polars Title": lambda: polars_frame(SPELLED),
    "polars lower": lambda: polars_frame([text.lower() for text in SPELLED]),
    "polars UPPER": lambda: polars_frame([text.upper() for text in SPELLED]),
    "polars blanks": lambda: polars_frame([f" {text} " for text in SPELLED]),
    "polars Categorical": lambda: polars_frame(SPELLED, pl.Categorical),
    "polars 1 and 0": lambda: polars_frame([int(value) for value in TRUTH]),
    "pandas bool": lambda: pandas_frame(TRUTH),
    "pandas boolean": lambda: pandas_frame(pd.Series(TRUTH, dtype="boolean")),
    "pandas Arrow bool": lambda: pandas_frame(pd.Series(TRUTH, dtype=pd.ArrowDtype(pa.bool_()))),
    "pandas object": lambda: pandas_frame(pd.Series(TRUTH, dtype=object)),
    "pandas object of text": lambda: pandas_frame(pd.Series(SPELLED, dtype=object)),
    "pandas category": lambda: pandas_frame(pd.Series(TRUTH, dtype="category")),
    "pandas 1 and 0": lambda: pandas_frame([float(value) for value in TRUTH]),
    "pyarrow": lambda: polars_frame(TRUTH).to_arrow(),
}


@pytest.mark.parametrize("kind", TRUTHS)
def test_true_and_false_are_1_and_0(kind: str) -> None:
    (column,) = Panel.from_frame(TRUTHS[kind](), past="c").covariates.past
    assert column.categories is None
    np.testing.assert_array_equal(column.values, [1, 0, 1, 1, 0])


@pytest.mark.parametrize("missing", [None, np.nan])
def test_true_and_false_with_missing_values_of_pandas(missing: object) -> None:
    for values in ([True, missing, False, True, True], ["True", missing, "false", "TRUE", "true"]):
        (column,) = Panel.from_frame(pandas_frame(pd.Series(values, dtype=object)), past="c").covariates.past
        np.testing.assert_array_equal(column.values, [1, np.nan, 0, 1, 1])


@pytest.mark.parametrize("spelling", ["True False", "true false", "TRUE FALSE", "1 0", "TRUE 0"])
def test_true_and_false_of_text_files(spelling: str, tmp_path: Path) -> None:
    yes, no = spelling.split()
    polars_frame([yes if value else no for value in TRUTH]).write_csv(tmp_path / "a")
    (column,) = read_panel(tmp_path / "a", past="c").covariates.past
    np.testing.assert_array_equal(column.values, [1, 0, 1, 1, 0])


def later(values: object, dtype: object = None) -> pl.DataFrame:
    days = [DAYS[-1] + timedelta(step) for step in (1, 2, 3)]
    return pl.DataFrame({"ds": days, "c": pl.Series(values, dtype=dtype)})


FUTURES = [
    later([False, True, True]),
    later(["False", "True", "True"]),
    later(["FALSE", "TRUE", "true"], pl.Categorical),
    later([0, 1, 1]),
]


@pytest.fixture(scope="module")
def future_tables(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[pl.DataFrame, Source]]:
    """Each of the futures as a frame and as a file."""
    tables = [(from_native(future), Source("the frame")) for future in FUTURES]
    for future in FUTURES:
        file = tmp_path_factory.mktemp("future") / "a"
        future.write_csv(file)
        tables.append(read_table(file))
    return tables


@pytest.mark.parametrize("history", TRUTHS)
def test_true_and_false_of_two_tables(history: str, future_tables: list[tuple[pl.DataFrame, Source]]) -> None:
    panel = Panel.from_frame(TRUTHS[history](), future="c")
    for table, source in future_tables:
        (column,) = with_future(panel, table, source, 3).covariates.future
        np.testing.assert_array_equal(column.values, [1, 0, 1, 1, 0, 0, 1, 1])


def test_true_among_other_categories_is_one_category() -> None:
    panel = Panel.from_frame(polars_frame(["True", "FALSE", "unknown", "true", "unknown"]), future="c")
    (column,) = with_future(panel, from_native(later([False, True, True])), Source("the frame"), 3).covariates.future
    names = [column.categories[int(value)] for value in column.values]
    assert names == ["true", "false", "unknown", "true", "unknown", "false", "true", "true"]


def test_whole_floats_are_the_categories_of_integers() -> None:
    frame = pandas_frame(pd.Series(NUMBERS, dtype="category"))
    panel = Panel.from_frame(frame, future="c")
    table = pd.DataFrame({"ds": pd.to_datetime(later([1, 2, 3])["ds"].to_list()), "c": [1.0, np.nan, 3.0]})
    (column,) = with_future(panel, from_native(table), Source("the frame"), 3).covariates.future
    names = [None if np.isnan(value) else column.categories[int(value)] for value in column.values]
    assert names == [*map(str, NUMBERS), "1", None, "3"]


@pytest.mark.parametrize("values", [[True, False, True], ["True", "False", "True"], [1, 0, 1], [1067.0, 1.0, 2.0]])
def test_categories_that_the_other_table_writes_differently_are_refused(values: list) -> None:
    panel = Panel.from_frame(polars_frame(["yes", "no", "yes", "no", "01067"]), future="c")
    with pytest.raises(InputError) as raised:
        with_future(panel, from_native(later(values)), Source("the frame"), 3)
    assert (raised.value.code, raised.value.column) == ("other-categories", "c")
