"""A folder of Parquet files, read partition by partition: each is a panel that fits in memory."""

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

import narwhals as nw
import numpy as np
import polars as pl
from numpy.typing import NDArray

from throughtime._errors import InputError
from throughtime.data.columns import SAMPLE, ColumnNames, option, resolve_columns
from throughtime.data.former import Former
from throughtime.data.missing import without_leading_gaps
from throughtime.data.panel import Panel
from throughtime.data.readers import DAMAGED, panel_of_table, whole_parquet
from throughtime.data.source import Source

ID = "unique_id"  # the column that names the series, if the user names no other
KEY = re.compile(r"([^=]+)=(.*)")  # a folder of Hive's layout
OF_KEY = "part-0.parquet"  # the name in place of those of all files of such a folder
HIDDEN = (".", "_")  # how the names of files begin that hold no rows, such as _SUCCESS
WHOLE_NUMBER = re.compile(r"0|-?[1-9]\d{0,17}")  # as str() writes it: 007 is a name
NO_VALUE = "__HIVE_DEFAULT_PARTITION__"


class Partition(NamedTuple):
    """The part of a folder that is read at once: a Parquet file, or all files of a folder ``key=value``.

    Attributes:
        name: the path of its file in the folder, without the suffix, "part-7"; of all files of a folder
            "region=eu/part-0", whatever their names are.
        files: the paths of its files.
        keys: the columns that the names of its folders hold, and their values.
        types: the columns that have other types in other partitions, and the type that all take.
    """

    name: str
    files: tuple[str, ...]
    keys: tuple[tuple[str, str | int | None], ...] = ()
    types: tuple[tuple[str, type[pl.DataType]], ...] = ()

    @property
    def source(self) -> Source:
        """The file, or the folder of the files, as messages name it."""
        return Source(self.files[0] if len(self.files) == 1 else str(Path(self.files[0]).parent))

    def scan(self) -> pl.LazyFrame:
        """Return its rows, which are read later."""
        rows = pl.scan_parquet(list(self.files), glob=False, hive_partitioning=False)
        keys = (pl.lit(value, pl.Int64 if isinstance(value, int) else None).alias(name) for name, value in self.keys)
        return rows.with_columns(keys).cast(dict(self.types))

    def count_rows(self) -> int:
        """Return the number of its rows, without reading them; those of a damaged file are not counted."""
        return sum(map(_count_rows, self.files))

    def stamps(self) -> list[tuple[str, int, int]]:
        """Return name, size in bytes and time of the last change of each file: they differ if the content does."""
        states = [(Path(file).name, Path(file).stat()) for file in self.files]
        return [(name, state.st_size, state.st_mtime_ns) for name, state in states]


def list_partitions(folder: str | Path) -> list[Partition]:
    """Return the partitions of a folder by their names. Nothing is read.

    Args:
        folder: holds Parquet files, in folders of any depth. Names that begin with a point or an underscore are left
            out.

    Raises:
        InputError: if it is no folder, or holds no Parquet file.
    """
    folder = Path(folder)
    if not folder.is_dir():
        found = "a file" if folder.exists() else "nothing"
        raise InputError(
            f"{folder}: expected a folder of Parquet files, found {found}",
            code="not-a-folder",
            file=folder,
            found=found,
            expected="a folder of Parquet files",
        )
    files = [file for file in sorted(folder.rglob("*.parquet")) if file.is_file() and not _is_hidden(file, folder)]
    if not files:
        raise InputError(
            f"{folder}: found no Parquet file in this folder", code="no-parquet", file=folder, expected="*.parquet"
        )
    groups: dict[Path, list[Path]] = {}
    for file in files:
        in_key = file.parent != folder and KEY.fullmatch(file.parent.name)
        groups.setdefault(file.parent / OF_KEY if in_key else file, []).append(file)
    return _of_numbers([_partition(place.relative_to(folder), group) for place, group in groups.items()])


def whole_partitions(partitions: Sequence[Partition], names: ColumnNames) -> list[Partition]:
    """Return the partitions that hold rows, after a check that each series lies in one of them.

    Of the rows only the names of the series are read, and of these 8 bytes each are kept. Names of different types
    become one: whole numbers of different sizes 64 bits, all others text. Partitions that cannot be read are returned
    too: whoever reads them learns why.

    Args:
        partitions: of one folder.
        names: the columns that the user names.

    Raises:
        InputError: for a series in two partitions, and for one of several without a column that names the series.
    """
    if len(partitions) == 1:
        return list(partitions)
    column = names.id or ID
    keys = [_series_keys(partition, column) for partition in partitions]
    for partition, found in zip(partitions, keys, strict=True):
        if found is None:
            _refuse_nameless(partition, names, column)
    _require_different(partitions, keys, column)
    return _of_one_type(
        [partition for partition, found in zip(partitions, keys, strict=True) if found is None or len(found)], column
    )


