"""Output folders: files appear all at once or not at all, and only files of an earlier run are removed."""

import os
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path

from throughtime._errors import InputError
from throughtime._temporary import temporary_folder


def output_folder(path: str | Path) -> Path:
    """Make the folder ``path`` if it does not exist, and check that it is writable.

    Raises:
        InputError: if it is a file, or cannot be made or written.
    """
    folder = Path(path)
    try:
        if folder.exists() and not folder.is_dir():
            message = f"{folder} is a file: expected a folder to write to; choose another"
            raise InputError(message, code="not-a-folder", file=folder, found="a file", expected="a folder")
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        message = f"{folder} cannot be written ({error.strerror}): choose another folder"
        raise InputError(message, code="cannot-write", file=folder, found=error.strerror) from error
    return folder


@contextmanager
def staged(
    folder: Path,
    *,
    former: Mapping[str, re.Pattern[str]] | None = None,
    moving: Callable[[], AbstractContextManager[object]] = nullcontext,
) -> Iterator[Path]:
    """Open a temporary folder whose files move into ``folder`` when the block ends without an error.

    After an error nothing of them remains.

    Args:
        folder: an existing folder.
        former: the names of files of earlier runs, as a pattern for each subfolder. Those without a successor are
            removed after all files have arrived, so that all files are of one run.
        moving: a context around the moves, such as one that defers signals.

    Raises:
        InputError: if ``folder`` holds a folder with a file's name, or a file with a folder's name.

    Example:
        >>> with staged(out, former={"model": ARRAYS_FILE}) as stage:
        ...     (stage / "forecasts.csv").write_text(table)
    """
    with temporary_folder(folder) as stage:
        yield stage
        moves = [(file, folder / file.relative_to(stage)) for file in sorted(stage.rglob("*"))]
        _require_free(moves)
        with moving():
            for file, place in moves:
                if file.is_dir():
                    place.mkdir(exist_ok=True)
                else:
                    os.replace(file, place)
            _remove_former(folder, former or {}, {place for _, place in moves})


def _require_free(moves: Sequence[tuple[Path, Path]]) -> None:
    """Refuse a file whose name a folder has, and the reverse."""
    for file, place in moves:
        if place.exists() and place.is_dir() != file.is_dir():
            expected = "a folder" if file.is_dir() else "a file"
            message = f"{place} is in the way of {expected} of this name: remove it, or choose another folder"
            raise InputError(message, code="in-the-way", file=place, expected=expected)


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
