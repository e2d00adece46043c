"""A run in a thread of its own: it trains, pauses, and shows itself as often as somebody looks."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from throughtime.lab.experiment import Experiment
from throughtime.lab.look import Look, look
from throughtime.training import DivergedError, train

MOST_AT_ONCE = 10_000  # steps that the compiled loop can be asked for
PORTION = 0.09  # seconds of training, after which the user is heard again and a picture is made
LEAST_PAUSE = 0.08  # seconds from picture to picture: some ten a second, and little that training must wait for
SHARE = 1 / 8  # of the time is spent on pictures at most: training is hardly slower for them
SMOOTH = 0.3  # of a new measurement of the speed; the rest is what was known
IDLE = 0.01  # seconds until it is looked again whether something is due


class Frame(NamedTuple):
    """What is shown of a run at one moment.

    Attributes:
        start: where the window begins that is looked at.
        at: the step of it whose error is followed back.
        step: training steps done.
        losses: (step, mean loss of the steps since the one before), those since the last frame.
        look: one window, seen through the network.
        speed: training steps a second at present; 0 where it stands still.
        running: whether it goes on.
        problem: why it cannot go on; empty where it can.
    """

    start: int
    at: int
    step: int
    losses: list[tuple[int, float]]
    look: Look
    speed: float
    running: bool
    problem: str


@dataclass
class _Wishes:
    """What whoever watches wants; it changes under the run's lock alone."""

    start: int  # of the window that is looked at
    at: int  # the step whose error is followed back
    running: bool = False
    steps: int = 0  # to do one by one
    pace: float = 0.0  # training steps a second; 0 for as many as can be done
    frame: bool = True
    closed: bool = False


class Run:
    """One network and its training, to be driven from any thread.

    Attributes:
        experiment: what it does.
        history: (step, mean loss of the steps since the one before), of all its steps.
        state: where it stands.
        problem: why it cannot go on; empty where it can.
        prepared: set once it is compiled, from when on it does as it is told.
    """

    def __init__(self, experiment: Experiment, changed: Callable[[], None] = lambda: None):
        """A run that waits. ``changed`` is called, in the run's thread, when there is a frame to take."""
        self.experiment, self.state = experiment, experiment.start
        self.history: list[tuple[int, float]] = []
        self.problem = ""
        self._values = jnp.asarray(experiment.curve.values)
        self._changed = changed
        self._wishes = _Wishes(start=0, at=experiment.course.window - 1)
        self._heard = threading.Condition()
        self._frame: Frame | None = None  # that nobody has taken yet
        self._last: Frame | None = None
        self._shown = 0  # of the history
        self._speed = 0.0
        self._pace_due = self._frame_due = 0.0  # seconds of the clock
        self._stale = True  # whether there is something that no frame has shown
        self.prepared = threading.Event()
        self._thread = threading.Thread(target=self._work, name="lab run", daemon=True)
        self._thread.start()

    def wish(self, **wishes: bool | int | float) -> None:
        """Change what is wanted: ``running``, ``pace``, ``frame``; ``start`` and ``at`` of the window."""
        with self._heard:
            for name, value in wishes.items():
                setattr(self._wishes, name, value)
            self._wishes.running &= not self.is_over
            self._stale |= not {"start", "at", "running"}.isdisjoint(wishes)
            self._heard.notify()

    def step(self) -> None:
        """Pause, and do one step more than was asked for before."""
        with self._heard:
            self._wishes.running = False
            self._wishes.steps += 1
            self._wishes.frame = True
            self._heard.notify()

    def take(self) -> Frame | None:
        """The frame that was made since it was wished for; None where there is none yet."""
        with self._heard:
            frame, self._frame = self._frame, None
            return frame

    def close(self) -> None:
        """End the thread, and wait for that."""
        self.wish(closed=True)
        self._thread.join()

    @property
    def is_over(self) -> bool:
        """Whether there is nothing left to train."""
        return bool(self.problem) or int(self.state.step) >= self.experiment.course.steps

    def _work(self) -> None:
        try:
            self._train_to(0)
            self._show()
            self._frame_due = 0.0  # that took long because it was compiled first, and says nothing of the next
            self.prepared.set()
            self._serve()
        except Exception as error:  # whatever it is, the page says so, where a thread would end in silence
            self.problem = f"the run has ended: {type(error).__name__}: {error}"
            with self._heard:
                if self._last is not None:
                    self._frame = self._last._replace(losses=[], running=False, problem=self.problem)
            self.prepared.set()
            self._changed()

    def _serve(self) -> None:
        """Do what is wanted, until the run is closed."""
        while True:
            with self._heard:
                while not (self._wishes.closed or self._must_train() or self._must_show()):
                    self._heard.wait(IDLE if self._wishes.running or (self._stale and self._wishes.frame) else None)
                if self._wishes.closed:
                    return
            if self._must_train():
                self._train()
            if self._must_show():
                self._show()

    def _must_train(self) -> bool:
        wishes = self._wishes
        wanted = wishes.steps > 0 or (wishes.running and time.perf_counter() >= self._pace_due)
        return wanted and not self.is_over

    def _must_show(self) -> bool:
        return self._wishes.frame and self._stale and time.perf_counter() >= self._frame_due

    def _train(self) -> None:
        with self._heard:
            began, single, steps = time.perf_counter(), self._wishes.steps > 0, self._portion()
        self._train_to(min(int(self.state.step) + steps, self.experiment.course.steps))
        with self._heard:
            wishes, now = self._wishes, time.perf_counter()
            self._pace_due = max(self._pace_due, now - PORTION) + steps / wishes.pace if wishes.pace else now
            speed = steps / (max(self._pace_due, now) - began)
            self._speed += SMOOTH * (speed - self._speed) if self._speed else speed
            wishes.steps -= single
            wishes.running &= not self.is_over
            self._stale = True

    def _train_to(self, goal: int) -> None:
        experiment = self.experiment
        try:
            for progress in train(
                self.state, experiment.loss, experiment.optimizer, self._values, steps=goal, every=MOST_AT_ONCE
            ):
                self.state = progress.state
                self.history.append((int(progress.state.step), float(progress.losses.mean(dtype=np.float64))))
        except DivergedError as error:
            self.problem = str(error)

    def _portion(self) -> int:
        """How many steps to do before looking up again."""
        wishes = self._wishes
        if wishes.steps:
            return 1
        if wishes.pace:
            return max(round(wishes.pace * PORTION), 1)
        return min(max(round(self._speed * PORTION), 1), MOST_AT_ONCE)

    def _show(self) -> None:
        began = time.perf_counter()
        with self._heard:
            start, at, running = self._wishes.start, self._wishes.at, self._wishes.running
            self._stale = False
        seen = jax.block_until_ready(look(self.state.model, jnp.asarray(window_of(self, start)), jnp.int32(at)))
        step, speed = int(self.state.step), self._speed if running else 0.0
        with self._heard:
            untaken = self._frame.losses if self._frame else []
            losses, self._shown = untaken + self.history[self._shown :], len(self.history)
            self._frame = self._last = Frame(start, at, step, losses, seen, speed, running, self.problem)
            self._wishes.frame = False
        now = time.perf_counter()
        self._frame_due = max(now + (now - began) / SHARE, began + LEAST_PAUSE)
        self._changed()


def window_of(run: Run, start: int) -> np.ndarray:
    """The window (T + 1,) from ``start``: its inputs, and one step on its targets."""
    return run.experiment.curve.values[start : start + run.experiment.course.window + 1]
