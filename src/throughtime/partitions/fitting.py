"""Fits of one forecaster on all partitions of a folder, within a limit of memory."""

import os
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import chain, repeat
from pathlib import Path
from tempfile import gettempdir
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from throughtime._arguments import whole_number
from throughtime._errors import InputError
from throughtime._numbers import Whole
from throughtime._temporary import temporary_folder
from throughtime.data import ColumnNames, Panel, Partition, calendar_names, list_partitions, whole_partitions
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
from throughtime.partitions.mapped import MappedSeries
from throughtime.partitions.processes import Processes, processes_of
from throughtime.partitions.reading import MEBIBYTE, Reading, mebibytes, next_former

ANY_COLUMNS: ColumnNames = ColumnNames()
KEPT_SERIES = 1000  # of a folder that the fitted forecaster keeps as its own
TRAINS = 1000 * MEBIBYTE  # of one with JAX, its compiler and four networks
OF_VALUE = 100  # bytes at most, to train on a value
OF_STEP, OF_COVARIATE = 100, 50  # and on its step, if there are covariates, and on each of these
SHARED = 4096 * MEBIBYTE  # at most, of the sample that several processes share: it takes a sixth of that to be sent
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
    covariates are encoded. The networks are then trained on samples that follow one another, as many as the steps
    allow, each series in one before any is in another; a category that is not in the first is a missing value to them.
    With the preset "instant", which does not train, the first partition decides all.

    Several processes (``jax.distributed.initialize``) fit one forecaster if each calls this with the same arguments and
    ``devices=jax.device_count()``: each reads its own share of the partitions. One whose share has no series to learn
    from, or no partition, learns from a sample of the others' series.

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
            is too small for the process or for one of the partitions; of several processes, in each.
        ConnectionError: if another process has ended.

    Example:
        >>> model = tt.fit_folder(tt.Forecaster(horizon=14), "sales", memory=2048)
    """
    config, hold_back = model.config, whole_number("hold_back", hold_back, least=0, code="bad-hold-back")
    processes = processes_of(config)
    most = min(processes.made_by_each(lambda: bytes_of_memory(memory)))  # all must take the same decisions
    reading = Reading(columns, most, hold_back)
    partitions = processes.of_first(lambda: whole_partitions(list_partitions(folder), columns))
    if config.preset == INSTANT:
        first = processes.of_first(lambda: next(reading.panels(partitions, {})))
        sample = replace(first, notes=(f"{len(partitions):,} partitions. The first decides:", *first.notes))
        fitted = fit_panel(config, sample, sample.lengths, callback=callback)
    else:
        with temporary_folder(Path(work or gettempdir())) as arrays:
            mapped, skipped = _mapped(processes, reading, partitions, arrays)
            sample, fitted = fit_samples(config, processes, mapped, most - TRAINS, callback)
        fitted = fitted._replace(notes=[*fitted.notes, *_notes(skipped, len(partitions))])
    model.fitted_ = of_few_series(fitted, sample, columns)
    return model


def of_few_series(fitted: Fitted, sample: Panel, columns: ColumnNames) -> Fitted:
    """Return what is fitted with at most 1,000 series of the sample as its own."""
    some = np.arange(min(len(sample), KEPT_SERIES))
    kept = np.unique(np.append(some, sample.lengths.argmax()))  # the plan is made for the longest
    own = sample.of_series(kept)
    return fitted._replace(panel=own, learned=own.lengths, columns=columns)


def _mapped(
    processes: Processes, reading: Reading, partitions: Sequence[Partition], folder: Path
) -> tuple[MappedSeries, list[str]]:
    """Return the series of this process's partitions on disk, and the errors of the partitions of all processes."""
    mapped, former = MappedSeries(folder), None
    if processes.count > 1:
        former = processes.of_first(lambda: next_former(None, next(reading.panels(partitions, {}))))

    def read() -> list[str]:
        skipped = dict[str, InputError]()
        for panel in reading.panels(processes.own(partitions), skipped, former):
            mapped.add(panel)
        return list(map(str, skipped.values()))

    return mapped, list(chain(*processes.made_by_each(read)))


class _Extent(NamedTuple):
    """The series of one process, or of all: how many, in how many partitions, of how many values, in bytes."""

    series: int
    partitions: int
    values: int
    size: int


