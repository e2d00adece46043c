"""Training on more series than memory holds: on panels of some of them in turn."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from throughtime.data import Panel
from throughtime.forecasting.dataset import on_device, prepare
from throughtime.forecasting.plan import Plan
from throughtime.forecasting.train import training_data
from throughtime.training import Block, Blocks

LEAST_STEPS = 20  # on one panel: to prepare the next one takes as long as some steps


class Rotation(NamedTuple):
    """Panels that take turns in a training run.

    Attributes:
        turns: the number of panels that hold every series once.
        panels: returns these in turn, without end.
    """

    turns: int
    panels: Callable[[], Iterator[Panel]]


def rotating_blocks(rotation: Rotation, plan: Plan, steps: int) -> Blocks:
    """Yield the data of a training run: one panel after the other, each for its share of the steps.

    Windows of the steps in one block are of its series alone, as in a shuffling buffer; over the run each series comes
    as often as any other.

    Args:
        rotation: the panels.
        plan: of the networks.
        steps: of the run.
    """
    each = max(-(-steps // rotation.turns), LEAST_STEPS)
    for panel in rotation.panels():
        prepared = on_device(prepare(panel, panel.lengths, plan))
        yield Block(training_data(prepared, plan), each)
