"""The saved script repeats the run: the same loss to the last digit."""

import os
import subprocess
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import throughtime as tt
from throughtime.data import ColumnNames
from throughtime.lab.experiment import make_experiment
from throughtime.lab.frame import Place
from throughtime.lab.inputs import LabInput, read_input
from throughtime.lab.saving import save
from throughtime.lab.script import script
from throughtime.lab.settings import Course, Learner
from throughtime.lab.trainer import Trainer
from throughtime.layers.network import network_config
from throughtime.training import checkpoint
from throughtime.training.loop import run_steps


def trained(course, learner, lab_input):
    """A trainer at its end, after two portions."""
    trainer = Trainer(make_experiment(course, learner, lab_input))
    trainer.train_to(2)
    trainer.train_to(course.steps)
    assert trainer.is_over
    return trainer


RUNNER = """
import runpy, sys

for script in sys.argv[1:]:
    runpy.run_path(script)
    print("END")
"""


def last_losses(scripts):
    """The last loss that each prints; in one process, which imports JAX once."""
    command = [sys.executable, "-c", RUNNER, *map(str, scripts)]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    ends = [said.split()[-2:] for said in finished.stdout.split("END")[:-1]]
    assert [word for word, _ in ends] == ["loss"] * len(scripts)
    return [float(loss) for _, loss in ends]


@pytest.fixture
def given_file(tmp_path):
    file = tmp_path / "it's a file.csv"
    rows = [
        f"{name},{t},{np.sin(t * scale):.4f},{t % 7}" for name, scale in (("a", 0.3), ("b", 0.7)) for t in range(40)
    ]
    file.write_text("shop,day,sold,stock\n" + "\n".join(rows))
    return read_input(file, None, ColumnNames("shop", "day", "sold"))


def given_network(tmp_path):
    network = tt.RecurrentNetwork(tt.GRU(1, 3, key=jax.random.key(4)), 1, key=jax.random.key(5))
    config = {"network": network_config(network)}
    checkpoint.save(tmp_path / "network", "training", config, {"training": {"model": network}})
    return read_input(None, tmp_path / "network")


def test_saved_scripts_end_with_the_same_losses(tmp_path, given_file):
    course, learner = Course(window=5, batch=3, steps=7, seed=9), Learner(hidden=4)
    cases = (
        (course, learner._replace(activation="elu", init="identity", clip=0.01), LabInput()),
        (
            course._replace(curve="file", series="b"),
            learner._replace(cell="lstm", init="chrono", rate=0.02),
            given_file,
        ),
        (course._replace(curve="sines", noise=0.3), learner._replace(examples=4), LabInput()),
        (course, learner, given_network(tmp_path)),
    )
    due, scripts = [], []
    for each, who, lab_input in cases:
        trainer = trained(each, who, lab_input)
        saved = save(tmp_path / "out", [trainer], lab_input, Place(2, 3))
        assert saved["files"] == ["model", "picture.png", "run.py"]
        scripts.append(Path(saved["folder"]) / "run.py")
        made = trainer.experiment
        values = jnp.asarray(made.curve.learned)
        *_, last = run_steps(made.start, made.loss, made.optimizer, values, steps=7, every=100)
        due.append(float(last.losses[-1]))
        model = tt.load(Path(saved["folder"]) / "model")
        np.testing.assert_array_equal(model.readout.weight, trainer.state.model.readout.weight)
    assert len(set(due)) == len(due)
    assert last_losses(scripts) == due


def test_a_file_whose_name_ends_a_docstring_makes_a_script_all_the_same(tmp_path):
    lab_input = LabInput(file=tmp_path / 'C:\\Users\\"""$x$.csv')
    text = script(Course(curve="file"), Learner(), lab_input, title="Elman", name="run.py")
    assert "read_file(Path(" in text
    compile(text, "run.py", "exec")


def test_two_runs_are_saved_side_by_side_and_again_beside_the_first(tmp_path):
    course, lab_input = Course(window=5, batch=2, steps=3), LabInput()
    trainers = [
        trained(course, Learner(cell=cell, hidden=hidden), lab_input) for cell, hidden in (("elman", 3), ("gru", 4))
    ]
    folders = [save(tmp_path, trainers, lab_input, Place(0, 4))["folder"] for _ in range(2)]
    assert len(set(folders)) == 2
    for folder in folders:
        names = sorted(os.listdir(folder))
        assert names == ["model", "model-b", "picture.png", "run-b.py", "run.py"]
        assert "tt.GRU(1, 4" in (Path(folder) / "run-b.py").read_text()
        assert checkpoint.load(Path(folder) / "model-b").config["learner"]["cell"] == "gru"
