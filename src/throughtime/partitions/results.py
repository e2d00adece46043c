"""Results of partitions: Parquet files, each complete or not there, with the record of what it was made from."""

import json
import os
import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import polars as pl

from throughtime._errors import InputError
from throughtime._files import STAGE
from throughtime.data import Partition

RECORD = "throughtime"  # the key of the record in the metadata of a Parquet file
Json = Mapping[str, Any]
"""An object of JSON: names and plain values."""


def result_file(folder: Path, partition: Partition) -> Path:
    """Return the file of a partition's result, which lies as the partition does in its folder."""
    return folder / f"{partition.name}.parquet"


def write_result(file: Path, frame: pl.DataFrame, record: Json) -> None:
    """Write a result in one step for any reader: after a kill at any moment the file is complete or not there.

    Args:
        file: of the result; its folder is made.
        frame: its rows.
        record: JSON values, kept in the file.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_name(f"{STAGE}{secrets.token_hex(8)}")
    try:
        frame.write_parquet(unfinished, metadata={RECORD: json.dumps(record)})
        os.replace(unfinished, file)
    finally:
        unfinished.unlink(missing_ok=True)


def unfinished(folder: Path, partitions: Sequence[Partition], settings: Json) -> list[Partition]:
    """Return the partitions without a result, and those that have changed since theirs was made.

    What killed processes have left half-written is removed.

    Args:
        folder: of the results.
        partitions: all of them.
        settings: of the results.

    Raises:
        InputError: for a result of other settings or of a partition that is no more, and for another Parquet file.
    """
    for leftover in folder.rglob(f"{STAGE}*"):
        leftover.unlink(missing_ok=True)
    files = {result_file(folder, partition): partition for partition in partitions}
    finished = set()
    for file in sorted(folder.rglob("*.parquet")):
        record = read_record(file)
        if file not in files or record.get("settings") != plain_json(settings):
            _refuse(file, folder, record, settings, known=file in files)
        with suppress(OSError):  # a partition that cannot be read is tried again
            if record.get("files") == plain_json(files[file].stamps()):
                finished.add(file)
    return [partition for file, partition in files.items() if file not in finished]


def read_record(file: Path) -> dict[str, Any]:
    """Return the record in a result; empty for a file that is none."""
    try:
        return dict(json.loads(pl.read_parquet_metadata(file)[RECORD]))
    except (KeyError, ValueError, OSError, pl.exceptions.PolarsError):
        return {}


def plain_json(value: Any) -> Any:
    """Return a value as JSON gives it back."""
    return json.loads(json.dumps(value))


def _refuse(file: Path, folder: Path, record: Json, settings: Json, *, known: bool) -> None:
    """Raise the error for a file that is not one of the results to come."""
    found = record.get("settings", {})
    names = [name for name, value in plain_json(settings).items() if found.get(name) != value]
    other = ", ".join(f"{name} {found.get(name)!r}, expected {settings[name]!r}" for name in names)
    reason = other if record and names else "a file of something else" if known or not record else "no such partition"
    raise InputError(
        f"{file} is not of this run ({reason}): choose another folder with --out, or remove {folder}",
        code="other-results",
        file=file,
        found={name: found.get(name) for name in names},
        expected={name: settings[name] for name in names},
    )
