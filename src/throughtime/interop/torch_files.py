"""PyTorch's tensors, files and modules: what needs PyTorch, apart from safetensors."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jax.typing import ArrayLike
from safetensors import SafetensorError

from throughtime._errors import InputError
from throughtime._tensors import from_bytes, to_bytes
from throughtime.cells import Elman
from throughtime.interop.parts import Parts

if TYPE_CHECKING:
    import torch

NESTED = ("state_dict", "model_state_dict")
"""The names under which training scripts keep a state dict beside other things."""


def import_torch(purpose: str) -> Any:
    """Return PyTorch.

    Raises:
        InputError: if it is not installed.
    """
    try:
        import torch
    except ModuleNotFoundError as error:
        raise InputError(
            f"{purpose} needs PyTorch, which is not installed: pip install torch; a .safetensors file needs none",
            code="not-installed",
            found="torch",
        ) from error
    return torch


def as_array(value: Any) -> ArrayLike:
    """Return a tensor of any device and type as a NumPy array, and anything else as it is."""
    torch = sys.modules.get("torch")
    if torch is None or not isinstance(value, torch.Tensor):
        return value
    return value.detach().cpu().to(torch.float64).numpy()  # exact for float32, float16 and bfloat16


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


def read(path: Path) -> Mapping[str, Any]:
    """Return the state dict in a file, without running code from it.

    Raises:
        InputError: if the file cannot be read, holds more than tensors, or needs PyTorch and that is not installed.
    """
    if path.suffix == ".safetensors":
        return read_safetensors(path)
    content = read_bytes(path)
    torch = import_torch(str(path))
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # of many kinds: of pickle, of zip, RuntimeError, EOFError, KeyError
        raise InputError(
            f"{path} ({len(content)} bytes) holds no weights that load without running code from the file: expected "
            "torch.save(module.state_dict(), path)",
            code="bad-file",
            file=path,
            found=type(error).__name__,
            expected="a state dict",
        ) from error
    for name in NESTED:
        found = found.get(name, found) if isinstance(found, Mapping) else found
    if not isinstance(found, Mapping) or not all(isinstance(value, torch.Tensor) for value in found.values()):
        raise InputError(
            f"{path} holds no state dict: expected tensors by name, or those under {' or '.join(NESTED)}",
            code="bad-file",
            file=path,
            found=type(found).__name__,
            expected="a state dict",
        )
    return found


def write(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write a state dict as ``torch.save`` does."""
    torch = import_torch(str(path))
    torch.save({name: torch.tensor(array) for name, array in arrays.items()}, path)


def module(arrays: Mapping[str, np.ndarray], parts: Parts) -> "torch.nn.Module":
    """Return the module of PyTorch with these parts and arrays."""
    torch = import_torch("a module")
    cell = parts.cells[0].module
    name = "RNN" if isinstance(cell, Elman) else type(cell).__name__
    settings = {"nonlinearity": cell.activation.__name__} if isinstance(cell, Elman) else {}
    rnn = getattr(torch.nn, name)(
        cell.inputs,
        cell.hidden,
        num_layers=len({part.layer for part in parts.cells}),
        bidirectional=parts.bidirectional,
        batch_first=True,
        **settings,
    )
    made = rnn if parts.readout is None else _with_readout(torch, rnn, parts)
    made.load_state_dict({name: torch.tensor(array) for name, array in arrays.items()})
    return made


def _with_readout(torch: Any, rnn: Any, parts: Parts) -> Any:
    """Return a module of ``rnn`` and ``readout``, which reads each step, or what has seen the whole sequence."""
    outputs, inputs = parts.parts[-1].module.weight.shape

    class Network(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.rnn = rnn
            self.readout = torch.nn.Linear(inputs, outputs)

        def forward(self, xs: Any, state: Any = None) -> Any:
            outputs, state = self.rnn(xs, state)
            if parts.pool == "last":
                h = state[0] if isinstance(self.rnn, torch.nn.LSTM) else state
                outputs = torch.cat([*h[-2:]], dim=-1) if self.rnn.bidirectional else h[-1]
            return self.readout(outputs), state

    return Network()
