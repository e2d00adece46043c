"""The stages of fitting a forecaster, by name, and callbacks that hear of their progress."""

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:  # it loads JAX
    from throughtime.training import Progress

TRAINING = "training"  # the first word of the names of its stages
TUNING = "fine-tuning"
HELD_OUT = "held out"  # the first words of the names of its stages
FIRST_LAP = 0.25  # of a held-out run; on six panels the best in the end was then among the best two
LEFT = 2  # held-out runs that go on after the first lap


@runtime_checkable
class StageCallback(Protocol):
    """A function ``callback(stage, progress)``, called about twenty times in each stage of training.

    ``stage`` is its name, such as "held out 2/4" or "training 1/2"; stages that run at the same time take turns. If it
    returns True, the stage ends early and keeps its weights.
    """

    def __call__(self, stage: str, progress: "Progress", /) -> bool | None:
        """Take note of the progress of a stage."""


def no_callback(stage: str, progress: "Progress") -> None:
    """Do nothing, and let training go on."""
