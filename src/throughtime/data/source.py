"""The origin of rows, so that an error can name the file, the line and the column."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from throughtime._errors import InputError

LONGEST = 80  # characters of a value in a message
MISSING = ("", "na", "n/a", "nan", "null", "none")  # texts that mean a missing value, in lower case


@dataclass(frozen=True)
class Repairs:
    """The repairs that reading a table made, for the findings.

    Attributes:
        grouped: columns from whose numbers marks for thousands were removed.
        symbols: columns from whose numbers signs of currencies or per cent were removed, and the signs.
        skipped_lines: titles and comments above the names of the columns.
        lines_of_words: units or second names between the names of the columns and the rows.
        lines_below: totals and sources below the table.
        encoding: the encoding that was assumed for a file that is not UTF-8; else None.
        made_up_names: the names of columns that had none, or the name of another column.
        wide_columns: the time stamps among the names of the columns of a wide table, which was made long.
        wide_part: the part of a time, such as "month", that these names are; None if they are whole time stamps.
    """

    grouped: tuple[str, ...] = ()
    symbols: tuple[tuple[str, str], ...] = ()
    skipped_lines: int = 0
    lines_of_words: int = 0
    lines_below: int = 0
    encoding: str | None = None
    made_up_names: tuple[str, ...] = ()
    wide_columns: int = 0
    wide_part: str | None = None


@dataclass(frozen=True, eq=False)
class Source:
    """A file or a dataframe, as messages name it.

    Attributes:
        name: the file's path, or "the frame".
        lines: the line in the file of each row, for text files; None for Parquet files and frames.
        before: the rows that came before this table, as in a stream.
        files: the name of each file and the number of its rows, if the rows are those of several, one after the other.
        unclear: columns of numbers whose points or commas may be decimal marks or group thousands.
        repairs: the repairs that reading the table made.
    """

    name: str
    lines: NDArray[np.int64] | None = None
    before: int = 0
    files: tuple[tuple[str, int], ...] = ()
    unclear: tuple[str, ...] = ()
    repairs: Repairs = Repairs()

    def line(self, row: int) -> int:
        """Return the line of a row (from 0) in a text file, else the row's number in its file; both count from 1."""
        return self._find(row)[1]

    def place(self, row: int) -> str:
        """Return the row (from 0) as the user can find it: "line 3" of a text file, else "row 3" or "row 3 of FILE"."""
        name, line = self._find(row)
        return f"{'row' if self.lines is None else 'line'} {line}" + (f" of {name}" if name != self.name else "")

    def _find(self, row: int) -> tuple[str, int]:
        """Return the name of a row's file, and its line or number there."""
        if self.lines is not None:
            return self.name, int(self.lines[row])
        for name, count in self.files:
            if row < count:
                return name, row + 1
            row -= count
        return self.name, self.before + row + 1

    def error(
        self,
        message: str,
        *,
        code: str,
        row: int | None = None,
        column: str | None = None,
        found: Any = None,
        expected: Any = None,
    ) -> InputError:
        """Return an error whose message and fields begin with the place: the name, the row and the column."""
        name, line = (self.name, None) if row is None else self._find(row)
        place = [name]
        if line is not None:
            place.append(f"{'row' if self.lines is None else 'line'} {line}")
        if column is not None:
            place.append(f"column {column!r}")
        return InputError(
            f"{', '.join(place)}: {message}",
            code=code,
            file=name,
            line=line,
            column=column,
            found=found,
            expected=expected,
        )

    def refuse(self, wrong: pl.Series, column: pl.Series, expected: str, *, code: str, advice: str = "") -> None:
        """Raise the error for the first value of a column where ``wrong`` is true; do nothing without one."""
        if not wrong.any():
            return
        row = first_true(wrong)
        value = column[row]
        if isinstance(value, str) and len(value) > LONGEST:
            value = f"{value[:LONGEST]}... ({len(value):,} characters)"
        raise self.error(
            f"found {value!r}, expected {expected}{advice}",
            code=code,
            row=row,
            column=column.name,
            found=value,
            expected=expected,
        )


def first_true(mask: pl.Series) -> int:
    """Return the first row where ``mask`` is true."""
    return int(mask.to_numpy().argmax())


def without_missing_words(text: pl.Series) -> pl.Series:
    """Return text without outer blanks, and null where it is one of the words for a missing value."""
    stripped = pl.first().str.strip_chars()
    missing = stripped.str.to_lowercase().is_in(MISSING).fill_null(False)
    return text.to_frame().select(pl.when(~missing).then(stripped)).to_series()