def read_partition(partition: Partition, names: ColumnNames, former: Former | None = None) -> Panel:
    """Read the panel of a partition, each series from its first value on; without any value it has no series.

    Args:
        partition: of a folder.
        names: the columns that the user names.
        former: of the panel whose frequency, and whose kinds of covariates, the partition must have.

    Raises:
        InputError: if it cannot be used; names the file, the row and the column.
    """
    table, source = nw.from_native(partition.scan()), partition.source
    if len(partition.files) > 1:
        source = replace(source, files=tuple((file, _count_rows(file)) for file in partition.files))
    try:
        panel = without_leading_gaps(panel_of_table(table, source, names, former, is_part=True))
    except InputError as error:
        if error.code == "damaged-parquet":
            _require_whole_and_alike(partition)
        raise
    if former is None:
        return panel
    return replace(panel, frequency=replace(panel.frequency, stamp=former.frequency.stamp))


def _series_keys(partition: Partition, column: str) -> NDArray[np.uint64] | None:
    """Return a number for each series of a partition, from its name alone; None if that cannot be read."""
    try:
        return partition.scan().select(_text(column).hash().unique()).collect().to_series().to_numpy()
    except DAMAGED:
        return None


def _of_one_type(partitions: Sequence[Partition], column: str) -> list[Partition]:
    """Return partitions that all give the names of their series one type."""
    types = set()
    for partition in partitions:
        with suppress(*DAMAGED):
            types.add(partition.scan().collect_schema()[column])
    if len(types) < 2:
        return list(partitions)
    common = pl.Int64 if all(found.is_integer() for found in types) else pl.String
    return [partition._replace(types=((column, common),)) for partition in partitions]


def _count_rows(file: str) -> int:
    """Return the number of rows of a Parquet file, without reading them; 0 if it is damaged."""
    try:
        return int(pl.scan_parquet(file, glob=False).select(pl.len()).collect().item())
    except DAMAGED:
        return 0


def _require_whole_and_alike(partition: Partition) -> None:
    """Refuse a partition with a damaged file, and one whose files differ in columns or types, with the file."""
    schemas = [whole_parquet(Source(file)).schema for file in partition.files]
    for file, schema in zip(partition.files, schemas, strict=True):
        if schema != schemas[0]:
            first = Path(partition.files[0]).name
            raise partition.source.error(
                f"{Path(file).name} has other columns or types than {first}: expected the files of one partition to be "
                "alike; write them again",
                code="different-files",
                found=schema,
                expected=schemas[0],
            )


def _text(column: str) -> pl.Expr:
    return pl.col(column).cast(pl.String)


def _refuse_nameless(partition: Partition, names: ColumnNames, column: str) -> None:
    """Raise the error for partitions without a column that names the series; do nothing if this one is damaged."""
    try:
        head = partition.scan().head(SAMPLE).collect()
    except DAMAGED:
        return
    if column not in head.columns:
        resolve_columns(nw.from_native(head), partition.source, names)
        raise partition.source.error(
            f"no column names the series, and there are other partitions: name it with {option('id')}",
            code="no-id-column",
            found=head.columns,
            expected="--id",
        )


def _require_different(partitions: Sequence[Partition], keys: Sequence[NDArray[np.uint64] | None], column: str) -> None:
    """Refuse a series that lies in two partitions."""
    owners = np.repeat(np.arange(len(keys)), [0 if found is None else len(found) for found in keys])
    numbers = np.concatenate([np.empty(0, np.uint64), *(found for found in keys if found is not None)])
    order = np.argsort(numbers, kind="stable")
    for place in np.flatnonzero(np.diff(numbers[order]) == 0).tolist():
        pair = [partitions[owner] for owner in owners[order[place : place + 2]]]
        first, second = (partition.scan().select(_text(column).unique()).collect().to_series() for partition in pair)
        common = first.filter(first.is_in(second.implode()))
        if len(common):  # else two names have the same number, which is possible
            files = [partition.source.name for partition in pair]
            raise InputError(
                f"{files[0]} and {files[1]} both hold rows of the series {common[0]!r}: expected each series in one "
                f"partition; write the folder anew, divided by {column!r}",
                code="divided-series",
                file=files[1],
                column=column,
                found=common[0],
                expected="each series in one partition",
            )


def _is_hidden(file: Path, folder: Path) -> bool:
    return any(part.startswith(HIDDEN) for part in file.relative_to(folder).parts)


def _partition(place: Path, files: Sequence[Path]) -> Partition:
    pairs = [KEY.fullmatch(part) for part in place.parts[:-1]]
    texts = [(unquote(pair[1]), unquote(pair[2])) for pair in pairs if pair]
    keys = tuple((name, None if text == NO_VALUE else text) for name, text in texts)
    return Partition(place.with_suffix("").as_posix(), tuple(map(str, files)), keys)


def _of_numbers(partitions: Sequence[Partition]) -> list[Partition]:
    """Return the partitions with a number for the text of each key that is a number in all of them."""
    pairs = {pair for partition in partitions for pair in partition.keys}
    texts = {name for name, value in pairs if value is not None and not WHOLE_NUMBER.fullmatch(str(value))}
    return [
        partition._replace(
            keys=tuple(
                (name, value if value is None or name in texts else int(value)) for name, value in partition.keys
            )
        )
        for partition in partitions
    ]
