"""A run in its thread: it does as it is told, and the numbers are those of the plain loop."""

import threading
import time

import jax.numpy as jnp
import numpy as np
import pytest

from throughtime.lab.experiment import make_experiment
from throughtime.lab.inputs import LabInput
from throughtime.lab.run import Run
from throughtime.lab.settings import Course, Learner
from throughtime.training.loop import train


class Watched:
    """A run and whoever looks at it."""

    def __init__(self, **course):
        self.changed = threading.Event()
        self.made = make_experiment(Course(window=6, batch=2, **course), Learner(hidden=4), LabInput())
        self.run = Run(self.made, self.changed.set)

    def frame(self):
        """The next one."""
        assert self.changed.wait(60)
        self.changed.clear()
        frame = self.run.take()
        self.run.wish(frame=True)
        return frame

    def until(self, holds):
        """The first frame of which it is true, and all before it."""
        frames = []
        for _ in range(1000):
            frames.append(self.frame())
            if holds(frames[-1]):
                return frames
        raise AssertionError("it did not happen")


@pytest.fixture
def watched():
    made = []

    def make(**course):
        made.append(Watched(**course))
        return made[-1]

    yield make
    for each in made:
        each.run.close()
        assert not each.run._thread.is_alive()


def test_it_waits_and_shows_itself_untrained(watched):
    one = watched(steps=50)
    frame = one.frame()
    assert (frame.step, frame.losses, frame.running, frame.problem) == (0, [], False, "")
    assert frame.look.activity.shape == (6, 4)
    time.sleep(0.1)
    assert int(one.run.state.step) == 0
    assert one.run.take() is None  # nothing new: nothing to draw


def test_it_trains_to_the_end_with_the_numbers_of_the_plain_loop(watched):
    one = watched(steps=230)
    one.run.wish(running=True)
    frames = one.until(lambda frame: frame.step == 230)
    points = [point for frame in frames for point in frame.losses]
    assert points == one.run.history
    assert [step for step, _ in points] == sorted({step for step, _ in points})
    assert not one.frame().running if frames[-1].running else True
    made = one.made
    *_, last = train(made.start, made.loss, made.optimizer, jnp.asarray(made.curve.values), steps=230, every=100)
    np.testing.assert_array_equal(one.run.state.model.cell.w_h, last.state.model.cell.w_h)


def test_the_second_picture_comes_soon_although_the_first_was_compiled(watched):
    one = watched(steps=100_000)
    assert one.run.prepared.wait(60)
    assert one.run._frame_due == 0.0  # an eighth of the time is for pictures, and compilation does not count


def test_one_step_at_a_time_and_pausing(watched):
    one = watched(steps=100_000)
    for step in (1, 2, 3):
        one.run.step()
        assert one.until(lambda frame, step=step: frame.step >= step)[-1].step == step
    one.run.wish(running=True)
    one.until(lambda frame: frame.step > 3)
    one.run.wish(running=False)
    one.until(lambda frame: not frame.running)
    stood = int(one.run.state.step)
    time.sleep(0.2)
    assert int(one.run.state.step) == stood < 100_000
    for _ in range(5):  # quicker than they are done
        one.run.step()
    one.until(lambda frame: frame.step >= stood + 5)
    time.sleep(0.1)
    assert int(one.run.state.step) == stood + 5


def test_every_loss_is_shown_although_nobody_takes_a_frame(watched):
    one = watched(steps=100_000)
    one.run.wish(pace=200.0, running=True)
    for _ in range(4):
        time.sleep(0.15)
        one.run.wish(frame=True)  # again, before the one that is there was taken
    one.run.wish(running=False)
    time.sleep(0.3)
    one.run.wish(frame=True)
    frames = one.until(lambda frame: frame.step == int(one.run.state.step) and not frame.running)
    assert [point for frame in frames for point in frame.losses] == one.run.history


def test_a_finished_run_does_not_go_on(watched):
    one = watched(steps=3)
    one.run.wish(running=True)
    one.until(lambda frame: frame.step == 3)
    one.run.wish(running=True, frame=True)
    assert not one.frame().running


def test_a_run_that_cannot_be_looked_at_says_so(monkeypatch):
    def broken(*_seen):
        raise RuntimeError("blind")

    monkeypatch.setattr("throughtime.lab.run.look", broken)
    run = Run(make_experiment(Course(window=6, batch=2), Learner(hidden=4), LabInput()))
    assert run.prepared.wait(60)
    assert "blind" in run.problem
    run.close()


def test_a_run_that_fails_later_shows_its_last_frame_with_the_problem(watched, monkeypatch):
    one = watched(steps=100_000)
    one.frame()
    monkeypatch.setattr("throughtime.lab.run.train", lambda *_given, **_more: 1 / 0)
    one.run.step()
    frame = one.until(lambda frame: bool(frame.problem))[-1]
    assert "ZeroDivisionError" in frame.problem
    assert frame.look.activity.shape == (6, 4)


def test_a_pace_is_kept(watched):
    one = watched(steps=100_000)
    one.run.step()
    one.until(lambda frame: frame.step == 1)  # compiled
    one.run.wish(pace=100.0, running=True)
    time.sleep(1.0)
    done = int(one.run.state.step)
    assert 5 <= done <= 150, done  # at full speed it would be thousands


def test_it_looks_where_it_is_told(watched):
    one = watched(steps=10)
    one.frame()
    one.run.wish(start=17, at=2)
    frame = one.until(lambda frame: frame.start == 17)[-1]
    assert frame.at == 2
    assert np.asarray(frame.look.gradients)[3:].max() == 0 < np.asarray(frame.look.gradients)[2].max()


def test_a_run_that_diverges_says_so_and_stops(watched):
    one = watched(steps=100_000)
    one.run.close()
    made = one.made._replace(loss=lambda network, values, key: jnp.sum(network.cell.w_h) * jnp.nan)
    one.changed.clear()
    one.run = Run(made, one.changed.set)
    one.run.wish(running=True)
    frame = one.until(lambda frame: bool(frame.problem))[-1]
    assert "step 0" in frame.problem or "step 1" in frame.problem
    assert not frame.running
    assert one.run.is_over
