"""A run in its thread: it obeys commands, and its numbers are those of the plain loop."""

import threading
import time

import jax.numpy as jnp
import numpy as np
import pytest

from throughtime.lab.experiment import make_experiment
from throughtime.lab.frame import Place
from throughtime.lab.inputs import LabInput
from throughtime.lab.run import Go, Pace, Run, Show, State, Step
from throughtime.lab.settings import Course, Learner
from throughtime.lab.trainer import Trainer
from throughtime.training import run_steps


def trainer(**course):
    return Trainer(make_experiment(Course(window=6, batch=2, **course), Learner(hidden=4), LabInput()))


class Watched:
    """A run, and a page that takes its frames."""

    def __init__(self, trainer):
        self.changed = threading.Event()
        self.trainer = trainer
        self.run = Run(trainer, self.changed.set)
        self.run.start()

    def frame(self):
        """The next frame."""
        assert self.changed.wait(60)
        self.changed.clear()
        frame = self.run.take()
        self.run.send(Show())
        return frame

    def until(self, holds):
        """All frames up to the first for which it holds."""
        frames = []
        for _ in range(1000):
            frames.append(self.frame())
            if holds(frames[-1]):
                return frames
        raise AssertionError("it did not happen")

    def until_state(self, state):
        deadline = time.monotonic() + 60
        while self.run.state is not state:
            assert time.monotonic() < deadline
            time.sleep(0.005)


@pytest.fixture
def watch():
    watched = []

    def make(trainer):
        watched.append(Watched(trainer))
        return watched[-1]

    yield make
    for each in watched:
        each.run.close()
        assert not each.run.is_alive()


def test_it_waits_and_shows_the_untrained_network(watch):
    one = watch(trainer(steps=50))
    assert one.run.compiled.wait(60)
    frame = one.frame()
    assert (frame.step, frame.losses, frame.running, frame.problem) == (0, [], False, "")
    assert (frame.start, frame.unit) == (794, 0)  # up to the held-out values
    assert frame.look.activity.shape == (6, 4)
    assert one.run.state is State.PAUSED
    time.sleep(0.1)
    assert one.trainer.step == 0
    assert one.run.take() is None  # nothing new: nothing to draw


def test_it_trains_to_the_end_with_the_numbers_of_the_plain_loop(watch):
    one = watch(trainer(steps=230))
    one.run.send(Go(True))
    frames = one.until(lambda frame: frame.step == 230)
    points = [point for frame in frames for point in frame.losses]
    assert points == one.trainer.history
    assert [step for step, _ in points] == sorted({step for step, _ in points})
    assert not frames[-1].running
    assert one.run.state is State.OVER
    made = one.trainer.experiment
    assert [step for step, _ in one.trainer.tests][-1] == 230
    *_, last = run_steps(made.start, made.loss, made.optimizer, jnp.asarray(made.curve.learned), steps=230, every=100)
    np.testing.assert_array_equal(one.trainer.state.model.cell.w_h, last.state.model.cell.w_h)


def test_the_second_picture_comes_soon_although_the_first_was_compiled(watch, monkeypatch):
    """At most an eighth of the time is for pictures: of a first one of 0.5 s the second would come 4 s later."""
    made = trainer(steps=100_000)
    look = made.look

    def slow(*place):
        time.sleep(0.5)
        monkeypatch.setattr(made, "look", look)
        return look(*place)

    monkeypatch.setattr(made, "look", slow)
    one = watch(made)
    assert one.run.compiled.wait(60)
    began = time.monotonic()
    one.run.send(Show(Place(3, 2)))
    one.until(lambda frame: frame.start == 3)
    assert time.monotonic() - began < 2


