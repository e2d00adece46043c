"""Results of partitions: Parquet files, each complete or not there, with the record of what it was made from."""

import json
import os
import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from throughtime._errors import InputError
from throughtime.data import Partition

RECORD = "throughtime"  # the key of the record in the metadata of a Parquet file
Json = Mapping[str, Any]
"""An object of JSON: names and plain values."""


class Difference(NamedTuple):
    """The settings that differ from those that are expected; both empty if none do.

    Attributes:
        found: their values, None if there are none.
        expected: the values that they should have.
    """

    found: dict[str, Any]
    expected: dict[str, Any]

    def __str__(self) -> str:
        """Return them in words."""
        return ", ".join(f"{name} {self.found[name]!r}, expected {value!r}" for name, value in self.expected.items())


def difference(found: Json, settings: Json) -> Difference:
    """Return how settings that were read from a file differ from others."""
    expected = {name: value for name, value in plain_json(settings).items() if found.get(name) != value}
    return Difference({name: found.get(name) for name in expected}, expected)


def result_file(folder: Path, partition: Partition) -> Path:
    """Return the file of a partition's result, which lies as the partition does in its folder."""
    return folder / f"{partition.name}.parquet"


def write_result(file: Path, frame: pl.DataFrame, record: Json, stage: Path) -> None:
    """Write a result in one step for any reader: after a kill at any moment the file is complete or not there.

    Args:
        file: of the result; its folder is made.
        frame: its rows.
        record: JSON values, kept in the file.
        stage: a temporary folder beside the results.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    written = stage / secrets.token_hex(8)
    frame.write_parquet(written, metadata={RECORD: json.dumps(record)})
    os.replace(written, file)


def unfinished(folder: Path, partitions: Sequence[Partition], settings: Json) -> list[Partition]:
    """Return the partitions without a result, and those that have changed since theirs was made.

    Results of partitions that are no more are removed.

    Args:
        folder: of the results.
        partitions: all of them.
        settings: of the results.

    Raises:
        InputError: for a result of other settings, and for another Parquet file; nothing is removed then.
    """
    records = {file: read_record(file) for file in sorted(folder.rglob("*.parquet"))}
    for file, record in records.items():
        if record.get("settings") != plain_json(settings):
            _refuse(file, folder, record, settings)
    files = {result_file(folder, partition): partition for partition in partitions}
    for file in records.keys() - files.keys():
        file.unlink(missing_ok=True)
    finished = set()
    for file in records.keys() & files.keys():
        with suppress(OSError):  # a partition that cannot be read is tried again
            if records[file] == plain_json(record_of(files[file], settings)):
                finished.add(file)
    return [partition for file, partition in files.items() if file not in finished]


def record_of(partition: Partition, settings: Json) -> Json:
    """Return everything that a result depends on."""
    types = [(name, str(dtype)) for name, dtype in partition.types]
    return {"settings": settings, "files": partition.stamps(), "keys": partition.keys, "types": types}


def read_record(file: Path) -> dict[str, Any]:
    """Return the record in a result; empty for a file that is none."""
    try:
        return dict(json.loads(pl.read_parquet_metadata(file)[RECORD]))
    except (KeyError, ValueError, OSError, pl.exceptions.PolarsError):
        return {}


def plain_json(value: Any) -> Any:
    """Return a value as JSON gives it back."""
    return json.loads(json.dumps(value))


def _refuse(file: Path, folder: Path, record: Json, settings: Json) -> None:
    """Raise the error for a file that is not one of the results to come."""
    other = difference(record.get("settings", {}), settings)
    reason = str(other) if record and other.expected else "a file of something else"
    raise InputError(
        f"{file} is not of this run ({reason}): choose another folder with --out, or remove {folder}",
        code="other-results",
        file=file,
        found=other.found,
        expected=other.expected,
    )
