"""A search for the arguments of a Forecaster that forecast the last windows of a folder of partitions best."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import gettempdir
from typing import Any, NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from throughtime._errors import InputError
from throughtime._files import output_folder
from throughtime._numbers import Whole
from throughtime._temporary import temporary_folder
from throughtime.data import ColumnNames, Partition, list_partitions, whole_partitions
from throughtime.forecasting import (
    Arguments,
    BacktestSettings,
    Clock,
    Losses,
    OnMessage,
    OnWindow,
    SearchedArguments,
    TuningResult,
    TuningSettings,
    arguments_to_search,
    ignore_message,
    ignore_window,
    loss_scale,
    network_windows,
    no_callback,
    quick_forecaster,
    require_settings,
    rolling_cutoffs,
    run_search,
    scaled_losses,
)
from throughtime.partitions.basis import Basis
from throughtime.partitions.engines import Engine, Failure, engine_of
from throughtime.partitions.fitting import (
    ANY_COLUMNS,
    TRAINS,
    bytes_of_memory,
    bytes_of_series,
    fit_samples,
    of_few_series,
)
from throughtime.partitions.mapped import MappedSeries
from throughtime.partitions.models import save_model
from throughtime.partitions.processes import Processes
from throughtime.partitions.reading import Reading
from throughtime.partitions.run import failed_partition


class SearchedFolder(NamedTuple):
    """A folder that a search is made on, and the way of working on it.

    Attributes:
        path: of the folder of Parquet files.
        columns: their names.
        memory: the most that the process may take, in MiB: half of the machine's by default.
        engine: where partitions are judged: "process", "ray", or an engine.
        work: an existing folder for arrays, as for :func:`throughtime.fit_folder`.
    """

    path: str | Path
    columns: ColumnNames = ANY_COLUMNS
    memory: Whole | None = None
    engine: Engine | str = "process"
    work: str | Path | None = None


@dataclass(frozen=True)
class Judging:
    """The work of judging a trial on one partition.

    Attributes:
        basis: the folder, and the forecaster of the trial, which has not seen the windows.
        windows: K.
        hold_back: the last steps of each series, which the search does not see.
        season: the period in steps by which losses are scaled, the same in all trials.
    """

    basis: Basis
    windows: int
    hold_back: int
    season: int

    def __call__(self, partition: Partition) -> Losses:
        """Return the scaled losses of the forecasts of all windows of a partition."""
        panel, model = self.basis.read(partition), self.basis.load()
        panel, horizon = panel.cut(self.hold_back), model.config.horizon
        cutoffs = rolling_cutoffs(panel.lengths, windows=self.windows, step=horizon, horizon=horizon)
        scale, settings = loss_scale(panel, cutoffs[0], self.season), BacktestSettings(self.windows)
        with threadpool_limits(1):  # as with results of partitions
            windows = network_windows(model, panel, cutoffs, settings, no_callback, model.fitted_)
            losses = np.concatenate([scaled_losses(panel, window, scale) for window in windows])
        return Losses(float(losses.sum()), len(losses))


class _Task(NamedTuple):
    """The task of a search on a folder.

    Attributes:
        folder: what the search is made on.
        partitions: those that can be read.
        known: the series before the windows.
        hold_back: the last steps of each series, which the search does not see.
        out: the folder of the search.
        searched: what is tried.
    """

    folder: SearchedFolder
    partitions: Sequence[Partition]
    known: MappedSeries
    hold_back: int
    out: Path
    searched: SearchedArguments

    @property
    def parts(self) -> int:
        """One: a trial is judged on all windows and partitions together."""
        return 1

    def data(self) -> dict[str, Any]:
        """Return what distinguishes these data from others, as JSON values."""
        files = [(partition.name, partition.keys, partition.stamps()) for partition in self.partitions]
        return {
            "data": hashlib.sha256(json.dumps([files, self.folder.columns.__dict__]).encode()).hexdigest(),
            "memory": None if self._fits() else bytes_of_memory(self.folder.memory),
            "hold_back": self.hold_back,
        }

    def judge(self, arguments: Arguments, clock: Clock) -> Iterator[Losses]:
        """Fit one forecaster on what precedes the windows, and yield the losses of its forecasts of all partitions.

        Raises:
            InputError: if one of the partitions cannot be judged.
        """
        folder, searched = self.folder, self.searched
        model = searched.forecaster(arguments)
        most = bytes_of_memory(folder.memory) - TRAINS
        sample, fitted = fit_samples(model.config, Processes(), self.known, most, clock.callback)
        model.fitted_ = of_few_series(fitted, sample, folder.columns)
        with temporary_folder(self.out) as kept:
            basis = Basis(str(Path(folder.path).resolve()), save_model(model, kept), ())
            judging = Judging(basis, searched.windows, self.hold_back, searched.season)
            found = self._judged(judging, clock)
        yield _summed([(partition, found[partition]) for partition in self.partitions])  # in order, whoever ends first

    def _judged(self, judging: Judging, clock: Clock) -> dict[Partition, Losses | Failure]:
        """Return what the engine finds for each partition; the trial may end before any of them."""
        found: dict[Partition, Losses | Failure] = {}
        results = engine_of(self.folder.engine).results(judging, self.partitions)
        while len(found) < len(self.partitions):
            clock.check()
            partition, result = next(results)
            found[partition] = result
        return found

    def _fits(self) -> bool:
        """Return True if all series fit into memory, so that its size changes no number."""
        sizes = bytes_of_series(self.searched.forecaster({}).config, self.known)
        return bool(sizes.sum() <= bytes_of_memory(self.folder.memory) - TRAINS)


def _summed(found: Sequence[tuple[Partition, Losses | Failure]]) -> Losses:
    """Return the losses of all partitions.

    Raises:
        InputError: with the first failure, and the file of its partition.
    """
    losses = []
    for partition, result in found:
        if isinstance(result, Failure):
            failed = failed_partition(partition, result)
            raise InputError(failed.error, code=str(failed.fields.get("code", "")), file=failed.file)
        losses.append(result)
    return Losses(*map(sum, zip(*losses, strict=True)))


def tune_folder(
    folder: SearchedFolder,
    horizon: int,
    settings: TuningSettings = TuningSettings(),  # noqa: B008 - a tuple, which nobody changes
    *,
    out: str | Path,
    on_message: OnMessage = ignore_message,
    on_progress: OnWindow = ignore_window,
    **fixed: Any,
) -> TuningResult:
    """Search for the arguments of a Forecaster that forecast the last windows of the series of a folder best.

    As :func:`throughtime.forecasting.tune` does for a frame, apart from this: each trial fits one forecaster on what
    precedes all windows, as :func:`throughtime.fit_folder` does, and none is given up early. The engine judges the
    partitions; each gives the sum of its losses, so that the search is the same with every engine.

    Args:
        folder: its path, the columns, the memory of the fits and the engine.
        horizon: F, how many steps ahead.
        settings: how long to search, and on which windows; a sample of the series decides on their number.
        out: the folder of the search: the same call goes on from there. On a cluster, all machines must see it.
        on_message: called with a sentence on each trial, and on partitions that cannot be read and are left out.
        on_progress: called with the number of trials that were judged, and of all.
        fixed: arguments of the Forecaster that are not searched.

    Raises:
        InputError: for a folder or a parameter that cannot be used, series that are too short, a missing Optuna, and an
            ``out`` with a study of something else, such as of a folder with other files.

    Example:
        >>> tune_folder(SearchedFolder("sales", engine="ray"), 14, TuningSettings(trials=10), out="out")
    """
    require_settings(settings)
    folder = folder._replace(engine=engine_of(folder.engine))
    most, skipped = bytes_of_memory(folder.memory), dict[str, InputError]()
    partitions = whole_partitions(list_partitions(folder.path), folder.columns)
    reading = Reading(folder.columns, most, settings.hold_back)
    with temporary_folder(Path(folder.work or gettempdir())) as arrays:
        mapped = MappedSeries(arrays)
        for panel in reading.panels(partitions, skipped):
            mapped.add(panel)
        for error in skipped.values():
            on_message(f"Left out: {error}")
        sizes = bytes_of_series(quick_forecaster(horizon, fixed).config, mapped)
        long = mapped.before(horizon * (settings.windows or 1)).learnable(horizon)
        sample = mapped.sample(long, sizes, most - TRAINS, settings.seed)
        searched, cutoffs = arguments_to_search(sample, horizon, settings, fixed)
        readable = [partition for partition in partitions if partition.name not in skipped]
        known = mapped.before(len(cutoffs) * horizon)
        task = _Task(folder, readable, known, settings.hold_back, output_folder(out), searched)
        return run_search(task, settings, out, on_message, on_progress)
