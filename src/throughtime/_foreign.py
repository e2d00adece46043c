"""Files and content that another program may have written."""

import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from throughtime._errors import InputError


def size_of(file: Path) -> int:
    """Return the bytes of a regular file; anything else might be outside of the folder, or never end.

    Raises:
        InputError: for a link, a folder, a device or a pipe.
    """
    status = file.lstat()
    if not stat.S_ISREG(status.st_mode):
        raise InputError(
            f"{file} is a link or no file: expected a file in the folder itself; copy what it leads to",
            code="unreadable",
            file=file,
        )
    return status.st_size


@contextmanager
def foreign_content(path: str | Path) -> Iterator[None]:
    """Open a block that makes something from the content of a checkpoint; its errors become one for the user.

    Checksums tell that nothing has changed since the content was written, not that a version of this program wrote it.

    Raises:
        InputError: if the content has other parts, types or numbers than the block can use.
    """
    try:
        yield
    except InputError:
        raise
    except Exception as error:  # such content may break anything that reads it
        raise InputError(
            f"{path} is foreign: its checksums fit, but no version of throughtime writes such content "
            f"({type(error).__name__}: {str(error)[:200]})",
            code="foreign",
            file=path,
        ) from error
