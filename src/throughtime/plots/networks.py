"""Displays of layers and networks in a notebook and a terminal: a table of their parts.

A network may hold other things than weights: None, shapes, tracers. Sizes that cannot be known are then left out.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import fields
from typing import Any

import equinox as eqx

from throughtime.cells import Cell
from throughtime.layers import Decoder, Layer, Network, Stack, count_parameters
from throughtime.plots.notebook import Block, Table


def network_block(model: Layer | Network) -> Block:
    """Return the display of a layer or a network: a row for each part, by the name under which it is reached."""
    rows = [[name, _kind(part), _size(part), f"{count_parameters(part):,}"] for name, part in _parts(model)]
    count = count_parameters(model)
    rows.append(["total", "", "", f"{count:,}"])
    return Block(
        title=_title(model),
        sentences=[f"{count:,} parameters." if count else "No parameters, or none with known shapes."],
        tables=[Table(["part", "kind", "outputs", "parameters"], rows)],
    )


def _parts(module: Any) -> Iterator[tuple[str, Any]]:
    """Yield the modules in the fields of a module; a stack and a decoder are taken apart."""
    for field in fields(module):
        held = getattr(module, field.name, None)
        items = enumerate(held) if isinstance(held, tuple) else [(None, held)]
        for number, part in items:
            name = field.name if number is None else f"{field.name}[{number}]"
            if isinstance(part, Stack | Decoder):
                yield from ((f"{name}.{inner}", module) for inner, module in _parts(part))
            elif isinstance(part, eqx.Module):
                yield name, part


def _kind(module: Any) -> str:
    """Return the name of its class, and those of the cells and layers inside: "Bidirectional(GRU, LSTM)"."""
    held = [getattr(module, field.name, None) for field in fields(module)]
    parts = [part for value in held for part in (value if isinstance(value, tuple) else (value,))]
    inside = [_kind(part) for part in parts if isinstance(part, Cell | Layer)]
    return type(module).__name__ + (f"({', '.join(inside)})" if inside else "")


def _size(module: Any) -> str:
    """Return the number of outputs at one step; nothing if it is not known, as for shapes without weights."""
    with suppress(AttributeError, TypeError, IndexError):
        if isinstance(module, Cell | Layer):
            return f"{module.hidden:,}"
        if isinstance(module, eqx.nn.Linear):
            return f"{module.weight.shape[0]:,}"
    return ""


def _title(model: Layer | Network) -> str:
    """Return its class and sizes."""
    kind = type(model).__name__
    with suppress(AttributeError, TypeError, IndexError):
        unit = "token" if model.reads_tokens else "input"
        outputs = model.hidden if isinstance(model, Layer) else model.outputs
        return f"{kind}, {_counted(model.inputs, unit)}, {_counted(outputs, 'output')}"
    return kind


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
