"""Saving runs: a picture, the model, and a script that repeats the run."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import jax.numpy as jnp

from throughtime._files import output_folder, staged
from throughtime.gradients import gradient_flow
from throughtime.lab.experiment import title
from throughtime.lab.frame import Place
from throughtime.lab.inputs import LabInput
from throughtime.lab.look import look_through
from throughtime.lab.picture import Shown, lab_picture
from throughtime.lab.script import script
from throughtime.lab.trainer import Trainer
from throughtime.layers import network_config
from throughtime.training import TrainState, checkpoint

SUFFIXES = ("", "-b")  # of the first and the second run's files


class _Snapshot(NamedTuple):
    """A trainer at one moment: training goes on meanwhile."""

    trainer: Trainer
    state: TrainState
    title: str

    @property
    def step(self) -> int:
        return int(self.state.step)


def save(out: Path, trainers: Sequence[Trainer], lab_input: LabInput, place: Place) -> dict[str, Any]:
    """Write ``picture.png``, and ``run.py`` and ``model/`` for each run, to a new folder below ``out``.

    Args:
        out: the folder to save to; it is made if it does not exist.
        trainers: one or two.
        lab_input: the user's file and model.
        place: the window of the picture.

    Returns:
        The path of the new folder and the names of its files, as JSON values.
    """
    snapshots = [_Snapshot(trainer, trainer.state, title(trainer.experiment, lab_input)) for trainer in trainers]
    folder = _new_folder(output_folder(out))
    with staged(folder) as stage:
        lab_picture([_shown(snapshot, place) for snapshot in snapshots]).savefig(stage / "picture.png")
        for snapshot, suffix in zip(snapshots, SUFFIXES, strict=False):
            _write_run(stage, snapshot, lab_input, suffix)
    return {"folder": str(folder.resolve()), "files": sorted(file.name for file in folder.iterdir())}


def _shown(snapshot: _Snapshot, place: Place) -> Shown:
    """Return a run as the picture shows it."""
    trainer = snapshot.trainer
    inputs, unit = jnp.asarray(trainer.inputs(place.start)), min(place.unit, snapshot.state.model.cell.hidden - 1)
    points = [[point for point in list(each) if point[0] <= snapshot.step] for each in (trainer.history, trainer.tests)]
    return Shown(
        name=snapshot.title,
        history=points[0],
        tests=points[1],
        look=look_through(snapshot.state.model, inputs, jnp.int32(unit)),
        values=trainer.experiment.curve.values[place.start :][: 2 * len(inputs)],
        memory=gradient_flow(snapshot.state.model, inputs[:, None]).memory,
    )


def _write_run(stage: Path, snapshot: _Snapshot, lab_input: LabInput, suffix: str) -> None:
    """Write a run's script and model."""
    course, learner = snapshot.trainer.experiment.course, snapshot.trainer.experiment.learner
    name = f"run{suffix}.py"
    program = script(course._replace(steps=snapshot.step), learner, lab_input, title=snapshot.title, name=name)
    (stage / name).write_text(program, encoding="utf-8")
    network = network_config(snapshot.state.model)
    config = {"network": network, "course": course._asdict(), "learner": learner._asdict()}
    checkpoint.save(stage / f"model{suffix}", "training", config, {"training": snapshot.state})


def _new_folder(out: Path) -> Path:
    """Make a folder with the time as its name; a second one in the same second gets a number."""
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
