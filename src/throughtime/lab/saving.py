"""One click: the picture, a script that does the run again, and the model."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import jax.numpy as jnp

from throughtime._files import output_folder, staged
from throughtime.lab.experiment import title
from throughtime.lab.inputs import LabInput
from throughtime.lab.look import look
from throughtime.lab.picture import Shown, lab_picture
from throughtime.lab.run import Run, window_of
from throughtime.lab.script import script
from throughtime.layers import network_config
from throughtime.training import checkpoint

NAMES = ("", "-b")  # behind the names of a second run's files


def save(out: Path, runs: Sequence[Run], lab_input: LabInput, *, start: int, at: int) -> dict[str, Any]:
    """Write ``picture.png``, ``run.py`` and ``model/`` to a new folder below ``out``: its path and the files' names."""
    states = [run.state for run in runs]  # as they are now: training goes on
    histories = [
        [point for point in list(run.history) if point[0] <= int(state.step)]
        for run, state in zip(runs, states, strict=True)
    ]
    folder = _new_folder(output_folder(out))
    titles = [title(run.experiment, lab_input) for run in runs]
    shown = []
    for run, state, history, who in zip(runs, states, histories, titles, strict=True):
        window = window_of(run, start)
        seen = look(state.model, jnp.asarray(window), jnp.int32(at))
        shown.append(Shown(who, history, seen, window[1:], at))
    with staged(folder) as stage:
        lab_picture(shown).savefig(stage / "picture.png")
        for run, state, who, name in zip(runs, states, titles, NAMES, strict=False):
            course, learner = run.experiment.course, run.experiment.learner
            program = script(course, learner, lab_input, who=who, steps=int(state.step), name=f"run{name}.py")
            (stage / f"run{name}.py").write_text(program, encoding="utf-8")
            config = {"network": network_config(state.model), "course": course._asdict(), "learner": learner._asdict()}
            checkpoint.save(stage / f"model{name}", "training", config, {"training": state})
    return {"folder": str(folder.resolve()), "files": sorted(place.name for place in folder.iterdir())}


def _new_folder(out: Path) -> Path:
    """A folder that bears the time's name; a second one within the same second gets a number."""
    name = datetime.now().strftime("%Y-%m-%d-%H%M%S")
    number = 1
    while True:
        folder = out / (name if number == 1 else f"{name}-{number}")
        try:
            folder.mkdir()
        except FileExistsError:
            number += 1
        else:
            return folder
