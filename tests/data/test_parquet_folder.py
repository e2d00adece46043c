"""A folder of Parquet files: its partitions, and each series in one of them."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from throughtime import InputError
from throughtime.data import ColumnNames, list_partitions, read_partition, whole_partitions

NAMES = ColumnNames()
DAYS = pl.date_range(date(2024, 1, 1), date(2024, 1, 9), "1d", eager=True)


def write(folder: Path, file: str, *names: str) -> None:
    place = folder / f"{file}.parquet"
    place.parent.mkdir(parents=True, exist_ok=True)
    rows = [{"unique_id": name, "ds": day, "y": 1.0} for name in names for day in DAYS]
    pl.DataFrame(rows, schema={"unique_id": pl.String, "ds": pl.Date, "y": pl.Float64}).write_parquet(place)


def code(folder: Path, names: ColumnNames = NAMES) -> tuple[str, object]:
    with pytest.raises(InputError) as caught:
        whole_partitions(list_partitions(folder), names)
    return caught.value.code, caught.value.found


def test_the_files_of_a_key_are_one_partition(tmp_path: Path) -> None:
    for file, name in {"2/n": "f", "kind=big%20one/area=-7/n": "a", "kind=big%20one/area=-7/m": "b", "k": "c"}.items():
        write(tmp_path, file, name)
    for other in ("_SUCCESS.parquet", ".hidden.parquet", "readme.txt"):
        (tmp_path / other).write_text("no rows")
    partitions = list_partitions(tmp_path)
    assert [partition.name for partition in partitions] == ["2/n", "k", "kind=big%20one/area=-7/m"]
    assert [len(partition.files) for partition in partitions] == [1, 1, 2]
    assert partitions[2].keys == (("kind", "big one"), ("area", -7))
    assert whole_partitions(partitions, NAMES) == partitions
    assert read_partition(partitions[2], NAMES).ids.tolist() == ["b", "a"]
    static = read_partition(partitions[2], ColumnNames(static=("kind", "area"))).covariates
    assert static is not None
    assert [column.values.tolist() for column in static.static] == [[0, 0], [-7, -7]]


def test_a_key_may_name_the_series(tmp_path: Path) -> None:
    for shop in ("4", "west"):
        write(tmp_path, f"shop={shop}/n", "of both")
    names = ColumnNames(id="shop")
    partitions = whole_partitions(list_partitions(tmp_path), names)
    assert [str(read_partition(partition, names).ids[0]) for partition in partitions] == ["4", "west"]


def test_partitions_without_rows_are_left_out_and_damaged_ones_stay(tmp_path: Path) -> None:
    write(tmp_path, "a", "f")
    write(tmp_path, "b")
    (tmp_path / "c.parquet").write_bytes(b"PAR1")
    partitions = whole_partitions(list_partitions(tmp_path), NAMES)
    assert [partition.name for partition in partitions] == ["a", "c"]
    with pytest.raises(InputError) as caught:
        read_partition(partitions[1], NAMES)
    assert (caught.value.code, caught.value.file) == ("damaged-parquet", str(tmp_path / "c.parquet"))


def test_each_series_lies_in_one_partition(tmp_path: Path) -> None:
    write(tmp_path, "a", "f", "g")
    write(tmp_path, "b", "h", "g")
    assert code(tmp_path) == ("divided-series", "g")


def test_several_partitions_need_a_column_of_names(tmp_path: Path) -> None:
    write(tmp_path, "a", "f")
    write(tmp_path, "b", "g")
    assert code(tmp_path, ColumnNames(id="shop")) == ("no-such-column", "shop")
    for file in ("a", "b"):
        pl.read_parquet(tmp_path / f"{file}.parquet").drop("unique_id").write_parquet(tmp_path / f"{file}.parquet")
    assert code(tmp_path)[0] == "no-id-column"
    (tmp_path / "b.parquet").unlink()
    assert len(whole_partitions(list_partitions(tmp_path), NAMES)) == 1


def test_folders_without_partitions(tmp_path: Path) -> None:
    assert code(tmp_path) == ("no-parquet", None)
    assert code(tmp_path / "nowhere")[0] == "not-a-folder"
