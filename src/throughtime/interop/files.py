"""Files of other frameworks, and their libraries: read or imported only where a conversion cannot do without."""

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError

from throughtime._errors import InputError
from throughtime._tensors import from_bytes, to_bytes


def import_framework(name: str, title: str, purpose: str, *, instead: str) -> Any:
    """Return the library of a framework.

    Args:
        name: of the library.
        title: of the framework.
        purpose: what needs it, for the message.
        instead: what needs none.

    Raises:
        InputError: if it is not installed.
    """
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        raise InputError(
            f"{purpose} needs {title}, which is not installed: pip install {name}; {instead} needs none",
            code="not-installed",
            found=name,
        ) from error


def read_bytes(path: Path) -> bytes:
    """Return the content of a file.

    Raises:
        InputError: if it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}", code="unreadable", file=path) from error


def read_safetensors(path: Path) -> dict[str, np.ndarray]:
    """Return the arrays of a safetensors file, by name.

    Raises:
        InputError: if it is truncated or no such file.
    """
    try:
        return from_bytes(read_bytes(path), {})
    except (SafetensorError, KeyError) as error:
        raise InputError(
            f"{path} is truncated or no safetensors file: {error}", code="bad-file", file=path, expected="safetensors"
        ) from error


def write_safetensors(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays to a safetensors file."""
    path.write_bytes(to_bytes(arrays)[0])
