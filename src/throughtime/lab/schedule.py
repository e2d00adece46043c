"""The timing of a run: how many steps to train at once, and when the next steps and the next picture are due."""

from throughtime.lab.trainer import MOST_AT_ONCE

PORTION = 0.09  # seconds of training between two looks at the commands: short enough for a button, and for a picture
SHORTEST_PAUSE = 0.08  # seconds from picture to picture: some ten a second look smooth
PICTURE_SHARE = 1 / 8  # of the time at most is spent on pictures, so that training is hardly slower for them
SMOOTHING = 0.3  # the weight of a new measurement of the speed


class Schedule:
    """The moments at which a run trains and shows itself, in seconds of one clock.

    Attributes:
        pace: the training steps per second that are wanted; 0 for as many as possible.
        speed: the training steps per second of late; 0 before the first.
        training_due: when the next steps are due.
        picture_due: when the next picture is due.
    """

    def __init__(self) -> None:
        """Everything is due at once."""
        self.pace = self.speed = self.training_due = self.picture_due = 0.0

    def portion(self) -> int:
        """Return the number of steps to train before the next look at the commands."""
        if self.pace:
            return max(round(self.pace * PORTION), 1)
        return min(max(round(self.speed * PORTION), 1), MOST_AT_ONCE)

    def trained(self, steps: int, began: float, now: float) -> None:
        """Count steps that were trained between two moments."""
        # A run that fell behind its pace catches up on one portion, not on all that it missed.
        self.training_due = max(self.training_due, now - PORTION) + steps / self.pace if self.pace else now
        speed = steps / (max(self.training_due, now) - began)
        self.speed += SMOOTHING * (speed - self.speed) if self.speed else speed

    def shown(self, began: float, now: float) -> None:
        """Count a picture that was made between two moments."""
        self.picture_due = max(now + (now - began) / PICTURE_SHARE, began + SHORTEST_PAUSE)
