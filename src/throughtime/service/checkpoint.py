"""The progress of a stream in a folder, which is complete at every moment."""

import hashlib
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from throughtime._arguments import plain
from throughtime._errors import InputError
from throughtime._folder import HEADER, Checkpoint, read_folder, write_folder
from throughtime._foreign import foreign_content
from throughtime.data import ColumnNames
from throughtime.forecasting import Fitted
from throughtime.service.stream import Progress

KIND = "stream"
ARRAYS = ("values", "offsets", "starts")
COUNTS = ("named", "first", "rows", "skipped", "checksum")


def model_digest(folder: Path) -> str:
    """Return the SHA-256 of a saved model: of its header, which holds that of its arrays."""
    return hashlib.sha256((folder / HEADER).read_bytes()).hexdigest()


def save_progress(folder: Path, progress: Progress, digest: str) -> None:
    """Write a progress in one step.

    Args:
        folder: of the stream.
        progress: the state after a row.
        digest: of the model.
    """
    panel = progress.fitted.panel
    config = {
        "model": digest,
        "ids": panel.ids.tolist(),
        "columns": asdict(progress.fitted.columns),
        **{name: getattr(progress, name) for name in COUNTS},
    }
    write_folder(folder, KIND, plain(config), {name: getattr(panel, name) for name in ARRAYS})


def load_progress(folder: Path, fitted: Fitted, digest: str) -> Progress | None:
    """Return the progress in a folder; None if there is none.

    Args:
        folder: of the stream.
        fitted: the model as it was saved; its series are replaced by those of the stream.
        digest: of the model.

    Raises:
        InputError: for something else than a progress of this model, and for a truncated, altered or foreign one.
    """
    if not (folder / HEADER).exists():
        return None
    saved = read_folder(folder)
    if saved.kind != KIND or saved.config.get("model") != digest:
        raise InputError(
            f"{folder} holds the stream of another model: choose another folder with --out, or remove it",
            code="other-model",
            file=folder,
            expected=digest,
        )
    with foreign_content(folder):
        return _progress(saved, fitted)


def _progress(saved: Checkpoint, fitted: Fitted) -> Progress:
    config, arrays = saved.config, saved.arrays
    values, offsets, starts = (arrays[name] for name in ARRAYS)
    series = replace(fitted.panel, ids=np.array(config["ids"]), values=values, offsets=offsets, starts=starts)
    columns: dict[str, Any] = {name: _tuples(value) for name, value in config["columns"].items()}
    fitted = fitted._replace(panel=series, columns=ColumnNames(**columns))
    return Progress(fitted, **{name: config[name] for name in COUNTS})


def _tuples(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
