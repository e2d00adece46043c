"""Arrays as the bytes of a safetensors file, of every type that JAX has.

The format has no names for some types (complex128, int4, some of 8 bits). An array of such a type is written as its
bytes, with one more axis, and its type is returned beside the content.
"""

from collections.abc import Mapping

import ml_dtypes
import numpy as np
import safetensors
import safetensors.numpy

from throughtime._errors import InputError

TYPES: Mapping[str, str] = {
    "F64": "float64",
    "F32": "float32",
    "F16": "float16",
    "BF16": "bfloat16",
    "F8_E4M3": "float8_e4m3fn",
    "F8_E5M2": "float8_e5m2",
    "F8_E4M3FNUZ": "float8_e4m3fnuz",
    "F8_E5M2FNUZ": "float8_e5m2fnuz",
    "F8_E8M0": "float8_e8m0fnu",
    "C64": "complex64",
    "I64": "int64",
    "I32": "int32",
    "I16": "int16",
    "I8": "int8",
    "U64": "uint64",
    "U32": "uint32",
    "U16": "uint16",
    "U8": "uint8",
    "BOOL": "bool",
}
"""The format's names of types, and NumPy's."""


def to_bytes(arrays: Mapping[str, np.ndarray]) -> tuple[bytes, dict[str, str]]:
    """Return the content of a safetensors file, and the types that the format has no name for, by array.

    Raises:
        InputError: for an array of objects, of text, or of another type that is not of numbers.
    """
    written = {name: _little_endian(name, array) for name, array in arrays.items()}
    unnamed = {name: array.dtype.name for name, array in written.items() if array.dtype.name not in TYPES.values()}
    return safetensors.numpy.save(
        {name: _as_bytes(array) if name in unnamed else array for name, array in written.items()}
    ), unnamed


def from_bytes(content: bytes, unnamed: Mapping[str, str]) -> dict[str, np.ndarray]:
    """Return the arrays of a safetensors file; ``unnamed`` are the types that :func:`to_bytes` returned."""
    arrays = {}
    for name, tensor in safetensors.deserialize(content):
        array = np.frombuffer(tensor["data"], _dtype(TYPES[tensor["dtype"]])).reshape(tensor["shape"])
        arrays[name] = _from_bytes(array, unnamed[name]) if name in unnamed else array
    return arrays


def _little_endian(name: str, array: np.ndarray) -> np.ndarray:
    """Return an array in C order and in the byte order of the format, whatever its strides."""
    if array.dtype.kind not in "biufcV" or array.dtype.fields:
        raise InputError(
            f"{name} is an array of {array.dtype}: expected numbers, such as float32", code="not-numbers", found=name
        )
    return np.asarray(array, array.dtype.newbyteorder("<"), order="C")


def _as_bytes(array: np.ndarray) -> np.ndarray:
    return np.frombuffer(array.tobytes(), np.uint8).reshape(*array.shape, array.dtype.itemsize)


def _from_bytes(array: np.ndarray, dtype: str) -> np.ndarray:
    return np.frombuffer(array.tobytes(), _dtype(dtype)).reshape(array.shape[:-1])


def _dtype(name: str) -> np.dtype:
    """Return NumPy's type of a name, or that of the package ml_dtypes, such as bfloat16."""
    return np.dtype(getattr(ml_dtypes, name, name))
