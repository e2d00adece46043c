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
from throughtime.data import ALL, ColumnNames
from throughtime.forecasting import Fitted, as_tuples, covariate_arrays, covariates_as_dict, covariates_from
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
        "covariates": covariates_as_dict(panel.covariates),
        **{name: getattr(progress, name) for name in COUNTS},
    }
    arrays = {name: getattr(panel, name) for name in ARRAYS} | covariate_arrays(panel.covariates)
    write_folder(folder, KIND, plain(config), arrays)


def load_progress(
    folder: Path,
    fitted: Fitted,
    digest: str,
    names: ColumnNames = ColumnNames(),  # noqa: B008 - frozen
) -> Progress | None:
    """Return the progress in a folder; None if there is none.

    Args:
        folder: of the stream.
        fitted: the model as it was saved; its series are replaced by those of the stream.
        digest: of the model.
        names: the columns that the user names.

    Raises:
        InputError: for something else than a progress of this model, for a truncated, altered or foreign one, and if
            the rows had other columns.
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
        progress = _progress(saved, fitted)
    return _with_names(progress, names, folder)


def _progress(saved: Checkpoint, fitted: Fitted) -> Progress:
    config, arrays = saved.config, saved.arrays
    values, offsets, starts = (arrays[name] for name in ARRAYS)
    covariates = covariates_from(config.get("covariates"), arrays)
    series = replace(
        fitted.panel,
        ids=np.array(config["ids"]),
        values=values,
        offsets=offsets,
        starts=starts,
        covariates=covariates,
    )
    columns: dict[str, Any] = {name: as_tuples(value) for name, value in config["columns"].items()}
    fitted = fitted._replace(panel=series, columns=ColumnNames(**columns))
    return Progress(fitted, **{name: config[name] for name in COUNTS})


def _with_names(progress: Progress, names: ColumnNames, folder: Path) -> Progress:
    """Return the progress with the names of columns that the user names, if its rows have not had any yet."""
    known = progress.fitted.columns
    if names.target == ALL and progress.named:  # the columns that it has come to mean are known
        names = replace(names, target=None)
    columns = known.with_names(names)
    if progress.named and columns != known:
        raise InputError(
            f"{folder} holds a stream of rows with the columns {', '.join(_shown(known))}, and "
            f"{', '.join(_shown(columns))} are named: leave the names out, or choose another folder with --out",
            code="other-columns",
            file=folder,
            found=_shown(columns),
            expected=_shown(known),
        )
    return progress._replace(fitted=progress.fitted._replace(columns=columns))


def _shown(columns: ColumnNames) -> list[str]:
    """Return the columns of series, times and values."""
    targets = columns.target if isinstance(columns.target, tuple) else (columns.target,)
    return [str(name) for name in (columns.id, columns.time, *targets) if name is not None]
