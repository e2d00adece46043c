"""``throughtime convert``."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from throughtime._errors import InputError
from throughtime.cli.options import ANY_RUN, Process, RunOptions
from throughtime.cli.runtime import running

if TYPE_CHECKING:
    from throughtime.interop import Format


def convert(
    source: Path,
    target: Path,
    /,
    *,
    activation: str | None = None,
    options: RunOptions = ANY_RUN,
    interrupts: Process,
) -> None:
    """Convert a network from and to PyTorch, Keras, Flax, Equinox and ONNX, and from TensorFlow 1.

    The suffix says the format: .pt, .safetensors, .keras, .weights.h5, .eqx, .flax.safetensors, .onnx; TensorFlow 1's
    checkpoints by their names. A folder is one of throughtime.

    Example: throughtime convert rnn.keras rnn.safetensors

    Args:
        source: The file or folder to read.
        target: The file or folder to write, in the folder of --out if that is given.
        activation: Of simple recurrent layers, whose weights do not say it: tanh, relu ...
    """
    with running("convert", options, interrupts) as runtime:
        from throughtime.interop import conversion_rows

        path = target if options.out is None else runtime.out.open() / target
        reading, writing = _format(source, source.is_dir()), _format(path, not path.suffix)
        if writing.write is None:
            raise InputError(
                f"{path}: files of {writing.framework} are read, not written; choose another format",
                code="cannot-write",
                file=path,
                found=writing.framework,
            )
        parts = reading.read(source, activation)
        model = parts.network()
        rows = conversion_rows(parts, writing.parts(model))
        writing.write(path, model)
        for line in _lines(rows, reading.framework, writing.framework):
            runtime.say(line)
        runtime.say(f"Written to {path}")
        runtime.result = {
            "source": str(source),
            "target": str(path),
            "from": reading.framework,
            "to": writing.framework,
            "parts": rows,
        }


def _format(path: Path, is_folder: bool) -> "Format":
    """Return the format of a file, or that of this library's folders."""
    from throughtime import load
    from throughtime.interop import Format, format_of, own_parts
    from throughtime.layers import network_config
    from throughtime.training import checkpoint

    def write(folder: Path, model: Any) -> None:
        checkpoint.save(folder, "training", {"network": network_config(model)}, {"training.model": model})

    if is_folder and not path.with_name(f"{path.name}.index").exists():
        return Format("throughtime", lambda folder, activation: own_parts(load(folder)), own_parts, write)
    return format_of(path)


def _lines(rows: list[dict[str, Any]], before: str, after: str) -> list[str]:
    """Return the table of what became what."""
    table = [("part", before, after)]
    for row in rows:
        kind = f"{row['kind']}, {row['sizes'][0]} -> {row['sizes'][1]}"
        columns = [[row["part"], f"  {kind}"], _shown(row["from"]), _shown(row["to"])]
        longest = max(len(column) for column in columns)
        table += zip(*[column + [""] * (longest - len(column)) for column in columns], strict=True)
    widths = [max(len(line[column]) for line in table) for column in range(3)]
    return ["  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip() for line in table]


def _shown(arrays: Mapping[str, list[int]]) -> list[str]:
    return [f"{name} {tuple(shape)}" for name, shape in arrays.items()]
