"""Files to panels: CSV and Parquet. Whatever is wrong with a file is one message, never a library's traceback."""

import gzip
import zlib
from io import BytesIO
from pathlib import Path

import narwhals as nw
import polars as pl

from throughtime.data.csv_text import parse_csv
from throughtime.data.long_format import arrange
from throughtime.data.panel import Panel
from throughtime.data.source import Source

GZIP, PARQUET = b"\x1f\x8b", b"PAR1"


def read_panel(path: str | Path, *, id: str | None = None, time: str | None = None, target: str | None = None) -> Panel:
    """The panel in a CSV file (comma, semicolon or tab; also gzip) or a Parquet file.

    Args:
        path: the file. Its rows are long: one for each series and time, in any order.
        id: the column that names the series; "unique_id" by default, and without it the file is one series.
        time: the column of time stamps; by default "ds", else the only one that holds dates.
        target: the column of values; by default "y", else the only other column of numbers.

    Raises:
        InputError: where the file cannot be used; it names file, line and column, what was found and expected.
    """
    source = Source(str(path))
    content = _content(Path(path), source)
    if content.startswith(PARQUET):
        table = _parquet(content, source)
    else:
        table, source = parse_csv(content, source)
    return Panel(*arrange(nw.from_native(table), source, id=id, time=time, target=target))


def _content(path: Path, source: Source) -> bytes:
    """The bytes of the file, unpacked."""
    try:
        content = path.read_bytes()
        return gzip.decompress(content) if content.startswith(GZIP) else content
    except FileNotFoundError:
        raise source.error("there is no such file") from None
    except IsADirectoryError:
        raise source.error("this is a folder, expected a CSV or Parquet file") from None
    except PermissionError:
        raise source.error("no permission to read this file") from None
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise source.error(f"truncated or damaged gzip data ({error}); get or write the file again") from None
    except OSError as error:
        raise source.error(f"the file cannot be read ({error.strerror or error})") from None


def _parquet(content: bytes, source: Source) -> pl.DataFrame:
    try:
        return pl.read_parquet(BytesIO(content))
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        reason = str(error).partition("\n")[0]
        raise source.error(f"truncated or damaged Parquet data ({reason}); get or write the file again") from None
