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
    assert [partition.name for partition in partitions] == ["2/n", "k", "kind=big%20one/area=-7/part-0"]
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


def test_keys_are_numbers_if_all_are(tmp_path: Path) -> None:
    for key, values in {"store": ("007", "7"), "area": ("-7", "0"), "big": ("9", "12345678901234567890")}.items():
        for value in values:
            write(tmp_path / key, f"{key}={value}/n", value)
        found = [partition.keys for partition in list_partitions(tmp_path / key)]
        expected = sorted(int(value) if key == "area" else value for value in values)
        assert sorted(value for ((_, value),) in found) == expected
    schema = list_partitions(tmp_path / "area")[0].scan().collect_schema()
    assert schema["area"] == pl.Int64


@pytest.mark.parametrize(
    ("types", "common"),
    [((pl.Int32, pl.Int64), pl.Int64), ((pl.Int64, pl.String), pl.String), ((pl.String, pl.Categorical), pl.String)],
)
def test_names_have_one_type(tmp_path: Path, types: tuple[type[pl.DataType], ...], common: type[pl.DataType]) -> None:
    for file, dtype in zip("46", types, strict=True):
        write(tmp_path, file, file)
        rows = pl.read_parquet(tmp_path / f"{file}.parquet").cast({"unique_id": dtype})
        rows.write_parquet(tmp_path / f"{file}.parquet")
    partitions = whole_partitions(list_partitions(tmp_path), NAMES)
    assert [partition.scan().collect_schema()["unique_id"] for partition in partitions] == [common, common]
    assert [str(read_partition(partition, NAMES).ids[0]) for partition in partitions] == ["4", "6"]


def test_times_have_the_type_of_the_former(tmp_path: Path) -> None:
    write(tmp_path, "a", "f")
    (partition,) = list_partitions(tmp_path)
    former = read_partition(partition, NAMES)
    rows = pl.read_parquet(tmp_path / "a.parquet")
    rows.with_columns(pl.col("ds").cast(pl.Datetime("ms"))).write_parquet(tmp_path / "a.parquet")
    assert read_partition(partition, NAMES).frequency != former.frequency
    assert read_partition(partition, NAMES, former.former).times(0).dtype == former.times(0).dtype


def test_files_of_a_partition_are_alike(tmp_path: Path) -> None:
    write(tmp_path, "k=1/a", "f")
    write(tmp_path, "k=1/b", "g")
    pl.read_parquet(tmp_path / "k=1/b.parquet").rename({"y": "z"}).write_parquet(tmp_path / "k=1/b.parquet")
    with pytest.raises(InputError) as caught:
        read_partition(list_partitions(tmp_path)[0], NAMES)
    assert (caught.value.code, caught.value.file) == ("different-files", str(tmp_path / "k=1"))


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
    for file in ("b", "a"):
        pl.read_parquet(tmp_path / f"{file}.parquet").drop("unique_id").write_parquet(tmp_path / f"{file}.parquet")
        assert code(tmp_path)[0] == "no-id-column"
    (tmp_path / "b.parquet").unlink()
    assert len(whole_partitions(list_partitions(tmp_path), NAMES)) == 1


def test_folders_without_partitions(tmp_path: Path) -> None:
    assert code(tmp_path) == ("no-parquet", None)
    assert code(tmp_path / "nowhere")[0] == "not-a-folder"
