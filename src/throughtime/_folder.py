"""Arrays and configuration in a folder that is complete at every moment.

A folder holds ``checkpoint.json`` and one safetensors file that it names. A save writes the new arrays beside the old
ones, then replaces the JSON file in one step. So a reader, also after a kill at any moment, finds the old checkpoint or
the new one. Reading runs no code from the folder: arrays are bytes, the rest is JSON; and it reads nothing outside of
the folder, so its files must not be links.
"""

import hashlib
import json
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from safetensors import SafetensorError

from throughtime import __version__
from throughtime._arguments import plain
from throughtime._errors import InputError
from throughtime._foreign import size_of
from throughtime._tensors import from_bytes, to_bytes

HEADER = "checkpoint.json"
FORMAT = "throughtime"
VERSION = 2
MOST_HEADER = 2**28  # bytes of checkpoint.json that are read: a million series take a tenth
FORMER_NAMES: Mapping[int, Mapping[str, str]] = {1: {"optimiser": "optimizer"}}
"""The parts of arrays' names that a version wrote differently, by version."""
ARRAYS_FILE = re.compile(r"arrays-[0-9a-f]{16}\.safetensors")
UNFINISHED = re.compile(rf"({ARRAYS_FILE.pattern}|{re.escape(HEADER)})\.[0-9]+\.tmp")


class Checkpoint(NamedTuple):
    """The content of a checkpoint.

    Attributes:
        kind: the kind of thing that was saved: "training", "forecaster".
        config: plain JSON values.
        arrays: the arrays by their place in the trees, such as ``training.model.cell.w_x``.
    """

    kind: str
    config: dict[str, Any]
    arrays: dict[str, np.ndarray]


