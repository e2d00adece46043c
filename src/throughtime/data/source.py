"""Where rows come from, so that a message can name the file, the line and the column."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from throughtime._errors import InputError

MISSING = ("", "na", "n/a", "nan", "null", "none")


@dataclass(frozen=True, eq=False)
class Source:
    """A file or a dataframe, as messages name it.

    Attributes:
        name: the file's path, or "the frame".
        lines: the line in the file of each row, for text files; None for what has rows and no lines.
    """

    name: str
    lines: NDArray[np.int64] | None = None

    def place(self, row: int) -> str:
        """The row (from 0) as the user can find it: its line in a text file, else its number counted from 1."""
        return f"row {row + 1}" if self.lines is None else f"line {self.lines[row]}"

    def error(self, message: str, *, row: int | None = None, column: str | None = None) -> InputError:
        where = [self.name]
        if row is not None:
            where.append(self.place(row))
        if column is not None:
            where.append(f"column {column!r}")
        return InputError(f"{', '.join(where)}: {message}")


def first(mask: pl.Series) -> int:
    """The first row where ``mask`` holds."""
    return int(mask.to_numpy().argmax())
