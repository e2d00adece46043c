"""Short runs on few windows, by the function and by the command; all of them share one program."""

import json
import signal

import jax
import numpy as np
import pytest
from tests.cli.command import run as command

import throughtime as tt
from throughtime.cli.interrupts import Interrupts
from throughtime.cli.progress_bar import TrainingBar
from throughtime.pretraining import WINDOWS_A_STEP, averaged_weights, pretrain
from throughtime.training import checkpoint
from throughtime.training.callbacks import Follower, Setting
from throughtime.zero_shot import load_weights, shipped_weights

pytestmark = pytest.mark.usefixtures("few")
STEPS, UNITS, SEED = 3, 5, 4


class Killed(BaseException):
    """An end at any moment, as by Ctrl-C."""


class End(Setting, Follower):
    """An error after a step; 0 for none."""

    every = 1

    def __init__(self, at):
        self.at = at

    def begin(self, run):
        return self

    def __call__(self, progress):
        if progress.step == self.at:
            raise Killed


def run(folder, at=0):
    return pretrain(folder, steps=STEPS, seed=SEED, hidden=UNITS, callbacks=[End(at)])


@pytest.fixture(scope="module")
def whole(tmp_path_factory, few):
    """The history of a run that was not interrupted."""
    return run(tmp_path_factory.mktemp("whole"))


def assert_same_weights(found, expected):
    assert sorted(found) == sorted(expected)
    for name, array in found.items():
        np.testing.assert_array_equal(array, expected[name], err_msg=name)


def test_an_interrupted_run_goes_on_bit_for_bit(tmp_path, whole):
    with pytest.raises(Killed):
        run(tmp_path, at=2)
    assert checkpoint.load(tmp_path).arrays["training.step"] == 1
    resumed = run(tmp_path)
    assert resumed.step == STEPS
    np.testing.assert_array_equal(resumed.losses, whole.losses)
    assert_same_weights(averaged_weights(resumed.state), averaged_weights(whole.state))
    for found, expected in zip(*(jax.tree.leaves(run.state.model) for run in (resumed, whole)), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_the_weights_are_those_of_the_shipped_network_in_another_size(whole):
    """By name; and an average, which is not the last network."""
    averaged = averaged_weights(whole.state)
    assert sorted(averaged) == sorted(shipped_weights()[0])
    assert not np.array_equal(averaged["stack.layers.0.cell.w_h"], whole.state.model.stack.layers[0].cell.w_h)


ARGUMENTS = ("pretrain", "--minutes", str(STEPS / 500), "--units", str(UNITS), "--seed", str(SEED))


def test_the_command_can_be_interrupted_and_goes_on(tmp_path, whole, monkeypatch):
    """Ctrl-C leaves a checkpoint; the same command then writes the weights of a run that was not interrupted."""
    show = TrainingBar.show

    def press(bar, stage, done, *rest, **named):
        if done == 2:
            bar._interrupts._handle(signal.SIGINT, None)
        show(bar, stage, done, *rest, **named)

    def leave(interrupts):
        raise Killed(interrupts.kept())

    with monkeypatch.context() as patch:
        patch.setattr(Follower, "every", 1)
        patch.setattr(TrainingBar, "show", press)
        patch.setattr(Interrupts, "leave", leave)
        with pytest.raises(Killed, match="run"):
            command(*ARGUMENTS, "--out", str(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
    assert checkpoint.load(tmp_path / "run").arrays["training.step"] == 1
    done = command(*ARGUMENTS, "--out", str(tmp_path), "--json")
    assert done.exit_code == 0, done.output
    file = tmp_path / "pretrained.safetensors"
    answer = json.loads(done.stdout)
    assert (answer["steps"], answer["units"], answer["seed"]) == (STEPS, UNITS, SEED)
    assert answer["windows"] == STEPS * WINDOWS_A_STEP
    assert answer["file"] == str(file)
    expected = {name: array.astype(np.float16) for name, array in averaged_weights(whole.state).items()}
    assert_same_weights(load_weights(file)[0], expected)
    model = tt.pretrained(file)
    assert model.card["loss"] == pytest.approx(whole.losses.mean())
    quantiles = model.quantiles([np.arange(20.0), np.ones(7)], 5, (4, 1))
    assert np.isfinite(quantiles).all()


def test_another_run_in_the_folder_is_refused(tmp_path, whole):
    run(tmp_path)
    with pytest.raises(tt.InputError) as caught:
        pretrain(tmp_path, steps=STEPS, seed=SEED + 1, hidden=UNITS, callbacks=[End(0)])
    assert caught.value.code == "another-run"