def write_folder(path: str | Path, kind: str, config: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
    """Write ``config`` and named arrays to the folder ``path``, in one step for any reader.

    Args:
        path: a folder; it is made if it does not exist.
        kind: the kind of thing that is saved.
        config: plain JSON values.
        arrays: of any type of numbers.

    Raises:
        InputError: if ``path`` is a file, or an array holds no numbers.
    """
    folder = Path(path)
    if folder.exists() and not folder.is_dir():
        raise InputError(
            f"{folder} is a file: expected a folder for the checkpoint, or a new name", code="not-a-folder", file=folder
        )
    new = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    content, types = to_bytes(arrays)
    digest = hashlib.sha256(content).hexdigest()
    arrays_file = f"arrays-{digest[:16]}.safetensors"
    try:
        described = {"file": arrays_file, "bytes": len(content), "sha256": digest}
        header = _header_content(kind, config, described | ({"types": types} if types else {}))
        _write(folder / arrays_file, content)
        _write(folder / HEADER, header)
    finally:
        _clear(folder)
        if new:
            with suppress(OSError):  # a new folder goes if nothing could be written to it
                folder.rmdir()


def read_folder(path: str | Path) -> Checkpoint:
    """Read a checkpoint, of this format version or an earlier one.

    Raises:
        InputError: for a folder without a checkpoint, and for a truncated, altered, foreign or newer one; names the
            difference.
    """
    folder = Path(path)
    header = _read_header(folder / HEADER)
    try:
        arrays = _read_arrays(folder, header["arrays"])
    except InputError:
        if _read_header(folder / HEADER) == header:
            raise
        return read_folder(path)  # another process saved in between, and removed the arrays that the first header names
    return Checkpoint(header["kind"], header["config"], _with_present_names(arrays, header["version"]))


def _header_content(kind: str, config: Mapping[str, Any], arrays_file: Mapping[str, Any]) -> bytes:
    """Return the content of ``checkpoint.json``."""
    header = {
        "format": FORMAT,
        "version": VERSION,
        "throughtime": __version__,
        "kind": kind,
        "arrays": dict(arrays_file),
        "config": plain(config),
    }
    return json.dumps(header | {"sha256": _digest(header)}, indent=2).encode()


def _digest(header: Mapping[str, Any]) -> str:
    """Return the checksum of a header without its own checksum."""
    return hashlib.sha256(json.dumps(header, sort_keys=True).encode()).hexdigest()


def _read_arrays(folder: Path, expected: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Return the arrays that a header describes, checked against its description."""
    file = folder / expected["file"]
    try:
        size = size_of(file)
        content = file.read_bytes() if size == expected["bytes"] else b""
    except OSError as error:
        raise InputError(
            f"{file} cannot be read ({error.strerror}): {HEADER} names it, the checkpoint is not complete",
            code="unreadable",
            file=file,
        ) from error
    if size != expected["bytes"]:
        raise InputError(
            f"{file} is truncated or altered: {size} bytes, expected {expected['bytes']}",
            code="truncated",
            file=file,
            found=size,
            expected=expected["bytes"],
        )
    if (digest := hashlib.sha256(content).hexdigest()) != expected["sha256"]:
        raise InputError(
            f"{file} was altered: its SHA-256 differs from the one in {HEADER}",
            code="altered",
            file=file,
            found=digest,
            expected=expected["sha256"],
        )
    try:
        return from_bytes(content, expected.get("types", {}))
    except (SafetensorError, LookupError, TypeError, ValueError) as error:
        raise InputError(
            f"{file} is foreign: its checksum fits, but it is no safetensors file as {HEADER} describes it",
            code="foreign",
            file=file,
        ) from error


def _read_header(file: Path) -> dict[str, Any]:
    """Return the content of ``checkpoint.json``, checked."""
    header = _read_json(file)
    _require_version(header, file)
    if header.pop("sha256", None) != _digest(header):  # json.loads bounds the depth
        raise InputError(
            f"{file} was altered after it was written: its checksum does not fit its content", code="altered", file=file
        )
    if not _is_complete(header):
        raise InputError(
            f"{file} is foreign: expected a kind, a configuration, and the name, size and checksum of a file",
            code="foreign",
            file=file,
        )
    arrays_file = header["arrays"]["file"]
    if not ARRAYS_FILE.fullmatch(arrays_file):
        raise InputError(
            f"{file} is foreign: it names the arrays {arrays_file!r}, expected a file in the same folder",
            code="foreign",
            file=file,
            found=arrays_file,
        )
    return header


def _is_complete(header: Mapping[str, Any]) -> bool:
    """Return if a header has all parts, of the right types."""
    arrays, parts = header.get("arrays"), (header.get("kind"), header.get("config"))
    if not isinstance(arrays, dict) or tuple(map(type, parts)) != (str, dict):
        return False
    types = arrays.get("types", {})
    described = tuple(type(arrays.get(name)) for name in ("file", "bytes", "sha256")) == (str, int, str)
    return described and isinstance(types, dict) and all(isinstance(name, str) for name in types.values())


def _read_json(file: Path) -> Any:
    """Return the JSON value in a file."""
    try:
        if (size := size_of(file)) > MOST_HEADER:
            raise InputError(
                f"{file} has {size} bytes: expected at most {MOST_HEADER}",
                code="large-file",
                file=file,
                found=size,
                expected=MOST_HEADER,
            )
        return json.loads(file.read_bytes())
    except FileNotFoundError as error:
        raise InputError(
            f"{file.parent} holds no checkpoint: there is no {HEADER} in it", code="no-checkpoint", file=file.parent
        ) from error
    except NotADirectoryError as error:
        raise InputError(
            f"{file.parent} is a file: expected the folder of a checkpoint",
            code="not-a-folder",
            file=file.parent,
            found="a file",
            expected="a folder",
        ) from error
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror}", code="unreadable", file=file) from error
    except InputError:
        raise
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"{file} is truncated or altered: it is not JSON ({error})", code="not-json", file=file
        ) from error


def _require_version(header: Any, file: Path) -> None:
    """Refuse a header of another format or of a newer version."""
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise InputError(
            f'{file} is foreign: expected a throughtime checkpoint, with "format": "{FORMAT}"',
            code="foreign",
            file=file,
        )
    version = header.get("version")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise InputError(
            f"{file} was altered or is foreign: its version is {version!r}, expected a whole number",
            code="bad-version",
            file=file,
            found=version,
            expected="a whole number",
        )
    if version > VERSION:
        raise InputError(
            f"{file} is newer than this program: format version {version}, written by "
            f"throughtime {header.get('throughtime')}; throughtime {__version__} reads up to version {VERSION}. "
            "Upgrade throughtime.",
            code="newer-version",
            file=file,
            found=version,
            expected=f"at most {VERSION}",
        )


def _write(file: Path, content: bytes) -> None:
    """Write a file in one step: its content is on the disk before the name appears."""
    temporary = file.with_name(f"{file.name}.{os.getpid()}.tmp")
    with open(temporary, "wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    os.replace(temporary, file)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _clear(folder: Path) -> None:
    """Remove the files that the header does not name: old arrays, and the rest of a killed or failed save."""
    header = folder / HEADER
    named = header.read_bytes() if header.exists() else b""
    for file in folder.iterdir():
        ours = ARRAYS_FILE.fullmatch(file.name) or UNFINISHED.fullmatch(file.name)
        if ours and file.name.encode() not in named:
            file.unlink(missing_ok=True)


def _with_present_names(arrays: Mapping[str, np.ndarray], version: int) -> dict[str, np.ndarray]:
    """Return the arrays of a format version with the names of the present one."""
    former = FORMER_NAMES.get(version, {})
    return {".".join(former.get(part, part) for part in name.split(".")): array for name, array in arrays.items()}
