"""Fits of one forecaster on all partitions of a folder, within a limit of memory."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from throughtime._arguments import whole_number
from throughtime._errors import InputError
from throughtime._files import STAGE
from throughtime._numbers import Whole
from throughtime.data import (
    ColumnNames,
    Former,
    Panel,
    Partition,
    calendar_names,
    list_partitions,
    read_partition,
    whole_partitions,
)
from throughtime.forecasting import (
    INSTANT,
    Fitted,
    Forecaster,
    ForecasterConfig,
    StageCallback,
    effort,
    fit_panel,
    no_callback,
)
from throughtime.partitions.mapped import NOBODY, MappedSeries

ANY_COLUMNS = ColumnNames()
KEPT_SERIES = 1000  # of a folder that the fitted forecaster keeps as its own
MEBIBYTE = 2**20
READS = 300 * MEBIBYTE  # of a process that reads
TRAINS = 1000 * MEBIBYTE  # of one with JAX, its compiler and four networks
OF_ROW, OF_VALUE = 200, 100  # bytes at most, to read a row, and to train on a value
OF_STEP, OF_COLUMN = 100, 50  # and more for a step with covariates, and for each of them, to read them and to train
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
    series that fits in memory decides what a fit decides: the plan, the held-out runs, the intervals, and how
    covariates are encoded. The networks are then trained on samples that follow one another, until every series was in
    one and over again; a category that is not in the first is a missing value to them. With the preset "instant", which
    does not train, the first partition decides all.

    Args:
        model: a forecaster; a former fit is forgotten.
        folder: as for :func:`throughtime.forecast_folder`.
        columns: the names of its columns. The first partition in which a covariate has values decides if it is one of
            numbers or of categories.
        memory: the most that the process may take, in MiB: half of the machine's by default.
        hold_back: the last steps of each series that are not learned from, for a backtest.
        work: an existing folder for the arrays, 8 bytes a value and as much for each of its covariates, which are
            removed at the end; by default that of temporary files.
        callback: as for :meth:`Forecaster.fit <throughtime.Forecaster.fit>`.

    Returns:
        The forecaster with at most 1,000 series of the folder as its own: :func:`throughtime.forecast_folder`, or
        ``predict`` with a frame, forecast all.

    Raises:
        InputError: for a folder that cannot be used, for covariates if the preset is "instant", and for a memory that
            is too small for the process or for one of the partitions.

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
            mapped = MappedSeries(Path(arrays))
            for panel in panels:
                mapped.add(panel)
            sample, fitted = _fit_samples(model.config, mapped, most - TRAINS, callback)
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
        most: bytes of series that may be in memory at a time.
        callback: hears of the progress.
    """
    sizes = _sizes(config, mapped)
    sample = next(mapped.samples(sizes, most, config.seed))
    values, frequency = int(mapped.lengths.sum()), sample.frequency.describe()
    whole = f"{len(sizes):,} series in {mapped.parts:,} partitions, {values:,} values, {frequency}."
    sample = replace(sample, notes=(whole,))
    if sizes.sum() <= most:
        return sample, fit_panel(config, sample, sample.lengths, callback=callback)
    from throughtime.forecasting import Rotation  # loads JAX

    size = most // (2 * _at_once(config))  # one sample is trained on while the next one is prepared
    rotation = Rotation(-(-int(sizes.sum()) // size), partial(mapped.samples, sizes, size, config.seed + 1))
    fitted = fit_panel(config, sample, sample.lengths, callback=callback, rotation=rotation)
    note = f"{len(sample):,} random series decided. Training took {rotation.turns:,} samples of all in turn."
    return sample, fitted._replace(notes=[*fitted.notes, note])


def _sizes(config: ForecasterConfig, mapped: MappedSeries) -> NDArray[np.int64]:
    """Return the bytes that each series takes in memory, (N,), with its covariates, of its future steps too."""
    columns = mapped.columns + (len(calendar_names(mapped.frequency)) if config.calendar else 0)
    of_step = OF_STEP + OF_COLUMN * columns if columns else 0
    return OF_VALUE * mapped.lengths + of_step * (mapped.lengths + config.horizon)


def _at_once(config: ForecasterConfig) -> int:
    """Return how many networks are trained at a time, each on a sample of its own."""
    members = effort(config.preset).members if config.members is None else config.members
    return 1 if config.devices > 1 else max(min(int(members), os.cpu_count() or 1), 1)


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
        InputError: for a partition that is too large, and the first error if no partition can be read.
    """
    former = None
    for partition in partitions:
        _require_room(partition, columns, most)
        try:
            panel = read_partition(partition, columns, former)
        except InputError as error:
            skipped.append(error)
            continue
        known = panel.cut(hold_back).of_series(np.flatnonzero(panel.lengths > hold_back))
        if len(known):
            former = _next_former(former, known)
            yield known
    if former is None and skipped:
        raise skipped[0]
    if former is None:
        reason = f"is longer than the {hold_back} steps that are held back" if hold_back else "has a value"
        raise InputError(f"no series {reason}", code="series-too-short", found=hold_back)


def _next_former(former: Former | None, panel: Panel) -> Former:
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
    needed = READS + rows * (OF_ROW + OF_COLUMN * count)
    if needed > most:
        raise partition.source.error(
            f"to read {rows:,} rows takes up to {_mebibytes(needed):,} MiB, and memory is {_mebibytes(most):,}: "
            "expected smaller partitions, or a larger memory",
            code="large-partition",
            found=_mebibytes(needed),
            expected=_mebibytes(most),
        )


def _notes(skipped: Sequence[InputError], partitions: int) -> list[str]:
    """Return a sentence on partitions that were left out."""
    return [f"{len(skipped)} of {partitions} partitions could not be read: {skipped[0]}"] if skipped else []
