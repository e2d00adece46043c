"""CSV and Parquet files, read as panels. A bad file raises one message, never a library's traceback."""

import gzip
import zlib
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import narwhals as nw
import polars as pl

from throughtime._errors import InputError
from throughtime.data.columns import ColumnNames
from throughtime.data.csv_text import parse_csv
from throughtime.data.former import Former
from throughtime.data.panel import Panel
from throughtime.data.source import Source

GZIP, PARQUET = b"\x1f\x8b", b"PAR1"
# What polars and narwhals raise for a damaged Parquet file; its panics are exceptions that nobody else raises.
DAMAGED = (nw.exceptions.NarwhalsError, pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError)


def read_panel(
    path: str | Path,
    *,
    id: str | None = None,
    time: str | None = None,
    target: str | Sequence[str] | None = None,
    static: str | Sequence[str] = (),
    past: str | Sequence[str] = (),
    future: str | Sequence[str] = (),
) -> Panel:
    """Read the panel of a CSV file (comma, semicolon or tab; also gzip) or a Parquet file.

    Args:
        path: the file. Its rows are long: one for each series and time, in any order. Of a Parquet file only the needed
            columns are read.
        id: this and the others name columns, see :class:`~throughtime.data.ColumnNames`.
        time: the time stamps.
        target: the values to forecast.
        static: covariates that are constant for each series.
        past: covariates that are known up to the present.
        future: covariates that are known for the horizon too.

    Raises:
        InputError: if the file cannot be used; it names file, line and column, what was found and expected.
    """
    return read_named(path, ColumnNames(id, time, target, static, past, future))


def read_named(path: str | Path, names: ColumnNames, former: Former | None = None) -> Panel:
    """Read the panel of a file as :func:`read_panel` does.

    Args:
        path: the file.
        names: the columns that the user names.
        former: of the panel whose frequency, and whose kinds of covariates, the file must have.
    """
    return panel_of_table(*read_table(path), names, former)


def panel_of_table(
    table: nw.DataFrame | nw.LazyFrame,
    source: Source,
    names: ColumnNames,
    former: Former | None = None,
    *,
    is_part: bool = False,
) -> Panel:
    """Read the panel of a table as :func:`read_named` does; a lazy one is of Parquet files.

    Args:
        table: one row for each series and time.
        source: names the table in messages.
        names: the columns that the user names.
        former: of the panel whose frequency, and whose kinds of covariates, the table must have.
        is_part: True for a part of a table, which may have no value, and so no series.
    """
    try:
        return Panel.from_table(table, source, names, former, is_part=is_part)
    except DAMAGED as error:
        if isinstance(table, nw.DataFrame):
            raise
        raise _damaged(error, source) from None


def read_table(path: str | Path) -> tuple[nw.DataFrame | nw.LazyFrame, Source]:
    """Return the rows of a file (a Parquet file is read later, column by column) and its source, for messages.

    Raises:
        InputError: if the file is neither CSV nor Parquet, or cannot be read.
    """
    source = Source(str(path))
    content = _content(Path(path), source)
    if content is None or content.startswith(PARQUET):
        file: str | BytesIO = str(path) if content is None else BytesIO(content)
        try:
            return nw.from_native(pl.scan_parquet(file, glob=False)), source
        except DAMAGED as error:
            raise _damaged(error, source) from None
    table, source = parse_csv(content, source)
    return nw.from_native(table), source


def _content(path: Path, source: Source) -> bytes | None:
    """Return the bytes of the file, unpacked; None for a Parquet file, which polars reads itself."""
    try:
        with path.open("rb") as file:
            head = file.read(len(PARQUET))
            if head == PARQUET and path.is_file():  # a pipe cannot be read again
                return None
            content = head + file.read()
        return gzip.decompress(content) if content.startswith(GZIP) else content
    except FileNotFoundError:
        raise source.error("there is no such file", code="no-such-file") from None
    except IsADirectoryError:
        raise source.error(
            "this is a folder, expected a CSV or Parquet file",
            code="folder",
            found="a folder",
            expected="a CSV or Parquet file",
        ) from None
    except PermissionError:
        raise source.error("no permission to read this file", code="no-permission") from None
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise source.error(
            f"truncated or damaged gzip data ({error}); get or write the file again", code="damaged-gzip"
        ) from None
    except OSError as error:
        raise source.error(f"the file cannot be read ({error.strerror or error})", code="unreadable-file") from None


def whole_parquet(source: Source) -> pl.DataFrame:
    """Return all rows of a Parquet file.

    Raises:
        InputError: if it is truncated or damaged.
    """
    try:
        return pl.read_parquet(source.name, glob=False, hive_partitioning=False)
    except DAMAGED as error:
        raise _damaged(error, source) from None


def _damaged(error: BaseException, source: Source) -> InputError:
    reason = str(error).partition("\n")[0]
    return source.error(
        f"truncated or damaged Parquet data ({reason}); get or write the file again", code="damaged-parquet"
    )
