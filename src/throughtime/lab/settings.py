"""The settings of the laboratory, read from the texts in a page's address, with their limits."""

from collections.abc import Mapping
from typing import Any, NamedTuple, TypeVar

from throughtime._errors import InputError
from throughtime.cells import ACTIVATIONS, CELLS, INITIALIZERS
from throughtime.lab.curves import CURVES, FILE

OWN = "own"  # the initializer that a cell has by default


class Course(NamedTuple):
    """The settings of the task, the same for all networks that learn side by side.

    Attributes:
        curve: the name of the curve; "file" for a series of the user's own.
        series: the name of the series in a file; empty for the first one.
        noise: the standard deviation of the noise in a curve of a formula, which each batch gets anew.
        window: T, the time steps that a network reads.
        batch: B, the windows of a training step.
        steps: training steps in all.
        seed: the seed of the weights and the batches.
    """

    curve: str = "sine"
    series: str = ""
    noise: float = 0.0
    window: int = 30
    batch: int = 8
    steps: int = 2000
    seed: int = 0


class Learner(NamedTuple):
    """The settings of a network and of its training.

    Attributes:
        cell: the name of the cell.
        activation: the activation of an Elman cell.
        init: the initializer of the recurrent weights or the biases; "own" for the cell's default.
        hidden: H, the hidden size.
        rate: Adam's learning rate.
        clip: the largest norm of a gradient; 0 for no clipping.
        examples: the windows that there are to learn from, each with its noise; 0 for no end of them.
    """

    cell: str = "elman"
    activation: str = "tanh"
    init: str = OWN
    hidden: int = 32
    rate: float = 0.003
    clip: float = 0.0
    examples: int = 0


LIMITS: dict[str, tuple[float, float]] = {
    "noise": (0, 5),
    "window": (2, 500),
    "batch": (1, 256),
    "steps": (1, 1_000_000),
    "seed": (0, 2**32 - 1),
    "hidden": (1, 512),
    "rate": (1e-6, 10),
    "clip": (0, 1000),
    "examples": (0, 10_000),
}
CHOICES: dict[str, tuple[str, ...]] = {
    "curve": (*CURVES, FILE),
    "cell": tuple(CELLS),
    "activation": tuple(ACTIVATIONS),
    "init": (OWN, *INITIALIZERS),
}
LABELS = {"rate": "learning rate", "clip": "largest gradient norm", "hidden": "hidden size", "init": "initializer"}
Kind = TypeVar("Kind", Course, Learner)


def parse(kind: type[Kind], texts: Mapping[str, Any]) -> Kind:
    """Return the settings in a form or an address; missing ones have their default.

    Raises:
        InputError: for a text that is not a number, a number beyond its limits, an unknown name.
    """
    defaults = kind()._asdict()
    return kind(**{name: _value(name, texts[name], defaults[name]) for name in defaults if name in texts})


def _value(name: str, text: Any, default: Any) -> Any:
    """Return the value of one setting."""
    if name in CHOICES:
        return _choice(name, text)
    return str(text) if isinstance(default, str) else _number(name, text, type(default))


def _choice(name: str, text: Any) -> str:
    """Return one of the choices."""
    if text not in CHOICES[name]:
        raise InputError(
            f"the {LABELS.get(name, name)} is {text!r}: expected one of {', '.join(CHOICES[name])}",
            code="unknown-choice",
            column=name,
            found=text,
            expected=CHOICES[name],
        )
    return str(text)


def _number(name: str, text: Any, kind: type[int] | type[float]) -> int | float:
    """Return a number within its limits."""
    low, high = LIMITS[name]
    expected = f"{'a number' if kind is float else 'a whole number'} from {low:g} to {high:,.10g}"
    try:
        number = kind(str(text))
    except ValueError:
        number = None
    if number is None or not low <= number <= high:
        raise InputError(
            f"the {LABELS.get(name, name)} is {repr(text) if number is None else text}: expected {expected}",
            code="not-a-number" if number is None else "beyond-limits",
            column=name,
            found=text,
            expected=expected,
        )
    return number
