"""What a cell's constructor takes, by the names that users type."""

import inspect
from collections.abc import Callable
from typing import Any, cast

from throughtime.cells.base import Cell
from throughtime.cells.initializers import BIASES, MATRICES, chrono, has_keeping_gate
from throughtime.registry import resolve

INITIALISERS = (*MATRICES, *BIASES, "chrono")
KEEPING = ("forget", "chrono")  # initialisers of the gate that keeps the state


def init_arguments(name: str, length: int) -> dict[str, Any]:
    """The constructor's argument for an initialiser's name; "chrono" is for sequences of ``length`` steps.

    A name that both weights and biases know, "uniform", is that of weights.

    Raises:
        InputError: for an unknown name.
    """
    if name == "chrono":
        return {"bias_init": chrono(max(length, 2))}
    known: dict[str, Callable[..., Any]] = {**BIASES, **MATRICES, "chrono": chrono}
    resolve("initialiser", known, name)
    return {"recurrent_init" if name in MATRICES else "bias_init": name}


def takes(kind: Callable[..., Cell], init: str) -> bool:
    """Whether a cell has such an argument, and the gate that the initialiser is about."""
    has_gate = init not in KEEPING or has_keeping_gate(cast(type[Cell], kind).GATES)
    return has_gate and set(init_arguments(init, 2)) <= set(inspect.signature(kind).parameters)
