"""Runs in threads: their order, and their early end after an error, a callback's error, an interrupt."""

import os
import signal
import threading
import time

import jax.numpy as jnp
import numpy as np
import pytest

from throughtime.training.loop import Progress
from throughtime.training.parallel import run_in_parallel
from throughtime.training.step import TrainState

PROGRESS = Progress(TrainState(None, None, jnp.int32(1), jnp.int32(0)), 2, np.zeros(1), 0.0, 0.0)
PATIENCE = 20.0  # seconds after which a run that nobody stops gives up


@pytest.fixture(autouse=True)
def three_cores(monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 3)


def ignore(progress):
    """A report that nobody reads."""


class Endless:
    """A run that goes on until its callback stops it."""

    def __init__(self):
        self.begun, self.stopped = threading.Event(), False

    def __call__(self, callback):
        self.begun.set()
        ends = time.monotonic() + PATIENCE
        while time.monotonic() < ends and not self.stopped:
            self.stopped = callback(PROGRESS)
            time.sleep(0.001)


def test_results_and_reports_come_in_the_order_of_the_runs():
    """The first run ends last."""
    ended, heard_by = [], {"a": [], "b": [], "c": [], "d": []}
    last = threading.Event()

    def run(name):
        def learn(heard):
            heard(PROGRESS)
            if name == "a":
                assert last.wait(PATIENCE)
            ended.append(name)
            if name == "d":
                last.set()
            return name.upper()

        return learn

    results = run_in_parallel([run(name) for name in heard_by], [said.append for said in heard_by.values()])
    assert results == ["A", "B", "C", "D"]
    assert ended[-1] == "a"
    assert list(heard_by.values()) == [[PROGRESS]] * 4


def test_an_error_stops_the_others_and_comes_out():
    others = [Endless(), Endless()]

    def fails(heard):
        assert all(other.begun.wait(PATIENCE) for other in others)
        raise ValueError("no number")

    with pytest.raises(ValueError, match="no number"):
        run_in_parallel([others[0], fails, others[1]], [ignore] * 3)
    assert all(other.stopped for other in others)


def test_an_error_of_a_report_is_one_of_its_run():
    others = [Endless(), Endless()]

    def full(progress):
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="the disk is full"):
        run_in_parallel([*others, Endless()], [ignore, ignore, full])
    assert all(other.stopped for other in others)


def test_what_waits_for_a_core_does_not_begin_after_an_error():
    begun = []

    def fails(heard):
        raise ValueError("no number")

    others = [Endless(), Endless()]
    with pytest.raises(ValueError, match="no number"):
        run_in_parallel([*others, fails, begun.append, begun.append], [ignore] * 5)
    assert begun == []


def test_an_interrupt_while_waiting_stops_all_runs():
    """The signal comes when all that can run does, as Ctrl-C does."""
    running, begun = [Endless(), Endless(), Endless()], []

    def interrupt():
        assert all(run.begun.wait(PATIENCE) for run in running)
        time.sleep(0.3)  # the main thread still hands out the fourth; a thread just begun is not yet the pool's to join
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    sender = threading.Thread(target=interrupt)
    sender.start()
    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        run_in_parallel([*running, begun.append], [ignore] * 4)
    sender.join()
    assert all(run.stopped for run in running)
    assert begun == []
    assert threading.active_count() < before


@pytest.mark.parametrize("reports", [1, 3])
def test_each_run_has_a_report(reports):
    with pytest.raises(ValueError, match="zip"):
        run_in_parallel([lambda heard: 1] * 2, [ignore] * reports)
