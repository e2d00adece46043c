"""Checkpoints that can be trusted: arrays and configuration in a folder that is always whole.

A folder holds ``checkpoint.json`` and one safetensors file that it names. A save writes the new arrays beside the old
ones and then replaces the JSON file in one step, so that a reader, or whoever comes after a kill at any moment, finds
the old checkpoint or the new one. Loading runs no code from the folder: arrays are bytes, the rest is JSON.
"""

import hashlib
import json
import os
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import safetensors.numpy

from throughtime import __version__
from throughtime._errors import InputError
from throughtime._types import Array

HEADER = "checkpoint.json"
FORMAT = "throughtime"
VERSION = 1
ARRAYS_FILE = re.compile(r"arrays-[0-9a-f]{16}\.safetensors")
UNFINISHED = re.compile(rf"({ARRAYS_FILE.pattern}|{re.escape(HEADER)})\.[0-9]+\.tmp")


class Checkpoint(NamedTuple):
    """What a folder holds.

    Attributes:
        kind: what was saved: "training", "forecaster".
        config: plain JSON values.
        arrays: name -> array, named by their place in the trees: ``training.model.cell.w_x``.
    """

    kind: str
    config: dict[str, Any]
    arrays: dict[str, np.ndarray]


def save(path: str | Path, kind: str, config: Mapping[str, Any], trees: Mapping[str, Any]) -> None:
    """Write the arrays of named ``trees`` and ``config`` to the folder ``path``, in one step for any reader.

    Raises:
        InputError: where ``path`` is a file.
    """
    folder = Path(path)
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file: expected a folder for the checkpoint, or a name that is not taken")
    new = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    leaves = {name: leaf for key, tree in trees.items() for name, leaf in named_leaves(tree, key).items()}
    arrays = {
        name: np.asarray(leaf, order="C") for name, leaf in leaves.items()
    }  # safetensors writes memory as it lies
    content = safetensors.numpy.save(arrays)
    digest = hashlib.sha256(content).hexdigest()
    arrays_file = f"arrays-{digest[:16]}.safetensors"
    header = {
        "format": FORMAT,
        "version": VERSION,
        "throughtime": __version__,
        "kind": kind,
        "arrays": {"file": arrays_file, "bytes": len(content), "sha256": digest},
        "config": dict(config),
    }
    text = json.dumps(header | {"sha256": _header_digest(header)}, indent=2)
    try:
        _write(folder / arrays_file, content)
        _write(folder / HEADER, text.encode())
    finally:
        _clear(folder)
        if new:
            with suppress(OSError):  # it goes where nothing could be written to it
                folder.rmdir()


def load(path: str | Path) -> Checkpoint:
    """Read a checkpoint whole.

    Raises:
        InputError: for a folder without one, and for a truncated, altered, foreign or newer one; names what differs.
    """
    folder = Path(path)
    header = _read_header(folder / HEADER)
    try:
        return Checkpoint(header["kind"], header["config"], _read_arrays(folder, header["arrays"]))
    except InputError:
        if _read_header(folder / HEADER) == header:
            raise
    return load(path)  # a save came between, and took away the arrays that the first header names


def _read_arrays(folder: Path, expected: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """The checked arrays that a header describes."""
    file = folder / expected["file"]
    try:
        content = file.read_bytes()
    except OSError as error:
        raise InputError(
            f"{file} cannot be read ({error.strerror}): {HEADER} names it, the checkpoint is not whole"
        ) from error
    if len(content) != expected["bytes"]:
        raise InputError(f"{file} is truncated or altered: {len(content)} bytes, expected {expected['bytes']}")
    if hashlib.sha256(content).hexdigest() != expected["sha256"]:
        raise InputError(f"{file} was altered: its content is not what {HEADER} was written with (SHA-256 differs)")
    return safetensors.numpy.load(content)


def restore(arrays: Mapping[str, np.ndarray], build: Callable[[], Any], prefix: str) -> Any:
    """The tree that ``build`` would make, with ``arrays`` in the place of its own.

    Args:
        arrays: as :func:`load` gives them.
        build: makes a tree of the right structure; it is traced only, nothing is computed.
        prefix: the tree's place among the saved ones: "training", or "training.model" for the model alone.

    Raises:
        InputError: where names, shapes or types differ; names each.
    """
    template = eqx.filter_eval_shape(build)
    wanted = eqx.filter_eval_shape(lambda: named_leaves(build(), prefix))
    problems = [f"{name} is missing" for name in wanted if name not in arrays]
    problems += [f"{name} is not expected" for name in arrays if name.startswith(f"{prefix}.") and name not in wanted]
    for name in wanted.keys() & arrays.keys():
        came, due = arrays[name], wanted[name]
        if came.shape != due.shape or came.dtype != due.dtype:
            problems.append(f"{name} is {came.dtype}{list(came.shape)}, expected {due.dtype}{list(due.shape)}")
    if problems:
        raise InputError("the arrays do not fit the configuration: " + "; ".join(sorted(problems)))

    def saved(place: Any, leaf: Any) -> Array:
        array = jnp.asarray(arrays[_name(place, prefix)])
        return jax.random.wrap_key_data(array) if _is_key(leaf) else array

    return jax.tree_util.tree_map_with_path(saved, template)


def named_leaves(tree: Any, prefix: str) -> dict[str, Any]:
    """Each array by its place in the tree; a random key as the numbers that it is made of."""
    leaves = jax.tree_util.tree_leaves_with_path(tree)
    return {_name(place, prefix): jax.random.key_data(leaf) if _is_key(leaf) else leaf for place, leaf in leaves}


def _name(place: Any, prefix: str) -> str:
    return f"{prefix}.{jax.tree_util.keystr(place, simple=True, separator='.')}"


def _is_key(leaf: Any) -> bool:
    return jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)


def _read_header(file: Path) -> dict[str, Any]:
    """The checked content of ``checkpoint.json``."""
    try:
        header = json.loads(file.read_bytes())
    except FileNotFoundError as error:
        raise InputError(f"{file.parent} holds no checkpoint: there is no {HEADER} in it") from error
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise InputError(f"{file} is truncated or altered: it is not JSON ({error})") from error
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise InputError(f'{file} is foreign: expected a throughtime checkpoint, with "format": "{FORMAT}"')
    version = header.get("version")
    if not isinstance(version, int):
        raise InputError(f"{file} was altered or is foreign: its version is {version!r}, expected a whole number")
    if version > VERSION:
        raise InputError(
            f"{file} is newer than this program: format version {version}, written by "
            f"throughtime {header.get('throughtime')}; throughtime {__version__} reads up to version {VERSION}. "
            "Upgrade throughtime."
        )
    written = header.pop("sha256", None)
    if written != _header_digest(header):
        raise InputError(f"{file} was altered after it was written: its checksum does not fit its content")
    arrays_file = str(header["arrays"]["file"])
    if not ARRAYS_FILE.fullmatch(arrays_file):
        raise InputError(f"{file} is foreign: it names the arrays {arrays_file!r}, expected a file of its own folder")
    return header


def _header_digest(header: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(header, sort_keys=True).encode()).hexdigest()


def _write(file: Path, content: bytes) -> None:
    """Put ``content`` under the name ``file`` in one step, on the disk before the name appears."""
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
    """Remove what the header does not name: the arrays of the save before, and what a killed or failed one left."""
    header = folder / HEADER
    named = header.read_bytes() if header.exists() else b""
    for file in folder.iterdir():
        ours = ARRAYS_FILE.fullmatch(file.name) or UNFINISHED.fullmatch(file.name)
        if ours and file.name.encode() not in named:
            file.unlink(missing_ok=True)
