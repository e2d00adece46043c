"""The time left of a whole forecast: the backtest's training, the final training, and the report."""

import os
import re
import time
from collections.abc import Callable
from typing import NamedTuple

from throughtime.forecasting import FIRST_LAP, HELD_OUT, LEFT

BACKTEST, TRAINING = "backtest: ", "training"  # the first words of the names of stages
NUMBERED = re.compile(r"(.*) \d+/(\d+)")  # one of several stages that are alike, such as "training 2/4"
PHASES = range(4)  # held-out runs (and fine-tuning) and training of the backtest, the same of the final fit
HELD_OUT_PHASES = (0, 2)
LENGTH = 0.6  # of its steps does a held-out run do, as long as none is over: it ends early if its loss rises
TRAINED = 0.5  # of the held-out runs' steps: training ends at their least loss
REPORT = 0.25  # of the time up to the first steps: it compiles a program too, as cheap or as dear as the others
RELIABLE = 6  # counts after the first: networks that train side by side have then been counted alike


class _Stage(NamedTuple):
    """A stage of training.

    Attributes:
        phase: one of ``PHASES``.
        group: the name that it shares with those that are alike.
        alike: how many are alike.
        total: all of its steps.
        begun: when it was counted first, and its steps then: before, it may have been compiled.
        reached: when it was counted last, and its steps then.
        paused: seconds and steps from the last count before a pause to the first one after it.
    """

    phase: int
    group: str
    alike: int
    total: int
    begun: tuple[float, int]
    reached: tuple[float, int]
    paused: tuple[float, int] = (0.0, 0)

    @property
    def timed(self) -> tuple[float, int]:
        """The seconds and the steps since it was counted first, without the pause."""
        seconds, steps = (
            last - first - pause for last, first, pause in zip(self.reached, self.begun, self.paused, strict=True)
        )
        return seconds, int(steps)


class TimeLeft:
    """An estimate from the steps of training, which are counted, and the time that they take.

    The final fit repeats the work of the backtest's. Before the first steps are done nothing is known: that time is
    spent on loading and compiling.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, cores: int = os.cpu_count() or 1):
        """Begin now; ``clock`` returns seconds, and alike stages run side by side on the ``cores``."""
        self._clock, self._began, self._cores = clock, clock(), cores
        self._stages: dict[str, _Stage] = {}

    def count(self, name: str, done: int, total: int) -> None:
        """Note how many of a stage's steps are done."""
        own = name.removeprefix(BACKTEST)
        phase = (0 if name.startswith(BACKTEST) else 2) + (1 if own.startswith(TRAINING) else 0)
        numbered = NUMBERED.fullmatch(own)
        group, alike = (numbered[1], int(numbered[2])) if numbered else (own, 1)
        now, known = (self._clock(), done), self._stages.get(name)
        stage = _Stage(phase, group, alike, total, now, now) if known is None else known._replace(reached=now)
        if known is not None and self._counted_after(known) >= min(alike, self._cores):  # others took its place
            stage = stage._replace(paused=(now[0] - known.reached[0], done - known.reached[1]))
        # Replaced, not changed: the bar is drawn in another thread.
        self._stages = self._stages | {name: stage}

    def _counted_after(self, stage: _Stage) -> int:
        return sum(other.reached[0] > stage.reached[0] for other in self._stages.values())

    def seconds(self) -> float | None:
        """Return the seconds that are left of the whole command; None as long as nothing is known."""
        stages = list(self._stages.values())
        timed = sum(stage.timed[1] for stage in stages)
        if not stages or timed < RELIABLE * stages[0].begun[1]:
            return None
        abreast = min(stages[0].alike, self._cores)
        pace = sum(stage.timed[0] for stage in stages) / timed / abreast
        expected = pace * _steps_left(stages, abreast) + REPORT * (stages[0].begun[0] - self._began)
        return max(expected - (self._clock() - max(stage.reached[0] for stage in stages)), 0.0)

    def share(self) -> float:
        """Return the share of the whole time that has passed; 0 as long as nothing is known."""
        left, passed = self.seconds(), self._clock() - self._began
        return 0.0 if left is None else passed / (passed + left)


def _steps_left(stages: list[_Stage], abreast: int) -> float:
    """Return the steps that are left; phases before the present one are over, even if they ended early."""
    present = max(stage.phase for stage in stages)
    works = [_work([stage for stage in stages if stage.phase == phase], phase < present, abreast) for phase in PHASES]
    held_out = works[0] or works[2]
    trained = works[1] or works[3] or TRAINED * held_out
    later = sum((held_out, trained, held_out, trained)[present + 1 :])
    return works[present] - sum(stage.reached[1] for stage in stages if stage.phase == present) + later


def _work(stages: list[_Stage], is_over: bool, abreast: int) -> float:
    """Return the steps of a phase: those that were done, or are expected of the groups that have begun."""
    if is_over:
        return float(sum(stage.reached[1] for stage in stages))
    groups = {stage.group: [other for other in stages if other.group == stage.group] for stage in stages}
    return float(sum(_expected(group, abreast) for group in groups.values()))


def _expected(group: list[_Stage], abreast: int) -> float:
    """Return the steps of alike stages; one that made room for another is over, and the others will be as long."""
    first = group[0]
    if first.group == HELD_OUT:
        return _raced(group)
    over = [stage.reached[1] for stage in group[:-abreast]]
    running = [stage.reached[1] for stage in group[-abreast:]]
    ended = over + [done for done in running if done == first.total]
    likely = LENGTH * first.total if first.phase in HELD_OUT_PHASES else first.total
    usual = sum(ended) / len(ended) if ended else likely
    return float(sum(over) + sum(max(done, usual) for done in running) + (first.alike - len(group)) * usual)


def _raced(group: list[_Stage]) -> float:
    """Return the steps of held-out runs: those that are ahead go on after the first lap."""
    done = sorted((stage.reached[1] for stage in group), reverse=True) + [0] * (group[0].alike - len(group))
    likely = [LENGTH if place < LEFT else FIRST_LAP for place in range(len(done))]
    return float(sum(max(steps, share * group[0].total) for steps, share in zip(done, likely, strict=True)))
