"""Files that a command writes appear all at once or not at all."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from throughtime.errors import InputError


def output_folder(path: str | Path) -> Path:
    """Make the folder ``path`` where it does not exist, and be sure that it can be written.

    Raises:
        InputError: where it is a file, or cannot be made or written.
    """
    folder = Path(path)
    try:
        if folder.exists() and not folder.is_dir():
            raise InputError(f"{folder} is a file: expected a folder to write to; choose another with --out")
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise InputError(f"{folder} cannot be written ({error.strerror}): choose another folder with --out") from error
    return folder


@contextmanager
def staged(folder: Path) -> Iterator[Path]:
    """A temporary folder whose files move into ``folder`` when all went well; otherwise nothing of them remains.

    Raises:
        InputError: where ``folder`` holds a folder of a file's name, or a file of a folder's.

    Example:
        >>> with staged(out) as stage:
        ...     (stage / "forecasts.csv").write_text(table)
    """
    stage = Path(tempfile.mkdtemp(prefix=".writing-", dir=folder))
    try:
        yield stage
        moves = [(file, folder / file.relative_to(stage)) for file in sorted(stage.rglob("*"))]
        for file, place in moves:
            if place.exists() and place.is_dir() != file.is_dir():
                wanted = "folder" if file.is_dir() else "file"
                raise InputError(
                    f"{place} is in the way of a {wanted} of this name: remove it, or choose another --out"
                )
        for file, place in moves:
            if file.is_dir():
                place.mkdir(exist_ok=True)
            else:
                os.replace(file, place)
    finally:
        shutil.rmtree(stage, ignore_errors=True)
