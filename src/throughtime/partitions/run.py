"""The work on all partitions of a folder: what is finished stays, what fails is reported, the rest is done."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol, runtime_checkable

import polars as pl
from threadpoolctl import threadpool_limits

from throughtime._temporary import temporary_folder
from throughtime.data import Partition
from throughtime.partitions.engines import Engine, Failure
from throughtime.partitions.results import Json, record_of, result_file, unfinished, write_result

OnPartition = Callable[[int, int], object]
"""``on_partition(done, total)``, called after each partition."""


def ignore_partition(done: int, total: int) -> None:
    """Ignore the progress."""


@runtime_checkable
class Work(Protocol):
    """Work on one partition. Equal settings and an equal partition give equal results."""

    @property
    def settings(self) -> Json:
        """Everything beside the partition that the result depends on, as JSON values."""

    def __call__(self, partition: Partition) -> pl.DataFrame:
        """Return the result of a partition."""


class FailedPartition(NamedTuple):
    """A partition without a result, and why.

    Attributes:
        partition: its name.
        file: the file, or the folder of its files.
        error: the message, which names the file.
        fields: of the error, as JSON values.
    """

    partition: str
    file: str
    error: str
    fields: dict[str, Any]


class FolderResult(NamedTuple):
    """The results of a folder.

    Attributes:
        folder: holds a Parquet file for each partition.
        done: the partitions that were done now.
        kept: those that were finished before.
        rows: of the results that were done now.
        failures: the partitions without a result, by name.
    """

    folder: Path
    done: int
    kept: int
    rows: int
    failures: tuple[FailedPartition, ...]


class _Task(NamedTuple):
    """The work on one partition, the place of its result, and that of what is not finished."""

    work: Work
    partition: Partition
    folder: str
    stage: str


def run_partitions(
    work: Work, partitions: Sequence[Partition], folder: Path, engine: Engine, on_partition: OnPartition
) -> FolderResult:
    """Do the work for each partition that has no result yet.

    Args:
        work: on one partition.
        partitions: of a folder.
        folder: of the results; it is made.
        engine: where the work is done.
        on_partition: hears of the progress.

    Raises:
        InputError: for a folder with results of other settings; nothing is done then.
    """
    left = unfinished(folder, partitions, work.settings)
    kept, rows, failures = len(partitions) - len(left), 0, []
    on_partition(kept, len(partitions))
    folder.mkdir(parents=True, exist_ok=True)
    with temporary_folder(folder.resolve()) as stage:
        tasks = [_Task(work, partition, str(stage.parent), str(stage)) for partition in left]
        for count, (task, result) in enumerate(engine.results(_do, tasks), 1):
            if isinstance(result, Failure):
                failures.append(failed_partition(task.partition, result))
            else:
                rows += result
            on_partition(kept + count, len(partitions))
    return FolderResult(folder, len(left) - len(failures), kept, rows, tuple(sorted(failures)))


def failed_partition(partition: Partition, failure: Failure) -> FailedPartition:
    """Return the record of a failure, whose message and fields name the file."""
    place, message = partition.source.name, failure.message
    named = message if place in message else f"{place}: {message}"
    return FailedPartition(partition.name, place, named, {"file": place} | failure.fields)


def _do(task: _Task) -> int:
    """Write the result of a partition, and return the number of its rows."""
    record = record_of(task.partition, task.work.settings)
    with threadpool_limits(1):  # the engine divides the cores: more threads only wait for one another
        frame = task.work(task.partition)
    write_result(result_file(Path(task.folder), task.partition), frame, record, Path(task.stage))
    return len(frame)
