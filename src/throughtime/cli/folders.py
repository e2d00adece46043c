"""From a folder of Parquet files to forecasts of all its partitions: what ``forecast FOLDER`` does."""

import json
import os
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.table import Table

from throughtime._arguments import plain
from throughtime._errors import InputError
from throughtime._files import STAGE
from throughtime.cli.options import FolderOptions
from throughtime.cli.progress_bar import TrainingBar
from throughtime.cli.results import Levels
from throughtime.cli.runtime import UNUSABLE, Runtime
from throughtime.cli.workflows import progress_of
from throughtime.data import ColumnNames
from throughtime.forecasting import Forecaster
from throughtime.partitions import MODEL, FolderResult, fit_folder, forecast_folder

SETTINGS, FAILURES = "settings.json", "failures.json"


def forecast_partitions(
    folder: Path, columns: ColumnNames, model: Forecaster, levels: Levels, options: FolderOptions, runtime: Runtime
) -> int | None:
    """Fit a forecaster on a folder, unless an earlier run has, and forecast the partitions that are not finished.

    Args:
        folder: of Parquet files.
        columns: the names of their columns.
        model: a forecaster, not fitted yet.
        levels: coverage of the intervals in per cent.
        options: the engine.
        runtime: the running command.

    Returns:
        The exit code for partitions that failed.

    Raises:
        InputError: for a folder or a parameter that cannot be used, and for an output folder of other settings.
    """
    engine, out = options.build(), runtime.out.open()
    runtime.interrupts.kept = lambda: f"What is finished is in {out}: the same command goes on from there."
    settings = {"arguments": plain(model.get_params()), "columns": asdict(columns)}
    with TrainingBar(runtime.console, runtime.interrupts, loss="pinball") as bar:
        if not _is_fitted(out, settings):
            fit_folder(model, folder, columns=columns, memory=options.memory, work=out, callback=progress_of(bar))
            for note in model.notes_:
                runtime.say(note)
            model.save(out / MODEL)
            _write(out / SETTINGS, settings)
        result = forecast_folder(
            folder,
            out / MODEL,
            out,
            levels,
            engine=engine,
            on_partition=lambda done, total: bar.count("forecasting", done, total, unit="partition"),
        )
    runtime.result = _summary(folder, model.horizon, result) | {"seconds": time.perf_counter() - runtime.began}
    return _report(result, runtime)


def _is_fitted(out: Path, settings: dict[str, Any]) -> bool:
    """Return True if an earlier run has fitted the forecaster with these settings.

    Raises:
        InputError: if it had others.
    """
    file = out / SETTINGS
    if not file.exists():
        return False
    found = json.loads(file.read_text(encoding="utf-8"))
    if found != json.loads(json.dumps(settings)):
        raise InputError(
            f"{out} holds forecasts of other settings ({file}): choose another folder with --out, or remove it",
            code="other-settings",
            file=file,
            found=json.dumps(found),
            expected=json.dumps(settings),
        )
    return True


def _report(result: FolderResult, runtime: Runtime) -> int | None:
    """Say what was done and what failed; failures are in a file too, and make the exit code."""
    out = runtime.out.path
    runtime.say(f"{result.done:,} partitions forecast, {result.kept:,} were finished, {len(result.failures):,} failed.")
    runtime.say(f"Written to {out}: {result.folder.name}, {MODEL}")
    if not result.failures:
        (out / FAILURES).unlink(missing_ok=True)
        return None
    _write(out / FAILURES, [failed._asdict() for failed in result.failures])
    table = Table("file", "error", title="Not forecast; the same command tries them again", title_justify="left")
    for failed in result.failures:
        table.add_row(failed.file, failed.error)
    runtime.console.print(table)
    return UNUSABLE


def _summary(folder: Path, horizon: int, result: FolderResult) -> dict[str, Any]:
    """Return what ``--json`` prints."""
    return {
        "folder": str(folder),
        "horizon": horizon,
        "partitions": result.done + result.kept + len(result.failures),
        "done": result.done,
        "kept": result.kept,
        "rows": result.rows,
        "failures": [failed._asdict() for failed in result.failures],
        "forecasts": str(result.folder),
    }


def _write(file: Path, value: Any) -> None:
    """Write JSON in one step."""
    stage = file.with_name(f"{STAGE}{file.name}")
    stage.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
    os.replace(stage, file)