def fit_samples(
    config: ForecasterConfig, processes: Processes, mapped: MappedSeries, most: int, callback: StageCallback
) -> tuple[Panel, Fitted]:
    """Return a sample, and what is fitted: decided by the sample, and learned from all samples in turn.

    Series too short to learn from are in no sample, apart from the one that decides, where others leave room. A process
    that has no others takes part with the sample that decides.

    Args:
        config: the settings of the forecaster.
        processes: that train together.
        mapped: all series of this process.
        most: bytes of series that may be in memory at a time.
        callback: hears of the progress.
    """
    sizes, learned = bytes_of_series(config, mapped), mapped.learnable(config.horizon)
    extents = processes.of_each(_Extent(len(sizes), mapped.parts, int(mapped.lengths.sum()), int(sizes.sum())))
    series, partitions, values, total = map(sum, zip(*extents, strict=True))
    shared = most if processes.count == 1 else min(most, SHARED)
    share = shared if total <= shared else shared // processes.count
    own = mapped.sample(learned, sizes, share, config.seed) if mapped.parts else None
    sample = _of_all(processes, own, mapped.folder / "shared")
    whole = f"{series:,} series in {partitions:,} partitions, {values:,} values, {sample.frequency.describe()}."
    sample = replace(sample, notes=(whole,))
    if total <= shared:
        return sample, fit_panel(config, sample, sample.lengths, callback=callback)
    from throughtime.forecasting import Rotation  # loads JAX

    size = most // (2 * _at_once(config))  # one sample is trained on while the next one is prepared
    rows = np.flatnonzero(learned)
    turns = max(processes.of_each(-(-int(sizes[rows].sum()) // size)))
    panels = partial(mapped.samples, rows, sizes, size, config.seed + 1) if len(rows) else partial(repeat, sample)
    rotation = Rotation(turns, panels, is_divided=processes.count > 1)
    fitted = fit_panel(config, sample, sample.lengths, callback=callback, rotation=rotation)
    whose = "all" if processes.count == 1 else f"its own series in each of {processes.count} processes,"
    notes = [*fitted.notes, f"{len(sample):,} random series decided."]
    if fitted.networks:
        taken = rotation.samples_in(fitted.calibration.steps)
        notes.append(f"Training took {taken:,} of {turns:,} samples of {whose} in turn.")
    return sample, fitted._replace(notes=notes)


def _of_all(processes: Processes, sample: Panel | None, folder: Path) -> Panel:
    """Return the samples of all processes as one, the same in each; ``folder`` is made for them."""
    samples = [panel for panel in processes.of_each(sample) if panel is not None]
    if processes.count == 1:
        return samples[0]
    folder.mkdir()
    shared = MappedSeries(folder)  # which gives categories the same numbers
    for panel in samples:
        shared.add(panel)
    return shared.of_series(np.arange(len(shared.lengths)))


def bytes_of_series(config: ForecasterConfig, mapped: MappedSeries) -> NDArray[np.int64]:
    """Return the bytes that each series takes in memory, (N,), with its covariates, of its future steps too."""
    if not mapped.parts:
        return np.empty(0, np.int64)
    columns = mapped.columns + (len(calendar_names(mapped.frequency)) if config.calendar else 0)
    of_step = OF_STEP + OF_COVARIATE * columns if columns else 0
    return OF_VALUE * mapped.lengths + of_step * (mapped.lengths + config.horizon)


def _at_once(config: ForecasterConfig) -> int:
    """Return how many networks are trained at a time on one device, each on a sample of its own."""
    members = effort(config.preset).members if config.members is None else config.members
    return max(min(int(members), os.cpu_count() or 1), 1)


def bytes_of_memory(memory: Whole | None) -> int:
    """Return the memory in bytes; by default half of the machine's.

    Raises:
        InputError: if hardly any of it would be left for values.
    """
    half = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    most = half // MEBIBYTE if memory is None else whole_number("memory", memory, code="bad-memory")
    least = mebibytes(TRAINS + LEAST_VALUES * OF_VALUE)
    if most < least:
        raise InputError(
            f"memory is {most} MiB: expected at least {least}, most of it for the process itself",
            code="small-memory",
            found=most,
            expected=least,
        )
    return most * MEBIBYTE


def _notes(skipped: Sequence[str], partitions: int) -> list[str]:
    """Return a sentence on partitions that were left out."""
    return [f"{len(skipped)} of {partitions} partitions could not be read: {skipped[0]}"] if skipped else []
