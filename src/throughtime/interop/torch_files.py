"""PyTorch's tensors, files and modules: what needs PyTorch, apart from safetensors."""

import io
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jax.typing import ArrayLike

from throughtime._errors import InputError
from throughtime.cells import Elman
from throughtime.interop.files import import_framework, read_bytes, read_safetensors
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
    return import_framework("torch", "PyTorch", purpose, instead="a .safetensors file")


def as_array(value: Any) -> ArrayLike:
    """Return a tensor of any device and type as a NumPy array, and anything else as it is."""
    torch = sys.modules.get("torch")
    if torch is None or not isinstance(value, torch.Tensor):
        return value
    return value.detach().cpu().to(torch.float64).numpy()  # exact for float32, float16 and bfloat16


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
        found = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
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
