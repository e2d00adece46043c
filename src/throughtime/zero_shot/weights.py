"""The weights of a pretrained network in one file: float16 arrays by name, and what they were trained with."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save_file

from throughtime._errors import InputError

Weights = Mapping[str, np.ndarray]
"""The arrays of the network by their names, such as ``stack.layers.0.cell.w_x``."""
CARD = "card"


def save_weights(file: Path, weights: Weights, card: Mapping[str, Any]) -> None:
    """Write weights as float16, with what they were trained with."""
    halves = {name: np.ascontiguousarray(array, np.float16) for name, array in sorted(weights.items())}
    save_file(halves, file, {CARD: json.dumps(card, sort_keys=True)})


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
