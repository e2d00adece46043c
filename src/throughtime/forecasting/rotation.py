"""Training on more series than memory holds: on panels of some of them in turn."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from throughtime.data import Panel
from throughtime.forecasting.dataset import on_device, prepare
from throughtime.forecasting.plan import Plan
from throughtime.forecasting.train import training_data
from throughtime.training import ONE, Block, Blocks, first_devices

LEAST_STEPS = 20  # on one panel: to prepare the next one takes as long as some steps


class Rotation(NamedTuple):
    """Panels that take turns in a training run.

    Attributes:
        turns: the number of panels that hold every series once.
        panels: returns these in turn, without end.
        is_divided: True if each of several processes has panels of its own series; all have as many turns.
    """

    turns: int
    panels: Callable[[], Iterator[Panel]]
    is_divided: bool = False

    def steps_on_each(self, steps: int) -> int:
        """Return for how many steps of a run a panel is trained on."""
        return max(-(-steps // self.turns), LEAST_STEPS)

    def samples_in(self, steps: int) -> int:
        """Return how many of the panels come in a run."""
        return min(-(-steps // self.steps_on_each(steps)), self.turns)


def rotating_blocks(rotation: Rotation, plan: Plan, steps: int) -> Blocks:
    """Yield the data of a training run: one panel after the other, each for its share of the steps.

    Windows of the steps in one block are of its series alone, as in a shuffling buffer; over the run each series comes
    as often as any other. If they are divided, each device draws its part of every batch from its process's panel.

    Args:
        rotation: the panels.
        plan: of the networks.
        steps: of the run.
    """
    each = rotation.steps_on_each(steps)
    devices = first_devices(plan.devices) if rotation.is_divided else ONE
    for panel in rotation.panels():
        prepared = prepare(panel, panel.lengths, plan)
        series = devices.put_own(prepared.series) if rotation.is_divided else on_device(prepared).series
        yield Block(training_data(prepared._replace(series=series), plan), each)
