"""Temporary folders of which nothing stays, after an error or a signal; after a kill, until the next one is opened.

A folder in use is locked. So those that killed processes have left are known: nobody holds their locks. A lock may hold
within its machine only, so each machine removes its own. (Windows has no locks of folders; what is left there stays.)
"""

import glob
import os
import platform
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

if sys.platform != "win32":
    import fcntl

    FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW  # a pipe of such a name would wait for a writer

STAGE = f".writing-throughtime-{platform.node()}-"  # how their names begin
OWN = 0o700  # the rights to it: nobody else reads what a fit keeps among the files of all
_in_use: set[Path] = set()  # by this process


@contextmanager
def temporary_folder(parent: Path) -> Iterator[Path]:
    """Open a new folder in an existing one; after the block it is gone, and so is what killed processes left there."""
    _remove_left(parent)
    folder = parent / f"{STAGE}{os.urandom(8).hex()}"
    _in_use.add(folder)
    try:
        lock = _make(folder)
        try:
            yield folder
        finally:
            if lock is not None:
                os.close(lock)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        _in_use.discard(folder)


def remove_temporary_folders() -> None:
    """Remove those of this process, for a handler of a signal that ends it within their blocks."""
    for folder in list(_in_use):
        shutil.rmtree(folder, ignore_errors=True)


def _make(folder: Path) -> int | None:
    """Make a folder and return its lock; make it again if it was taken for one that is left, before it was locked."""
    if sys.platform == "win32":
        folder.mkdir(OWN)
        return None
    while True:
        folder.mkdir(OWN, exist_ok=True)
        with suppress(FileNotFoundError):
            lock = os.open(folder, FOLDER)
            with suppress(OSError):  # of a file system without locks, where nothing is removed for it either
                fcntl.flock(lock, fcntl.LOCK_SH)
            if folder.exists():
                return lock
            os.close(lock)


def _remove_left(parent: Path) -> None:
    """Remove the folders that nobody has locked."""
    if sys.platform == "win32":
        return
    for folder in parent.glob(f"{glob.escape(STAGE)}*"):
        with suppress(OSError):
            lock = os.open(folder, FOLDER)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder)
            finally:
                os.close(lock)
