"""Keras's files: ``.keras``, a zip archive of a configuration and weights, and ``.weights.h5``, weights alone.

They are read with h5py and without Keras, so that no code of theirs can run: a configuration is JSON, and its layers
are looked up in a table.
"""

import io
import json
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from throughtime._errors import InputError, not_installed
from throughtime.interop.files import import_framework, read_bytes

ARCHIVE, WEIGHTS = ".keras", ".weights.h5"
CONFIG, METADATA, IN_ARCHIVE = "config.json", "metadata.json", "model.weights.h5"
VERSION = "3.15.1"
"""The version of Keras whose files these are."""


def import_keras(purpose: str) -> Any:
    """Return Keras.

    Raises:
        InputError: if it is not installed.
    """
    return import_framework("keras", "Keras", purpose, instead="save(path)")


def read(path: Path) -> tuple[dict[str, Any] | None, dict[str, np.ndarray]]:
    """Return the configuration of a file, None if it has none, and its arrays by their paths.

    Raises:
        InputError: if it is truncated or foreign, has another suffix, or h5py is not installed.
    """
    content = read_bytes(path)
    if not path.name.endswith((ARCHIVE, WEIGHTS)):
        raise _bad(path, f"its suffix is {path.suffix!r}")
    if path.name.endswith(WEIGHTS):
        return None, _read_weights(path, content)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(part.file_size for part in archive.infolist()) > len(content):
                raise ValueError("it is compressed, which Keras does not do")
            config, weights = json.loads(archive.read(CONFIG)), archive.read(IN_ARCHIVE)
    except (zipfile.BadZipFile, KeyError, ValueError, EOFError, NotImplementedError, RecursionError) as error:
        raise _bad(path, str(error)) from error
    if not isinstance(config, dict) or not isinstance(config.get("config"), dict):
        raise _bad(path, f"its {CONFIG} describes no model")
    return config, _read_weights(path, weights)


def write(path: Path, config: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
    """Write a ``.keras`` or a ``.weights.h5`` file.

    Raises:
        InputError: for another suffix, or if h5py is not installed.
    """
    if path.name.endswith(WEIGHTS):
        path.write_bytes(_weights(arrays))
    elif path.name.endswith(ARCHIVE):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(METADATA, json.dumps({"keras_version": VERSION}))
            archive.writestr(CONFIG, json.dumps(config))
            archive.writestr(IN_ARCHIVE, _weights(arrays))
    else:
        raise _bad(path, f"its suffix is {path.suffix!r}")


def _import_h5py() -> Any:
    try:
        import h5py
    except ModuleNotFoundError as error:
        raise not_installed("a file of Keras", error, "interop") from error
    return h5py


def _read_weights(path: Path, content: bytes) -> dict[str, np.ndarray]:
    """Return the arrays below ``layers``, under their names, which a file replaces by numbers."""
    h5py = _import_h5py()
    names: list[str] = []
    arrays = {}
    try:
        with h5py.File(io.BytesIO(content), "r") as file:
            file.visit(names.append)  # it follows no links to other files
            for name in sorted(names, key=_natural):
                if re.fullmatch(r"layers/.+/vars/\d+", name) and isinstance(file[name], h5py.Dataset):
                    arrays[name] = _array(file[name], len(content))
    except (OSError, RuntimeError, KeyError, ValueError, TypeError) as error:
        raise _bad(path, str(error)) from error
    return _with_names(arrays)


def _array(dataset: Any, limit: int) -> np.ndarray:
    if dataset.external or dataset.is_virtual or dataset.nbytes > limit or dataset.dtype.kind not in "fiuV":
        raise ValueError(f"{dataset.name} holds no numbers of this file")
    return np.asarray(dataset)


def _with_names(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return arrays under ``layers/gru/cell/kernel`` instead of ``layers/gru/cell/vars/0``."""
    found = {}
    for name, array in arrays.items():
        folder, _, number = name.rpartition("/vars/")
        places = dict(enumerate(_places(folder)))
        if not folder.endswith("/seed_generator"):
            found[f"{folder}/{places.get(int(number), number)}"] = array
    return found


def _places(folder: str) -> tuple[str, ...]:
    """Return the names of a layer's arrays in the order of a file's numbers."""
    return ("kernel", "recurrent_kernel", "bias") if folder.endswith("/cell") else ("kernel", "bias")


def _weights(arrays: Mapping[str, np.ndarray]) -> bytes:
    h5py = _import_h5py()
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        for name, array in arrays.items():
            folder, _, kind = name.rpartition("/")
            file[f"{folder}/vars/{_places(folder).index(kind)}"] = array
    return content.getvalue()


def _natural(name: str) -> list[Any]:
    """Return a key that sorts ``gru_2`` before ``gru_10``, forward before backward and a readout last."""
    readout = re.match(r"layers/(dense|time_distributed)", name) is not None
    words = re.split(r"(\d+)", name.replace("/backward_layer", "/~").replace("_", "~"))
    return [readout, *[int(word) if word.isdecimal() else word for word in words]]


def _bad(path: Path, reason: str) -> InputError:
    return InputError(
        f"{path} is truncated or no file of Keras 3 ({reason}): expected {ARCHIVE} or {WEIGHTS}",
        code="bad-file",
        file=path,
        expected=[ARCHIVE, WEIGHTS],
    )
