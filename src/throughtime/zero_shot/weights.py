"""The weights of a pretrained network in one file: float16 arrays by name, and what they were trained with."""

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save

from throughtime._errors import InputError

Weights = Mapping[str, np.ndarray]
"""The arrays of the network by their names, such as ``stack.layers.0.cell.w_x``."""
CARD = "card"
SHIPPED = Path(__file__).parent / "pretrained.safetensors"


def save_weights(file: Path, weights: Weights, card: Mapping[str, Any]) -> None:
    """Write weights as float16, with what they were trained with."""
    halves = {name: np.ascontiguousarray(array, np.float16) for name, array in sorted(weights.items())}
    file.write_bytes(save(halves, {CARD: json.dumps(card, sort_keys=True)}))


def load_weights(file: Path) -> tuple[Weights, dict[str, Any]]:
    """Return weights as float32, and what they were trained with.

    Raises:
        InputError: if the file holds something else.
    """
    try:
        with safe_open(file, "numpy") as opened:
            card = json.loads((opened.metadata() or {})[CARD])
            return {name: opened.get_tensor(name).astype(np.float32) for name in opened.keys()}, card  # noqa: SIM118
    except Exception as error:
        raise InputError(
            f"{file} is no file of pretrained weights: expected one that throughtime pretrain has written",
            code="not-weights",
            file=file,
        ) from error


@lru_cache(maxsize=1)
def shipped_weights() -> tuple[Weights, dict[str, Any]]:
    """Return the weights that came with this package, and what they were trained with."""
    return load_weights(SHIPPED)
