"""The settings of a forecaster that were asked for, checked as far as no data is needed."""

import math
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, NamedTuple

from throughtime._arguments import truth_value, whole_number
from throughtime._errors import InputError
from throughtime._numbers import Truth, Whole
from throughtime._registry import class_or_name, known_name, shown_name
from throughtime.cells import CELLS
from throughtime.forecasting.head_catalog import HEADS

if TYPE_CHECKING:  # they load JAX
    from throughtime.cells import Cell
    from throughtime.forecasting.heads import Head

LEAST_LOOKBACK = 2  # values; without a season the base with drift compares two
HORIZON_FLOOR, HORIZON_FACTOR = 100, 3  # steps that are always allowed; multiples of the longest series


def require_size(name: str, value: Any) -> int:
    """Return a whole number of at least 1 as Python's; refuse anything else.

    Raises:
        InputError: with the value.
    """
    return whole_number(f"the {name}", value, code=f"bad-{name}")


def require_horizon(horizon: int, longest: int) -> None:
    """Refuse a horizon that the history cannot support.

    Args:
        horizon: F.
        longest: steps of the longest series.

    Raises:
        InputError: below 1, or beyond three times the longest series (100 steps are always allowed).
    """
    horizon = require_size("horizon", horizon)
    most = max(HORIZON_FLOOR, HORIZON_FACTOR * longest)
    if horizon > most:
        times = f"{HORIZON_FACTOR} times as far as there is history"
        reason = times if most > HORIZON_FLOOR else f"the limit where {times} is less"
        raise InputError(
            f"the horizon is {horizon} steps, but the longest series has {longest}: expected at most {most}, {reason}",
            code="long-horizon",
            found=horizon,
            expected=most,
        )


class Effort(NamedTuple):
    """The amount of work of a preset.

    Attributes:
        members: networks that are trained and averaged.
        length: of their training, as a multiple of the usual steps for the size of the panel.
        variants: whether several variants compete on held-out ends of the series.
        trains_from: observations from which networks are trained; with fewer the pretrained one forecasts, unless the
            arguments ask for a training.
        holds_out: whether held-out ends of the series choose, and calibrate the intervals.
        tuning: steps of the fine-tuning of the pretrained network, if networks are trained; 0 for none.
        beside: networks that are trained if the forecast is their mean with the pretrained one: two instead of four
            then cost 0 to 0.9 % of MASE on four panels, and without it 2 % on M4 Hourly; ``members`` if None.
    """

    members: int
    length: float
    variants: bool
    trains_from: float = 0
    holds_out: bool = True
    tuning: int = 0
    beside: int | None = None


TELLING = 1_000  # observations; below it, training did not improve on the pretrained network (benchmarks/zero_shot)
PRESETS = {
    "instant": Effort(0, 0.0, False, trains_from=math.inf, holds_out=False),
    "fast": Effort(1, 0.34, False, trains_from=math.inf),
    "balanced": Effort(4, 1.0, True, trains_from=TELLING, beside=2),
    "best": Effort(10, 1.5, True, tuning=200),
}
INSTANT, QUANTILE_HEAD = "instant", "quantiles"
OF_TRAINING = ("cell", "hidden", "steps", "members", "lookback", "head", "calendar")
"""The arguments that only a trained network has."""


def effort(preset: str) -> Effort:
    """Return the effort of a preset.

    Raises:
        InputError: for an unknown name; the message lists the known ones.
    """
    return PRESETS[_preset_name(preset)]


def _preset_name(preset: Any) -> str:
    try:
        return known_name("preset", PRESETS, preset)
    except InputError:
        raise InputError(
            f"unknown preset {preset!r}: expected one of {', '.join(PRESETS)}",
            code="unknown-preset",
            found=preset,
            expected=tuple(PRESETS),
        ) from None


@dataclass(frozen=True, kw_only=True)
class ForecasterConfig:
    """The arguments of a :class:`throughtime.Forecaster`, which describes them, validated as far as no data is needed.

    NumPy's numbers become Python's, and names those of the tables; a class of a table becomes its name.

    Raises:
        InputError: for a size below 1, a lookback below 2, a seed that is no whole number, and for a cell, a head or a
            preset that is not known.
    """

    horizon: Whole
    season: Whole | None = None
    cell: "str | Callable[..., Cell]" = "gru"
    hidden: Whole | None = None
    steps: Whole | None = None
    members: Whole | None = None
    lookback: Whole | None = None
    head: "str | type[Head]" = QUANTILE_HEAD
    preset: str = "balanced"
    seed: Whole = 0
    calendar: Truth = False
    devices: Whole = 1

    def __post_init__(self) -> None:
        checked: dict[str, Any] = {name: require_size(name, getattr(self, name)) for name in ("horizon", "devices")}
        for name in ("season", "hidden", "steps", "members", "lookback"):
            if getattr(self, name) is not None:
                checked[name] = require_size(name, getattr(self, name))
        checked["cell"] = class_or_name("cell", CELLS, self.cell)
        checked["head"] = class_or_name("head", HEADS, self.head)
        checked["preset"] = _preset_name(self.preset)
        checked["seed"] = whole_number("the seed", self.seed, least=None, code="bad-seed")
        checked["calendar"] = truth_value("calendar", self.calendar, code="bad-calendar")
        for name, value in checked.items():
            object.__setattr__(self, name, value)  # the fields are frozen from now on
        if self.preset == INSTANT and self.of_training:
            name = self.of_training[0]
            raise InputError(
                f"the preset {INSTANT!r} takes the pretrained network as it is, and was given {name}="
                f"{shown_name(getattr(self, name))}: expected no argument of a training; leave it out, or take another "
                "preset, such as 'balanced'",
                code="argument-of-training",
                found=name,
            )
        if self.lookback is not None and self.lookback < LEAST_LOOKBACK:
            raise InputError(
                f"the lookback is {self.lookback}: expected at least {LEAST_LOOKBACK} values, to see a movement",
                code="bad-lookback",
                found=self.lookback,
                expected=LEAST_LOOKBACK,
            )

    @property
    def of_training(self) -> tuple[str, ...]:
        """The arguments of a training that differ from the defaults."""
        defaults = {field.name: field.default for field in fields(self)}
        return tuple(name for name in OF_TRAINING if getattr(self, name) != defaults[name])

    def trains(self, observations: int) -> bool:
        """Return True if networks are trained on this number of values, or an argument of a training is given."""
        return observations >= effort(self.preset).trains_from or bool(self.of_training)
