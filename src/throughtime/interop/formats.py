"""The table of files of other frameworks by suffix, for ``throughtime convert``: a line for each."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from throughtime._errors import InputError
from throughtime.interop import equinox, files, flax, keras, tensorflow1, torch, torch_files
from throughtime.interop.onnx_files import from_onnx, to_onnx
from throughtime.interop.parts import READOUT, Model, Parts, own_parts


class Format(NamedTuple):
    """A kind of file of a framework.

    Attributes:
        framework: the name of the framework.
        read: returns the parts of a file's network; the second argument is the activation of simple recurrent layers,
            if the user names one.
        parts: returns the parts of a network under the framework's names.
        write: writes a network to a file; None if that is not possible.
    """

    framework: str
    read: Callable[[Path, str | None], Parts]
    parts: Callable[[Model], Parts]
    write: Callable[[Path, Model], None] | None


def _write_torch(path: Path, model: Model) -> None:
    torch_files.write(path, torch.to_torch(model))


def _write_safetensors(path: Path, model: Model) -> None:
    files.write_safetensors(path, torch.to_torch(model))


def _write_flax(path: Path, model: Model) -> None:
    files.write_safetensors(path, flax.parts_for_flax(model).arrays())


def _write_keras(path: Path, model: Model) -> None:
    keras.to_keras(model).save(path)


TENSORFLOW1 = Format("TensorFlow 1", tensorflow1.read_tensorflow1, tensorflow1.parts_for_tensorflow1, None)
FORMATS: Mapping[str, Format] = {
    ".pt": Format("PyTorch", torch.read_torch, torch.parts_for_torch, _write_torch),
    ".pth": Format("PyTorch", torch.read_torch, torch.parts_for_torch, _write_torch),
    ".safetensors": Format("PyTorch", torch.read_torch, torch.parts_for_torch, _write_safetensors),
    ".flax.safetensors": Format("Flax", flax.read_flax, flax.parts_for_flax, _write_flax),
    ".keras": Format("Keras", keras.read_keras, keras.parts_for_keras, _write_keras),
    ".weights.h5": Format("Keras", keras.read_keras, keras.parts_for_keras, _write_keras),
    ".index": TENSORFLOW1,
    ".onnx": Format(
        "ONNX",
        lambda path, activation: own_parts(from_onnx(path)),
        own_parts,
        lambda path, model: to_onnx(model, path),
    ),
    ".eqx": Format(
        "Equinox", lambda path, activation: equinox.read_equinox(path), equinox.parts_for_equinox, equinox.write
    ),
}
"""The formats by the ends of files' names; of two that fit, the longer one counts."""


def format_of(path: Path) -> Format:
    """Return the format of a file by its name; a checkpoint of TensorFlow 1 may be named without its suffix.

    Raises:
        InputError: for an unknown suffix.
    """
    for suffix in sorted(FORMATS, key=len, reverse=True):
        if path.name.endswith(suffix):
            return FORMATS[suffix]
    if path.with_name(f"{path.name}.index").exists():
        return TENSORFLOW1
    raise InputError(
        f"{path} has no suffix of a known format: expected {', '.join(FORMATS)}, the name of a checkpoint of "
        "TensorFlow 1, or a folder of throughtime",
        code="unknown-format",
        file=path,
        found=path.suffix,
        expected=list(FORMATS),
    )


def conversion_rows(source: Parts, target: Parts) -> list[dict[str, Any]]:
    """Return what became what: for each part its place, its cell, and the arrays with their shapes on both sides."""
    rows = []
    for before, after in zip(source.parts, target.parts, strict=True):
        module = after.module
        sizes = module.weight.shape[::-1] if after.role == READOUT else (module.inputs, module.hidden)
        sides = {"from": before.arrays, "to": after.arrays}
        rows.append(
            {"part": before.place, "kind": type(module).__name__, "sizes": list(sizes)}
            | {side: {name: list(np.shape(array)) for name, array in arrays.items()} for side, arrays in sides.items()}
        )
    return rows
