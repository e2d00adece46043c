"""Output folders of a command: what a failed or interrupted command may remove depends on how far it came."""

import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from throughtime import _files
from throughtime.cli.interrupts import cleaning, held

_made: list[Path] = []
_filled: set[Path] = set()


def output_folder(path: str | Path) -> Path:
    """Make the folder ``path`` if it does not exist, and check that it can be written.

    Raises:
        InputError: if it is a file, or cannot be made or written.
    """
    folder = Path(path)
    _filled.discard(folder)
    missing = [place for place in (folder, *folder.parents) if not place.exists()]
    folder = _files.output_folder(folder)
    _made[:] = missing
    return folder


def is_filled(folder: Path) -> bool:
    """Tell whether all files of :func:`staged` have arrived in ``folder`` since it was opened."""
    return folder in _filled


def remove_empty() -> None:
    """Remove the folders that :func:`output_folder` made last, if they are still empty."""
    for folder in _made:
        with suppress(OSError):
            folder.rmdir()


@contextmanager
def staged(folder: Path, *, former: Mapping[str, re.Pattern[str]] | None = None) -> Iterator[Path]:
    """Open a temporary folder as :func:`throughtime._files.staged` does; Ctrl-C leaves nothing of it either."""
    with cleaning(lambda: remove_stages(folder)):
        with _files.staged(folder, former=former, moving=held) as stage:
            yield stage
        _filled.add(folder)


def remove_stages(folder: Path) -> None:
    """Remove the temporary folders that an interrupted command left in ``folder``."""
    for stage in folder.glob(f"{_files.STAGE}*"):
        shutil.rmtree(stage, ignore_errors=True)
