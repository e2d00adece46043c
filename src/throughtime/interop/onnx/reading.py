"""ONNX files from anywhere: read as data, checked, and refused with the reason if they are not what they should be."""

from collections.abc import Iterator
from pathlib import Path

import onnx
from google.protobuf.message import DecodeError

from throughtime._errors import InputError, describe_os_error


def read(path: str | Path) -> onnx.ModelProto:
    """Return the model of a file, with arrays that lie in files beside it.

    Raises:
        InputError: for a file that cannot be read, is truncated or foreign, breaks ONNX's rules, or has arrays outside
            of its folder.
    """
    file, model = Path(path), onnx.ModelProto()
    try:
        model.ParseFromString(file.read_bytes())
        for tensor in _tensors(model.graph):
            _require_inside(tensor, file)
        onnx.load_external_data_for_model(model, str(file.parent))
        onnx.checker.check_model(model, full_check=True)
    except OSError as error:
        raise InputError(describe_os_error(error), code="cannot-read", file=file, found=error.strerror) from error
    except (DecodeError, onnx.checker.ValidationError, onnx.shape_inference.InferenceError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        reason = str(error).strip().split("\n")[0]
        raise InputError(
            f"{file} is no usable ONNX file ({reason}): expected a whole one that onnx.checker accepts",
            code="not-onnx",
            file=file,
            found=reason,
        ) from error
    return model


def _require_inside(tensor: onnx.TensorProto, file: Path) -> None:
    """Refuse an array in a file outside of the folder.

    Raises:
        InputError: with its place.
    """
    if tensor.data_location != onnx.TensorProto.EXTERNAL:
        return
    location = {entry.key: entry.value for entry in tensor.external_data}.get("location", "")
    folder = file.parent.resolve()
    if not location or not (folder / location).resolve().is_relative_to(folder):
        raise InputError(
            f"{tensor.name} lies in {location or 'no file'}: expected a file in the folder of {file}",
            code="outside-folder",
            file=file,
            found=location,
            expected=str(folder),
        )


def _tensors(graph: onnx.GraphProto) -> Iterator[onnx.TensorProto]:
    """Yield all arrays of a graph, those in attributes and in the bodies of loops too."""
    yield from graph.initializer
    for node in graph.node:
        for attribute in node.attribute:
            yield from (attribute.t, *attribute.tensors)
            for inner in (attribute.g, *attribute.graphs):
                yield from _tensors(inner)
