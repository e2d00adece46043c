"""What can be set in the laboratory, as texts from a page's address become values, each with its limits."""

from collections.abc import Mapping
from typing import Any, NamedTuple, TypeVar

from throughtime._errors import InputError
from throughtime.cells import ACTIVATIONS, CELLS, INITIALIZERS
from throughtime.lab.curves import CURVES, FILE

OWN = "own"  # an initializer: the cell's own


class Course(NamedTuple):
    """What is learned: the same for all networks that learn side by side.

    Attributes:
        curve: its name; "file" for a series of the user's own.
        series: of a file with several, the one to take; empty for the first.
        window: T, time steps that a network reads.
        batch: B, windows in a training step.
        steps: training steps in all.
        seed: makes the weights and the batches.
    """

    curve: str = "sine"
    series: str = ""
    window: int = 30
    batch: int = 8
    steps: int = 2000
    seed: int = 0


class Learner(NamedTuple):
    """Who learns it, and how.

    Attributes:
        cell: its name.
        activation: of an Elman cell.
        init: how the recurrent weights start, or the biases; "own" for what is the cell's own.
        hidden: H, units.
        rate: Adam's learning rate.
        clip: the largest norm of a gradient; 0 for none.
    """

    cell: str = "elman"
    activation: str = "tanh"
    init: str = OWN
    hidden: int = 32
    rate: float = 0.003
    clip: float = 0.0


LIMITS: dict[str, tuple[float, float]] = {
    "window": (2, 500),
    "batch": (1, 256),
    "steps": (1, 1_000_000),
    "seed": (0, 2**32 - 1),
    "hidden": (1, 512),
    "rate": (1e-6, 10),
    "clip": (0, 1000),
}
CHOICES: dict[str, tuple[str, ...]] = {
    "curve": (*CURVES, FILE),
    "cell": tuple(CELLS),
    "activation": tuple(ACTIVATIONS),
    "init": (OWN, *INITIALIZERS),
}
WORDS = {"rate": "learning rate", "clip": "largest gradient norm", "hidden": "number of units", "init": "initializer"}
Kind = TypeVar("Kind", Course, Learner)


def parse(kind: type[Kind], texts: Mapping[str, Any]) -> Kind:
    """A course or a learner from what a form or an address says; what is not said is as by default.

    Raises:
        InputError: for a text that is no number where there must be one, a number beyond its limits, an unknown name.
    """
    defaults = kind()._asdict()
    said = {name: _value(name, texts[name], defaults[name]) for name in defaults if name in texts}
    return kind(**said)


def _value(name: str, came: Any, default: Any) -> Any:
    what = f"the {WORDS.get(name, name)}"
    if isinstance(default, str):
        if name in CHOICES and came not in CHOICES[name]:
            raise InputError(f"{what} is {came!r}: expected one of {', '.join(CHOICES[name])}")
        return str(came)
    low, high = LIMITS[name]
    expected = f"expected {'a number' if isinstance(default, float) else 'a whole number'} from {low:g} to {high:,.10g}"
    try:
        number = type(default)(str(came))
    except ValueError:
        raise InputError(f"{what} is {came!r}: {expected}") from None
    if not low <= number <= high:
        raise InputError(f"{what} is {came}: {expected}")
    return number
