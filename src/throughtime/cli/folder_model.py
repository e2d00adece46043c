"""The one model of a folder of partitions in an output folder, and the record of what it was fitted on."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

from throughtime._arguments import plain
from throughtime._errors import InputError
from throughtime._files import staged
from throughtime.cli.interrupts import deferred
from throughtime.cli.progress_bar import TrainingBar
from throughtime.cli.runtime import Runtime
from throughtime.cli.workflows import progress_of
from throughtime.data import ColumnNames
from throughtime.forecasting import Forecaster
from throughtime.partitions import MODEL, difference, fit_folder, processes_of
from throughtime.service import model_digest

SETTINGS = "settings.json"


class SeriesFolder(NamedTuple):
    """A folder of Parquet files and the names of their columns."""

    path: Path
    columns: ColumnNames


def fitted_model(
    source: SeriesFolder,
    model: Forecaster,
    memory: int | None,
    runtime: Runtime,
    bar: TrainingBar,
    hold_back: int = 0,
) -> Path:
    """Return the folder of the forecaster, which is fitted unless an earlier run has done so with these settings.

    Args:
        source: the folder.
        model: a forecaster, not fitted yet.
        memory: the most that the fit may take, in MiB.
        runtime: the running command.
        bar: shows the progress.
        hold_back: the last steps of each series that are not learned from.

    Raises:
        InputError: for a folder that cannot be used, and for an output folder of other settings or with another model.
    """
    out = runtime.out.path
    settings = {
        "folder": str(source.path.resolve()),
        "arguments": plain(model.get_params()),
        "columns": asdict(source.columns),
        "hold_back": hold_back,
    }
    if not processes_of(model.config).of_first(lambda: _is_fitted(runtime.out.open(), settings)):
        fit_folder(
            model, source.path, columns=source.columns, memory=memory, hold_back=hold_back, work=out,
            callback=progress_of(bar),
        )  # fmt: skip
        for note in model.notes_:
            runtime.say(note)
        with deferred():
            model.save(out / MODEL)
            write_json(out / SETTINGS, settings | {MODEL: model_digest(out / MODEL)})
    return out / MODEL


def take_part(source: SeriesFolder, model: Forecaster, memory: int | None) -> None:
    """Fit a forecaster together with the first process, unless that has fitted it already; nothing is written.

    Args:
        source: the folder.
        model: a forecaster, not fitted yet, of the same arguments.
        memory: the most that the fit may take, in MiB.
    """
    if not processes_of(model.config).of_first(lambda: False):
        fit_folder(model, source.path, columns=source.columns, memory=memory)


def write_json(file: Path, value: Any) -> None:
    """Write JSON in one step."""
    with staged(file.parent) as stage:
        (stage / file.name).write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


def _is_fitted(out: Path, settings: dict[str, Any]) -> bool:
    """Return True if an earlier run has fitted the forecaster with these settings.

    Raises:
        InputError: if it had others, and if its forecaster is no longer there.
    """
    file = out / SETTINGS
    if not file.exists():
        return False
    found = _read(file)
    other = difference(found, settings)
    if other.expected:
        raise InputError(
            f"{file}: {out} holds forecasts of other settings ({other}): choose another folder with --out, or remove "
            f"{out}",
            code="other-settings",
            file=file,
            found=other.found,
            expected=other.expected,
        )
    try:
        digest = model_digest(out / MODEL)
    except OSError:
        digest = None
    if digest is None or digest != found.get(MODEL):
        state = "is no longer there" if digest is None else "is another one"
        raise InputError(
            f"{out / MODEL}: the forecaster that {out} holds forecasts of {state}: choose another folder with --out, "
            f"or remove {out}",
            code="other-model",
            file=out / MODEL,
            found=digest,
            expected=found.get(MODEL),
        )
    return True


def _read(file: Path) -> dict[str, Any]:
    """Return the settings of an earlier run; empty if the file holds none."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
