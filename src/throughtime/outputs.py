"""Files that a command writes appear all at once or not at all, and nothing goes but what an earlier run wrote."""

import os
import re
import secrets
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from throughtime.errors import InputError
from throughtime.interrupts import cleaning, held

# Of this process: what a command may say, and take away, when it fails depends on how far it came.
_made: list[Path] = []
_filled: set[Path] = set()


def output_folder(path: str | Path) -> Path:
    """Make the folder ``path`` where it does not exist, and be sure that it can be written.

    Raises:
        InputError: where it is a file, or cannot be made or written.
    """
    folder = Path(path)
    _filled.discard(folder)
    try:
        if folder.exists() and not folder.is_dir():
            raise InputError(f"{folder} is a file: expected a folder to write to; choose another with --out")
        _made[:] = [place for place in (folder, *folder.parents) if not place.exists()]
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise InputError(f"{folder} cannot be written ({error.strerror}): choose another folder with --out") from error
    return folder


def is_filled(folder: Path) -> bool:
    """Whether all files of :func:`staged` have arrived in ``folder`` since it was opened."""
    return folder in _filled


def remove_empty() -> None:
    """Take away the folders that :func:`output_folder` made last, where they are empty still."""
    for folder in _made:
        with suppress(OSError):
            folder.rmdir()


@contextmanager
def staged(folder: Path, *, former: Mapping[str, re.Pattern[str]] | None = None) -> Iterator[Path]:
    """A temporary folder whose files move into ``folder`` when all went well; otherwise nothing of them remains.

    Args:
        folder: an existing folder.
        former: which files an earlier run may have left, by the folder below ``folder`` and the whole name. Those that
            have no successor go, once all have arrived: what remains is of one run.

    Raises:
        InputError: where ``folder`` holds a folder of a file's name, or a file of a folder's.

    Example:
        >>> with staged(out, former={"model": ARRAYS_FILE}) as stage:
        ...     (stage / "forecasts.csv").write_text(table)
    """
    stage = folder / f".writing-{secrets.token_hex(8)}"
    with cleaning(lambda: shutil.rmtree(stage, ignore_errors=True)):
        stage.mkdir()
        yield stage
        moves = [(file, folder / file.relative_to(stage)) for file in sorted(stage.rglob("*"))]
        for file, place in moves:
            if place.exists() and place.is_dir() != file.is_dir():
                wanted = "folder" if file.is_dir() else "file"
                raise InputError(
                    f"{place} is in the way of a {wanted} of this name: remove it, or choose another --out"
                )
        with held():
            for file, place in moves:
                if file.is_dir():
                    place.mkdir(exist_ok=True)
                else:
                    os.replace(file, place)
            _filled.add(folder)
            _remove_former(folder, former or {}, {place for _, place in moves})


def _remove_former(folder: Path, former: Mapping[str, re.Pattern[str]], arrived: set[Path]) -> None:
    for below, names in former.items():
        leftover = [
            file
            for file in (folder / below).glob("*")
            if names.fullmatch(file.name) and file.is_file() and file not in arrived
        ]
        for file in leftover:
            file.unlink()
        if leftover:
            with suppress(OSError):  # others' files may be there
                (folder / below).rmdir()
