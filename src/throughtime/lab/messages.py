"""The messages between a page and its session, as JSON: requests in, answers out."""

import base64
import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import numpy as np

from throughtime._errors import InputError
from throughtime.gradients import json_values
from throughtime.lab.curves import Curve
from throughtime.lab.experiment import title
from throughtime.lab.frame import Frame
from throughtime.lab.inputs import LabInput
from throughtime.lab.trainer import Trainer

MOST_POINTS = 1000  # of a series in outline

Message = dict[str, Any]
Reader = Callable[[Any], Any]
REQUESTS: Mapping[str, Mapping[str, Reader]] = {
    "apply": {"number": int, "course": dict, "learners": list, "start": int, "unit": int, "running": bool},
    "go": {"running": bool},
    "step": {},
    "pace": {"pace": float},
    "look": {"start": int, "unit": int},
    "shown": {},
    "reach": {},
    "forecaster": {},
    "save": {},
}
"""The requests of a page: the type, its fields, and the function that reads each field."""


class Request(NamedTuple):
    """A request of a page: its type and its fields."""

    type: str
    fields: Message


def read_request(text: str) -> Request:
    """Return the request in a message.

    Raises:
        InputError: for a text that is no request.
    """
    try:
        message = json.loads(text)
        kind = str(message["type"])
        return Request(kind, {name: read(message[name]) for name, read in REQUESTS[kind].items()})
    except (ValueError, TypeError, KeyError, OverflowError) as error:
        raise InputError(f"the laboratory does not understand {text[:80]!r}", code="not-understood") from error


def ready_message(trainers: list[Trainer], lab_input: LabInput) -> Message:
    """Return the facts that the page shows of runs before they begin."""
    first = trainers[0]
    curve, course = first.experiment.curve, first.experiment.course
    return {
        "last": first.last_start,
        "steps": course.steps,
        "window": course.window,
        "cut": curve.cut,
        "length": len(curve.values),
        "overview": _overview(curve),
        "mean": curve.axes.mean,
        "deviation": curve.axes.deviation,
        "unit": curve.axes.unit,
        "resolution": curve.axes.resolution,
        "season": curve.season,
        "naive": first.naive._asdict(),
        "notes": list(curve.notes),
        "sides": [
            {
                "title": title(trainer.experiment, lab_input),
                "cell": type(trainer.state.model.cell).__name__,
                "gates": list(trainer.state.model.cell.GATES),
                "hidden": trainer.state.model.cell.hidden,
                "parameters": sum(leaf.size for leaf in jax.tree.leaves(trainer.experiment.start.model)),
            }
            for trainer in trainers
        ],
    }


def _overview(curve: Curve) -> list[float]:
    """Return the series in outline: at most ``MOST_POINTS`` values, evenly spaced."""
    every = -(-len(curve.values) // MOST_POINTS)
    return curve.values[::every].tolist()


def frame_message(side: int, trainer: Trainer, frame: Frame) -> Message:
    """Return a frame of the run on one side of the page, with arrays as the base64 text of their bytes.

    ``values`` are those of the window and of as many steps after it, as far as there are any; ``stamps`` are theirs.
    """
    curve, window = trainer.experiment.curve, trainer.experiment.course.window
    shown = slice(frame.start, frame.start + 2 * window)
    numbers = {name: value for name, value in frame._asdict().items() if name != "look"}
    arrays = {name: _encoded(array) for name, array in frame.look._asdict().items()}
    stamps = _encoded(curve.axes.stamps[shown], np.float64)
    return {"side": side, **json_values(numbers), **arrays, "values": _encoded(curve.values[shown]), "stamps": stamps}


def _encoded(array: Any, kind: type[np.floating] = np.float32) -> str:
    return base64.b64encode(np.asarray(array, kind).tobytes()).decode()
