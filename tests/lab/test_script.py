"""The saved script does the run again: the same loss to the last digit."""

import os
import subprocess
import sys
from pathlib import Path

import jax
import numpy as np
import pytest

import throughtime as tt
from throughtime.lab.experiment import experiment
from throughtime.lab.given import Given, read_given
from throughtime.lab.run import Run
from throughtime.lab.saving import save
from throughtime.lab.settings import Course, Learner
from throughtime.layers import network_config
from throughtime.training import checkpoint


@pytest.fixture
def trained():
    """Runs that came to their end."""
    runs = []

    def make(course, learner, given):
        run = Run(experiment(course, learner, given))
        runs.append(run)
        run.wish(running=True)
        while not run.is_over:
            run._thread.join(0.02)
        return run

    yield make
    for run in runs:
        run.close()


def last_line(script):
    finished = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    return finished.stdout.splitlines()[-1]


@pytest.fixture
def given_file(tmp_path):
    file = tmp_path / "it's a file.csv"
    rows = [f"{name},{t},{np.sin(t * scale):.4f}" for name, scale in (("a", 0.3), ("b", 0.7)) for t in range(40)]
    file.write_text("unique_id,ds,y\n" + "\n".join(rows))
    return read_given(file, None)


def given_network(tmp_path):
    network = tt.RecurrentNetwork(tt.GRU(1, 3, key=jax.random.key(4)), 1, key=jax.random.key(5))
    config = {"network": network_config(network)}
    checkpoint.save(tmp_path / "network", "training", config, {"training": {"model": network}})
    return read_given(None, tmp_path / "network")


@pytest.mark.parametrize("case", ["clipped", "chrono", "file", "network"])
def test_a_saved_script_ends_with_the_same_loss(case, trained, tmp_path, given_file):
    course, learner, given = Course(window=5, batch=3, steps=7, seed=9), Learner(hidden=4), Given()
    if case == "clipped":
        learner = learner._replace(activation="elu", init="identity", clip=0.01)
    elif case == "chrono":
        learner = learner._replace(cell="lstm", init="chrono", rate=0.02)
    elif case == "file":
        course, given = course._replace(curve="file", series="b"), given_file
    else:
        given = given_network(tmp_path)
    run = trained(course, learner, given)
    one_by_one = experiment(course, learner, given)
    saved = save(tmp_path / "out", [run], given, start=2, at=3)
    assert saved["files"] == ["model", "picture.png", "run.py"]
    folder = tmp_path / "out" / os.path.basename(saved["folder"])
    *_, word, loss = last_line(folder / "run.py").split()
    assert word == "loss"
    from throughtime.training.loop import train

    *_, last = train(one_by_one.start, run.experiment.loss, run.experiment.optimiser, run._values, steps=7, every=100)
    assert float(loss) == float(last.losses[-1])
    model = tt.load(folder / "model")
    np.testing.assert_array_equal(model.readout.weight, run.state.model.readout.weight)


def test_two_runs_are_saved_side_by_side_and_again_beside_the_first(trained, tmp_path):
    course, given = Course(window=5, batch=2, steps=3), Given()
    runs = [trained(course, Learner(cell=cell, hidden=hidden), given) for cell, hidden in (("elman", 3), ("gru", 4))]
    folders = [save(tmp_path, runs, given, start=0, at=4)["folder"] for _ in range(2)]
    assert len(set(folders)) == 2
    for folder in folders:
        names = sorted(os.listdir(folder))
        assert names == ["model", "model-b", "picture.png", "run-b.py", "run.py"]
        assert "tt.GRU(1, 4" in (Path(folder) / "run-b.py").read_text()
        assert checkpoint.load(Path(folder) / "model-b").config["learner"]["cell"] == "gru"
