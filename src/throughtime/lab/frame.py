"""Frames: pictures of a run at one moment, made when somebody wants one and there is something new."""

from typing import NamedTuple

from throughtime.lab.look import Look
from throughtime.lab.trainer import Trainer


class Place(NamedTuple):
    """The place that a frame shows.

    Attributes:
        start: the place in the series where the window begins.
        at: the step of the window whose error is followed back.
    """

    start: int
    at: int


class Frame(NamedTuple):
    """A picture of a run at one moment.

    Attributes:
        start: the place in the series where the window begins.
        at: the step of the window whose error is followed back.
        step: training steps done.
        losses: (step, mean loss of the steps since the entry before) since the last frame.
        look: the window as the network computes it.
        speed: training steps per second; 0 if the run does not train.
        running: True if the run trains.
        problem: why training cannot continue; empty if it can.
    """

    start: int
    at: int
    step: int
    losses: list[tuple[int, float]]
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
        """Begin with the first window and the error of its last step; the first frame is wanted."""
        self.place = Place(0, trainer.experiment.course.window - 1)
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
        look, losses = trainer.look(*self.place), trainer.history[self._shown :]
        self._shown += len(losses)
        self.last = Frame(*self.place, trainer.step, losses, look, speed if running else 0.0, running, trainer.problem)
        self.wanted = self.is_new = False
        return self.last

    def final(self, problem: str) -> Frame | None:
        """Return the last frame again, with the problem that ended the run; None if there is none."""
        return None if self.last is None else self.last._replace(losses=[], running=False, problem=problem)
