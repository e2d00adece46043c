"""The time left of a whole forecast: the backtest's training, the final training, and the report."""

import re
import time
from collections.abc import Callable
from typing import NamedTuple

BACKTEST, HELD_OUT = "backtest: ", "held out"  # the first words of the names of stages
NUMBERED = re.compile(r"(.*) \d+/(\d+)")  # one of several stages that are alike, such as "training 2/4"
TRAINED = 0.4  # of the held-out runs' steps: training stops early. On the files that were tried it was 0.05 to 1
RELIABLE = 2  # counts after the first: two networks that train side by side have then been counted alike
REPORT = 0.3  # of the time up to the first steps: it compiles a program too, as cheap or as dear as the others


class _Stage(NamedTuple):
    """A stage of training.

    Attributes:
        phase: its number: held-out runs and training of the backtest (0, 1), the same of the final fit (2, 3).
        group: the name that it shares with those that are alike.
        alike: how many are alike.
        untimed: the steps that were done before the time of any was known: it includes that of compiling.
        done: its steps that are done.
        total: all of its steps.
    """

    phase: int
    group: str
    alike: int
    untimed: int
    done: int
    total: int


class TimeLeft:
    """An estimate from the steps of training, which are counted, and the time that they take.

    The final fit repeats the work of the backtest's. Before the first steps are done nothing is known: that time is
    spent on loading and compiling.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic):
        """Begin now; ``clock`` returns seconds."""
        self._clock, self._began = clock, clock()
        self._stages: dict[str, _Stage] = {}
        self._first = self._last = self._began

    def count(self, name: str, done: int, total: int) -> None:
        """Note how many of a stage's steps are done."""
        own = name.removeprefix(BACKTEST)
        phase = (0 if name.startswith(BACKTEST) else 2) + (0 if own.startswith(HELD_OUT) else 1)
        numbered = NUMBERED.fullmatch(own)
        group, alike = (numbered[1], int(numbered[2])) if numbered else (own, 1)
        self._last = self._clock()
        if not self._stages:
            self._first = self._last
        former = self._stages.get(name)
        untimed = former.untimed if former else (0 if self._timed() else done)
        self._stages[name] = _Stage(phase, group, alike, untimed, done, total)

    def seconds(self) -> float | None:
        """Return the seconds that are left of the whole command; None as long as nothing is known."""
        timed = self._timed()
        if timed < RELIABLE * max((stage.untimed for stage in list(self._stages.values())), default=1):
            return None
        pace = (self._last - self._first) / timed
        expected = pace * self._steps_left() + REPORT * (self._first - self._began)
        return max(expected - (self._clock() - self._last), 0.0)

    def _timed(self) -> int:
        """Return the steps whose time is known."""
        return sum(stage.done - stage.untimed for stage in list(self._stages.values()))

    def share(self) -> float:
        """Return the share of the whole time that has passed; 0 as long as nothing is known."""
        left, passed = self.seconds(), self._clock() - self._began
        return 0.0 if left is None else passed / (passed + left)

    def _steps_left(self) -> float:
        """Return the steps that are left; phases before the present one are over, even if they ended early."""
        present = max(stage.phase for stage in list(self._stages.values()))
        works = {phase: self._work(phase) for phase in range(4)}
        held_out = works[0] or works[2]
        trained = works[1] or works[3] or TRAINED * held_out
        usual = {0: held_out, 1: trained, 2: held_out, 3: trained}
        later = sum(usual[phase] for phase in range(present + 1, 4))
        done = sum(stage.done for stage in list(self._stages.values()) if stage.phase == present)
        return float(works[present] - done + later)

    def _work(self, phase: int) -> int:
        """Return all steps of a phase, as far as its stages have begun."""
        groups = {
            stage.group: stage.alike * stage.total for stage in list(self._stages.values()) if stage.phase == phase
        }
        return sum(groups.values())
