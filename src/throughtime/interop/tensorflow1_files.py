"""Checkpoints of ``tf.train.Saver``, read without TensorFlow.

A checkpoint NAME is two files. ``NAME.index`` is a table of LevelDB: sorted keys, the variables' names, and for each a
protocol buffer with its type, its shape and its place in ``NAME.data-00000-of-00001``, which holds the numbers one
after the other. The formats are those of TensorFlow's ``tensor_bundle.proto`` and ``lib/io/table_format.txt``. Nothing
in them is code.
"""

from collections.abc import Iterator
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

import ml_dtypes
import numpy as np

from throughtime._errors import InputError
from throughtime.interop.files import read_bytes

INDEX, DATA = ".index", ".data-{:05d}-of-{:05d}"
MAGIC = (0xDB4775248B80FB57).to_bytes(8, "little")
FOOTER = 48
TYPES = {1: "<f4", 2: "<f8", 3: "<i4", 9: "<i8", 14: ml_dtypes.bfloat16, 19: "<f2"}
"""NumPy's types by the numbers of TensorFlow's ``DataType``; variables of other types are left out."""
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5  # the kinds of fields in a protocol buffer


class _Entry(NamedTuple):
    """A variable: its type's number, its shape, and its place in a data file."""

    dtype: int
    shape: tuple[int, ...]
    shard: int
    offset: int
    size: int


def read(path: Path) -> dict[str, np.ndarray]:
    """Return the variables of a checkpoint by name.

    Args:
        path: the checkpoint as TensorFlow names it, ``model`` for ``model.index``; or its ``.index`` file.

    Raises:
        InputError: if a file is missing, truncated or of another format.
    """
    prefix = path.with_name(path.name.removesuffix(INDEX))
    index = prefix.with_name(prefix.name + INDEX)
    try:
        entries = dict(_table(read_bytes(index)))
        shards = dict(_fields(entries.pop(b""))).get(1, 0)
        content = [read_bytes(prefix.with_name(prefix.name + DATA.format(number, shards))) for number in range(shards)]
        variables = {name.decode(): _entry(value) for name, value in entries.items()}
        return {name: _array(e, content[e.shard]) for name, e in variables.items() if e.dtype in TYPES}
    except InputError:
        raise
    except (ValueError, IndexError, KeyError, TypeError, OverflowError) as error:
        raise InputError(
            f"{index} and its data are truncated or no checkpoint of tf.train.Saver ({error}): expected its .index and "
            ".data files side by side",
            code="bad-file",
            file=index,
            expected="a checkpoint",
        ) from error


def _array(entry: _Entry, content: bytes) -> np.ndarray:
    if prod(entry.shape) * np.dtype(TYPES[entry.dtype]).itemsize != entry.size:
        raise ValueError(f"{entry.size} bytes for an array of shape {entry.shape}")
    return np.frombuffer(content, TYPES[entry.dtype], prod(entry.shape), entry.offset).reshape(entry.shape)


def _table(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield keys and values of a table: its last bytes point to a block of pointers to blocks."""
    footer = content[-FOOTER:]
    if len(footer) < FOOTER or not footer.endswith(MAGIC):
        raise ValueError("the index does not end as a table does")
    _, place = _handle(footer, 0)
    handle, _ = _handle(footer, place)
    for _, value in _block(content, *handle):
        yield from _block(content, *_handle(value, 0)[0])


def _handle(content: bytes, place: int) -> tuple[tuple[int, int], int]:
    """Return the offset and the size of a block, and the place behind them."""
    offset, place = _varint(content, place)
    size, place = _varint(content, place)
    return (offset, size), place


def _block(content: bytes, offset: int, size: int) -> Iterator[tuple[bytes, bytes]]:
    """Yield keys and values of a block; a key has its first bytes from the one before."""
    if content[offset + size] != 0:
        raise ValueError("a compressed table")
    block = content[offset : offset + size]
    end = size - 4 - 4 * int.from_bytes(block[-4:], "little")
    place, key = 0, b""
    while place < end:
        shared, place = _varint(block, place)
        length, place = _varint(block, place)
        value_length, place = _varint(block, place)
        key = key[:shared] + block[place : place + length]
        place += length + value_length
        yield key, block[place - value_length : place]


def _entry(message: bytes) -> _Entry:
    fields = dict(_fields(message))
    if 7 in fields:
        raise ValueError("a variable in slices")
    dims = [dict(_fields(dim)).get(1, 0) for number, dim in _fields(fields.get(2, b"")) if number == 2]
    return _Entry(fields.get(1, 0), tuple(dims), fields.get(3, 0), fields.get(4, 0), fields.get(5, 0))


def _fields(message: bytes) -> Iterator[tuple[int, Any]]:
    """Yield the numbers of a protocol buffer's fields, and their values: whole numbers or bytes."""
    place = 0
    while place < len(message):
        tag, place = _varint(message, place)
        if tag & 7 == VARINT:
            value, place = _varint(message, place)
            yield tag >> 3, value
            continue
        if tag & 7 == BYTES:
            length, place = _varint(message, place)
        else:
            length = {FIXED32: 4, FIXED64: 8}[tag & 7]
        place += length
        yield tag >> 3, message[place - length : place]


def _varint(content: bytes, place: int) -> tuple[int, int]:
    """Return a whole number of seven bits a byte, the lowest first, and the place behind it."""
    number = shift = 0
    while content[place] & 128:
        number |= (content[place] & 127) << shift
        place, shift = place + 1, shift + 7
    return number | content[place] << shift, place + 1
