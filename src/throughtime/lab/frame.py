"""Frames: pictures of a run at one moment, made when somebody wants one and there is something new."""

from typing import NamedTuple

from throughtime.lab.look import Look
from throughtime.lab.trainer import Trainer


class Place(NamedTuple):
    """The place that a frame shows.

    Attributes:
        start: the place in the series where the window begins.
        unit: the unit whose gates are shown; the last one if there are fewer.
    """

    start: int
    unit: int


class Frame(NamedTuple):
    """A picture of a run at one moment.

    Attributes:
        start: the place in the series where the window begins.
        unit: the unit whose gates are shown.
        step: training steps done.
        losses: (step, mean loss of the steps since the entry before) since the last frame.
        held_out: the loss on the held-out values.
        lead: by how much it is below that of the best naive forecast, in standard errors.
        look: the window as the network computes it.
        speed: training steps per second; 0 if the run does not train.
        running: True if the run trains.
        problem: why training cannot continue; empty if it can.
    """

    start: int
    unit: int
    step: int
    losses: list[tuple[int, float]]
    held_out: float
    lead: float
    look: Look
    speed: float
    running: bool
    problem: str


class Camera:
    """The maker of a run's frames.

    Attributes:
        place: the place that the next frame shows.
        wanted: True if a frame was asked for since the last one.
        is_new: True if there is something that no frame has shown.
        last: the last frame; None before the first.
    """

    def __init__(self, trainer: Trainer):
        """Begin with the window before the held-out values; the first frame is wanted."""
        self.place = Place(trainer.first_start, 0)
        self.wanted = self.is_new = True
        self.last: Frame | None = None
        self._trainer = trainer
        self._shown = 0  # entries of the history

    def is_due(self) -> bool:
        """Return True if there is a frame to make."""
        return self.wanted and self.is_new

    def shoot(self, *, speed: float, running: bool) -> Frame:
        """Return a new frame."""
        trainer = self._trainer
        look, losses, (held_out, lead) = trainer.look(*self.place), trainer.history[self._shown :], trainer.test()
        self._shown += len(losses)
        self.last = Frame(
            *self.place,
            trainer.step,
            losses,
            held_out,
            lead,
            look,
            speed if running else 0.0,
            running,
            trainer.problem,
        )
        self.wanted = self.is_new = False
        return self.last

    def final(self, problem: str) -> Frame | None:
        """Return the last frame again, with the problem that ended the run; None if there is none."""
        return None if self.last is None else self.last._replace(losses=[], running=False, problem=problem)
