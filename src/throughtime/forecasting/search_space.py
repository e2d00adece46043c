"""The arguments of a Forecaster that tuning tries: few, and sized by the panel."""

import math
from collections.abc import Mapping

import numpy as np

from throughtime.data.calendar_columns import calendar_names
from throughtime.data.panel import Panel
from throughtime.forecasting.plan import Plan

Value = str | int | bool | None
Arguments = dict[str, Value]

CELLS = ("gru", "lstm", "mingru")
UNITS = (16, 32, 64, 128)
HEADS = ("quantiles", "student_t")
LONGER = 3  # training, as a multiple of the preset's


class Space(dict[str, tuple[Value, ...]]):
    """What each argument may be, the Forecaster's default first."""

    @property
    def defaults(self) -> Arguments:
        """The first of all: what a Forecaster does that nobody has tuned."""
        return {name: values[0] for name, values in self.items()}

    @property
    def size(self) -> int:
        """How many different arguments there are."""
        return math.prod(map(len, self.values()))

    def combination(self, number: int) -> Arguments:
        """The arguments of a number from 0, the defaults', to ``size`` - 1."""
        chosen: Arguments = {}
        for name, values in self.items():
            number, place = divmod(number, len(values))
            chosen[name] = values[place]
        return chosen


def search_space(panel: Panel, origins: np.ndarray, plan: Plan, fixed: Mapping[str, Value]) -> Space:
    """What to try on a panel of which ``origins`` (N,) steps are known.

    Args:
        panel: the series.
        origins: those of the earliest window.
        plan: what a Forecaster decides there by itself: other sizes are chosen around it.
        fixed: arguments that are given, and not searched.
    """
    design = plan.design
    space = Space(
        cell=CELLS,
        hidden=(None, *(units for units in UNITS if units != design.hidden)),
        steps=(None, plan.most_steps, LONGER * plan.most_steps),
        lookback=(None, *_lookbacks(design.length, design.seasons[0], int(origins.max()) - design.horizon)),
        head=HEADS,
        calendar=(False, True) if calendar_names(panel.frequency) else (False,),
    )
    return Space({name: values for name, values in space.items() if name not in fixed and len(values) > 1})


def _lookbacks(usual: int, season: int, longest: int) -> list[int]:
    """Half of the usual, but two seasons, without which there is none; and double, as far as there is history."""
    return [steps for steps in (max(usual // 2, 2 * season), 2 * usual) if steps != usual and steps <= longest]