def test_one_step_at_a_time_and_pausing(watch):
    one = watch(trainer(steps=100_000))
    for step in (1, 2, 3):
        one.run.send(Step())
        assert one.until(lambda frame, step=step: frame.step >= step)[-1].step == step
    one.run.send(Go(True))
    one.until(lambda frame: frame.step > 3)
    assert one.run.state is State.RUNNING
    one.run.send(Go(False))
    one.until(lambda frame: not frame.running)
    assert one.run.state is State.PAUSED
    paused_at = one.trainer.step
    time.sleep(0.2)
    assert one.trainer.step == paused_at < 100_000
    one.run.send(*[Step()] * 5)  # faster than they are done
    one.until(lambda frame: frame.step >= paused_at + 5)
    time.sleep(0.1)
    assert one.trainer.step == paused_at + 5


def test_a_single_step_pauses_a_run(watch):
    one = watch(trainer(steps=100_000))
    one.run.send(Go(True))
    one.until(lambda frame: frame.step > 0)
    one.run.send(Step())
    one.until(lambda frame: not frame.running)
    assert one.run.state is State.PAUSED


def test_every_loss_is_shown_although_nobody_takes_a_frame(watch):
    one = watch(trainer(steps=100_000))
    one.run.send(Pace(200.0), Go(True))
    for _ in range(4):
        time.sleep(0.15)
        one.run.send(Show())  # again, before the last frame was taken
    one.run.send(Go(False))
    time.sleep(0.3)
    one.run.send(Show())
    frames = one.until(lambda frame: frame.step == one.trainer.step and not frame.running)
    assert [point for frame in frames for point in frame.losses] == one.trainer.history
    assert len(one.trainer.history) > 1


def test_a_finished_run_does_not_continue(watch):
    one = watch(trainer(steps=3))
    one.run.send(Go(True))
    one.until(lambda frame: frame.step == 3)
    one.run.send(Go(True), Step(), Show())
    assert not one.frame().running
    assert (one.run.state, one.trainer.step) == (State.OVER, 3)


def test_a_run_whose_first_picture_fails_says_so(watch, monkeypatch):
    def broken(*_arguments):
        raise RuntimeError("blind")

    monkeypatch.setattr("throughtime.lab.trainer.look_through", broken)
    one = watch(trainer())
    assert one.run.compiled.wait(60)
    assert "blind" in one.trainer.problem
    assert one.run.state is State.OVER
    assert one.run.take() is None


def test_a_run_that_fails_later_shows_its_last_frame_with_the_problem(watch, monkeypatch):
    one = watch(trainer(steps=100_000))
    one.frame()
    monkeypatch.setattr("throughtime.lab.trainer.run_steps", lambda *_arguments, **_options: 1 / 0)
    one.run.send(Step())
    frame = one.until(lambda frame: bool(frame.problem))[-1]
    assert "ZeroDivisionError" in frame.problem
    assert frame.look.activity.shape == (6, 4)
    assert (frame.running, frame.losses) == (False, [])
    one.until_state(State.OVER)


def test_a_pace_is_kept(watch):
    one = watch(trainer(steps=100_000))
    one.run.send(Step())
    one.until(lambda frame: frame.step == 1)  # compiled
    one.run.send(Pace(100.0), Go(True))
    time.sleep(1.0)
    assert 5 <= one.trainer.step <= 150, one.trainer.step  # as fast as possible it would be thousands


def test_it_shows_the_place_that_it_is_told(watch):
    one = watch(trainer(steps=10))
    one.frame()
    one.run.send(Show(Place(17, 2)))
    frame = one.until(lambda frame: frame.start == 17)[-1]
    assert frame.unit == 2
    np.testing.assert_array_equal(frame.look.gates[0], frame.look.activity[:, 2])  # an Elman cell's gate is its output


def test_a_run_that_diverges_says_so_and_stops(watch):
    made = make_experiment(Course(window=6, batch=2, steps=100_000), Learner(hidden=4), LabInput())
    bad = made._replace(loss=lambda network, values, key: jnp.sum(network.cell.w_h) * jnp.nan)
    one = watch(Trainer(bad))
    one.run.send(Go(True))
    frame = one.until(lambda frame: bool(frame.problem))[-1]
    assert "at step 1" in frame.problem
    assert not frame.running
    assert one.run.state is State.OVER
