"""Fits of one forecaster on all partitions of a folder, within a limit of memory."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from throughtime._arguments import whole_number
from throughtime._errors import InputError
from throughtime._files import STAGE
from throughtime._numbers import Whole
from throughtime.data import ColumnNames, Panel, Partition, list_partitions, read_partition, whole_partitions
from throughtime.forecasting import INSTANT, Fitted, Forecaster, ForecasterConfig, StageCallback, fit_panel, no_callback
from throughtime.partitions.mapped import MappedSeries, map_panel

ANY_COLUMNS = ColumnNames()
KEPT_SERIES = 1000  # of a folder that the fitted forecaster keeps as its own
MEBIBYTE = 2**20
READS = 300 * MEBIBYTE  # of a process that reads
TRAINS = 1000 * MEBIBYTE  # of one with JAX, its compiler and four networks
OF_ROW, OF_VALUE = 200, 100  # bytes at most, to read a row, and to train on a value
LEAST_VALUES = 100_000  # of one sample


def fit_folder(
    model: Forecaster,
    folder: str | Path,
    *,
    columns: ColumnNames = ANY_COLUMNS,
    memory: Whole | None = None,
    hold_back: Whole = 0,
    work: str | Path | None = None,
    callback: StageCallback = no_callback,
) -> Forecaster:
    """Learn one forecaster from all partitions of a folder of Parquet files, and return it.

    The partitions are read one after the other, and their values written to arrays on disk. A random sample of the
    series that fits in memory decides what a fit decides: the plan, the held-out runs, the intervals. The networks are
    then trained on samples that follow one another, until every series was in one and over again. With the preset
    "instant", which does not train, the first partition decides all.

    Args:
        model: a forecaster; a former fit is forgotten.
        folder: as for :func:`throughtime.forecast_folder`; its columns have no covariates.
        columns: their names.
        memory: the most that the process may take, in MiB: half of the machine's by default.
        hold_back: the last steps of each series that are not learned from, for a backtest.
        work: an existing folder for the arrays, 8 bytes a value, which are removed at the end; by default that of
            temporary files.
        callback: as for :meth:`Forecaster.fit <throughtime.Forecaster.fit>`.

    Returns:
        The forecaster with at most 1,000 series of the folder as its own: :func:`throughtime.forecast_folder`, or
        ``predict`` with a frame, forecast all.

    Raises:
        InputError: for a folder that cannot be used, for covariates, and for a memory that is too small for the process
            or for one of the partitions.

    Example:
        >>> model = tt.fit_folder(tt.Forecaster(horizon=14), "sales", memory=2048)
    """
    most = _bytes(memory)
    partitions = whole_partitions(list_partitions(folder), columns)
    skipped: list[InputError] = []
    hold_back = whole_number("hold_back", hold_back, least=0, code="bad-hold-back")
    panels = _panels(partitions, columns, most, hold_back, skipped)
    if model.config.preset == INSTANT:
        first = next(panels)
        sample = replace(first, notes=(f"{len(partitions):,} partitions. The first decides:", *first.notes))
        fitted = fit_panel(model.config, sample, sample.lengths, callback=callback)
    else:
        with TemporaryDirectory(dir=work, prefix=STAGE) as arrays:
            mapped = MappedSeries(tuple(map(map_panel, panels, _folders(Path(arrays)))))
            sample, fitted = _fit_samples(model.config, mapped, (most - TRAINS) // OF_VALUE, callback)
        fitted = fitted._replace(notes=[*fitted.notes, *_notes(skipped, len(partitions))])
    some = np.arange(min(len(sample), KEPT_SERIES))
    kept = np.unique(np.append(some, sample.lengths.argmax()))  # the plan is made for the longest
    own = sample.of_series(kept)
    model.fitted_ = fitted._replace(panel=own, learned=own.lengths, columns=columns)
    return model


def _fit_samples(
    config: ForecasterConfig, mapped: MappedSeries, most: int, callback: StageCallback
) -> tuple[Panel, Fitted]:
    """Return a sample, and what is fitted: decided by the sample, and learned from all samples in turn.

    Args:
        config: the settings of the forecaster.
        mapped: all series.
        most: values that may be in memory at a time.
        callback: hears of the progress.
    """
    total = int(mapped.lengths.sum())
    sample = next(mapped.samples(most, config.seed))
    frequency, partitions = sample.frequency.describe(), len(mapped.parts)
    whole = f"{len(mapped.lengths):,} series in {partitions:,} partitions, {total:,} values, {frequency}."
    sample = replace(sample, notes=(whole,))
    if total <= most:
        return sample, fit_panel(config, sample, sample.lengths, callback=callback)
    from throughtime.forecasting import Rotation  # loads JAX

    size = most // 2  # one sample is trained on while the next one is prepared, for each network that trains at a time
    rotation = Rotation(-(-total // size), partial(mapped.samples, size, config.seed + 1))
    fitted = fit_panel(config, sample, sample.lengths, callback=callback, rotation=rotation)
    note = f"{len(sample):,} random series decided. Training took {rotation.turns:,} samples of all in turn."
    return sample, fitted._replace(notes=[*fitted.notes, note])


def _bytes(memory: Whole | None) -> int:
    """Return the memory in bytes; by default half of the machine's.

    Raises:
        InputError: if hardly any of it would be left for values.
    """
    if memory is None:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    most, least = whole_number("memory", memory, code="bad-memory"), _mebibytes(TRAINS + LEAST_VALUES * OF_VALUE)
    if most < least:
        raise InputError(
            f"memory is {most} MiB: expected at least {least}, most of it for the process itself",
            code="small-memory",
            found=most,
            expected=least,
        )
    return most * MEBIBYTE


def _mebibytes(size: int) -> int:
    """Return a number of bytes in MiB, rounded up."""
    return -(-size // MEBIBYTE)


def _panels(
    partitions: Sequence[Partition], columns: ColumnNames, most: int, hold_back: int, skipped: list[InputError]
) -> Iterator[Panel]:
    """Yield the panels of the partitions that can be read, and add the errors of the others to ``skipped``.

    Raises:
        InputError: for covariates, for a partition that is too large, and the first error if no partition can be read.
    """
    former = None
    for partition in partitions:
        _require_room(partition, most)
        try:
            panel = read_partition(partition, columns, former)
        except InputError as error:
            skipped.append(error)
            continue
        if panel.covariates is not None:
            raise InputError(
                f"a forecaster cannot be fitted on a folder with covariates ({', '.join(panel.covariates.names)}): fit "
                "it on a frame of some of the series, and give it to forecast_folder",
                code="covariates-of-folder",
                found=panel.covariates.names,
            )
        known = panel.cut(hold_back).of_series(np.flatnonzero(panel.lengths > hold_back))
        if len(known):
            former = former or panel.former
            yield known
    if former is None and skipped:
        raise skipped[0]
    if former is None:
        reason = f"is longer than the {hold_back} steps that are held back" if hold_back else "has a value"
        raise InputError(f"no series {reason}", code="series-too-short", found=hold_back)


def _require_room(partition: Partition, most: int) -> None:
    """Refuse a partition that does not fit in memory."""
    rows = partition.count_rows()
    needed = READS + rows * OF_ROW
    if needed > most:
        raise partition.source.error(
            f"to read {rows:,} rows takes up to {_mebibytes(needed):,} MiB, and memory is {_mebibytes(most):,}: "
            "expected smaller partitions, or a larger memory",
            code="large-partition",
            found=_mebibytes(needed),
            expected=_mebibytes(most),
        )


def _folders(parent: Path) -> Iterator[Path]:
    """Yield names of new folders, without end."""
    return (parent / str(number) for number in count())


def _notes(skipped: Sequence[InputError], partitions: int) -> list[str]:
    """Return a sentence on partitions that were left out."""
    return [f"{len(skipped)} of {partitions} partitions could not be read: {skipped[0]}"] if skipped else []
