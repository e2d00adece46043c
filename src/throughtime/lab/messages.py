"""The messages between a page and its session, as JSON: requests in, answers out."""

import base64
import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import numpy as np

from throughtime._errors import InputError
from throughtime.lab.experiment import Experiment, title
from throughtime.lab.frame import Frame
from throughtime.lab.inputs import LabInput
from throughtime.lab.trainer import Trainer

Message = dict[str, Any]
Reader = Callable[[Any], Any]
REQUESTS: Mapping[str, Mapping[str, Reader]] = {
    "apply": {"number": int, "course": dict, "learners": list, "start": int, "running": bool},
    "go": {"running": bool},
    "step": {},
    "pace": {"pace": float},
    "look": {"start": int, "at": int},
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


def ready_message(experiments: list[Experiment], lab_input: LabInput) -> Message:
    """Return the facts that the page shows of runs before they begin."""
    first = experiments[0]
    return {
        "last": last_start(first),
        "steps": first.course.steps,
        "naive": float(np.mean(np.diff(first.curve.values) ** 2)),
        "notes": list(first.curve.notes),
        "sides": [
            {
                "title": title(experiment, lab_input),
                "hidden": experiment.start.model.cell.hidden,
                "parameters": sum(leaf.size for leaf in jax.tree.leaves(experiment.start.model)),
            }
            for experiment in experiments
        ],
    }


def last_start(experiment: Experiment) -> int:
    """Return the last place in the series at which a window can begin."""
    return len(experiment.curve.values) - experiment.course.window - 1


def frame_message(side: int, trainer: Trainer, frame: Frame) -> Message:
    """Return a frame of the run on one side of the page, with arrays as the base64 text of float32 bytes."""
    window = trainer.window(frame.start).tolist()
    numbers = {name: value for name, value in frame._asdict().items() if name != "look"}
    arrays = {name: _encoded(array) for name, array in frame.look._asdict().items()}
    return {"side": side, "inputs": window[:-1], "targets": window[1:], **numbers, **arrays}


def _encoded(array: Any) -> str:
    return base64.b64encode(np.asarray(array, np.float32).tobytes()).decode()
