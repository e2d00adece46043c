"""The folder that a command writes to: its files appear all at once, and a failed command leaves no empty folder."""

import re
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

from throughtime import _files
from throughtime.cli.interrupts import deferred


class OutputFolder:
    """The folder of ``--out``.

    Attributes:
        path: the folder.
        filled: whether all files of :meth:`staged` have arrived.
    """

    def __init__(self, path: Path):
        self.path, self.filled = path, False
        self._made: list[Path] = []

    def open(self) -> Path:
        """Make the folder if it does not exist, and return it.

        Raises:
            InputError: if it is a file, or cannot be made or written.
        """
        missing = [place for place in (self.path, *self.path.parents) if not place.exists()]
        folder = _files.output_folder(self.path)
        self._made = missing
        return folder

    def close(self) -> None:
        """Remove the folders that :meth:`open` made, if they are still empty."""
        for folder in self._made:
            with suppress(OSError):
                folder.rmdir()

    def kept(self) -> str:
        """Return what an interrupted command leaves, for one that writes all of its files at once."""
        return f"The results were already in {self.path}." if self.filled else "Nothing was written."

    def staged(self, former: Mapping[str, re.Pattern[str]] | None = None) -> AbstractContextManager[Path]:
        """Open a temporary folder as :func:`throughtime._files.staged` does; Ctrl-C waits while its files move."""
        return _files.staged(self.path, former=former, moving=self._moving)

    @contextmanager
    def _moving(self) -> Iterator[None]:
        with deferred():
            yield
            self.filled = True
