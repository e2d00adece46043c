"""The series of partitions for a fit, read one partition after the other within a limit of memory."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain
from typing import NamedTuple

import numpy as np

from throughtime._errors import InputError
from throughtime.data import ColumnNames, Former, Panel, Partition, read_partition
from throughtime.partitions.mapped import NOBODY

MEBIBYTE = 2**20
READS = 300 * MEBIBYTE  # of a process that reads
OF_ROW, OF_COVARIATE = 200, 50  # bytes at most, to read a row, and each of its covariates


class Reading(NamedTuple):
    """The settings of reading.

    Attributes:
        columns: their names.
        most: bytes that the process may take.
        hold_back: the last steps of each series that are left out.
    """

    columns: ColumnNames
    most: int
    hold_back: int

    def panels(
        self, partitions: Sequence[Partition], skipped: dict[str, InputError], former: Former | None = None
    ) -> Iterator[Panel]:
        """Yield the panels of the partitions that can be read.

        Args:
            partitions: of one folder.
            skipped: the errors of the other partitions are added to it, by the names of these.
            former: decides how they are read; if None the first one does that can be read without.

        Raises:
            InputError: for a partition that is too large, and, without a former, the first error if no partition has a
                series to yield.
        """
        later = list[Partition]()
        for partition in chain(partitions, later):
            _require_room(partition, self.columns, self.most)
            try:
                panel = read_partition(partition, self.columns, former)
            except InputError as error:
                if former is None and partition not in later:  # such as a single row, which tells no frequency
                    later.append(partition)
                else:
                    skipped[partition.name] = error
                continue
            known = panel.cut(self.hold_back).of_series(np.flatnonzero(panel.lengths > self.hold_back))
            if len(known):
                former = next_former(former, known)
                yield known
        if former is None and skipped:
            raise next(iter(skipped.values()))
        if former is None:
            back = self.hold_back
            reason = f"is longer than the {back} steps that are held back" if back else "has a value"
            raise InputError(f"no series {reason}", code="series-too-short", found=back)


def next_former(former: Former | None, panel: Panel) -> Former:
    """Return what decides how the next partition is read: the first one, and covariates that have had values since."""
    own = panel.of_series(NOBODY).former
    if own.covariates is None or panel.covariates is None:
        return former or own
    known = {} if former is None else former.columns
    told = [column for column in panel.covariates.columns if column.categories or not np.isnan(column.values).all()]
    columns = {column.name: replace(column, values=np.empty(0)) for column in told} | known
    grid = replace(own.covariates, static=(), past=(), future=tuple(columns.values()))
    return (former or own)._replace(covariates=grid)


def _require_room(partition: Partition, columns: ColumnNames, most: int) -> None:
    """Refuse a partition that does not fit in memory."""
    rows, covariates = partition.count_rows(), (columns.static, columns.past, columns.future)
    count = sum(1 if isinstance(names, str) else len(names) for names in covariates)
    needed = READS + rows * (OF_ROW + OF_COVARIATE * count)
    if needed > most:
        raise partition.source.error(
            f"to read {rows:,} rows takes up to {mebibytes(needed):,} MiB, and memory is {mebibytes(most):,}: "
            "expected smaller partitions, or a larger memory",
            code="large-partition",
            found=mebibytes(needed),
            expected=mebibytes(most),
        )


def mebibytes(size: int) -> int:
    """Return a number of bytes in MiB, rounded up."""
    return -(-size // MEBIBYTE)
