"""A run: one network's training in its own thread, with commands in and frames out."""

import time
from collections.abc import Callable
from contextlib import suppress
from enum import Enum
from queue import Empty, Queue
from threading import Event, Thread
from typing import NamedTuple

from throughtime.lab.frame import Camera, Frame, Place
from throughtime.lab.schedule import Schedule
from throughtime.lab.trainer import Trainer


class State(Enum):
    """The states of a run."""

    COMPILING = "compiling"
    PAUSED = "paused"
    RUNNING = "running"
    OVER = "over"  # all steps are done, or training cannot continue


class Go(NamedTuple):
    """The command to train, or to pause."""

    running: bool


class Step(NamedTuple):
    """The command to pause, and to do one more training step."""


class Pace(NamedTuple):
    """The command to train that many steps per second; 0 for as many as possible."""

    steps_per_second: float


class Show(NamedTuple):
    """The command to make a frame as soon as there is something new, of another place if there is one."""

    place: Place | None = None


class Close(NamedTuple):
    """The command to end the thread."""


Command = Go | Step | Pace | Show | Close


class Run:
    """A thread that trains one network and makes frames of it, as commands tell it.

    Attributes:
        trainer: the network and its training; any thread may read it.
        state: the state of the thread.
        compiled: set when the first frame was made, or when that failed.
    """

    def __init__(self, trainer: Trainer, on_frame: Callable[[], None] = lambda: None):
        """Prepare a run; its thread, once started, calls ``on_frame`` when there is a frame to take."""
        self.trainer, self.state, self.compiled = trainer, State.COMPILING, Event()
        self._on_frame = on_frame
        self._commands, self._frames = Queue[Command](), Queue[Frame]()
        self._camera, self._schedule = Camera(trainer), Schedule()
        self._single_steps = 0  # that are still to do
        self._thread = Thread(target=self._work, name="lab run", daemon=True)

    def start(self) -> None:
        """Start the thread: it compiles, makes the first frame and waits for commands."""
        self._thread.start()

    def send(self, *commands: Command) -> None:
        """Give commands; they are obeyed in their order, between two portions of training."""
        for command in commands:
            self._commands.put(command)

    def take(self) -> Frame | None:
        """Return the newest frame, with the losses of those before it that nobody took; None if there is no new one."""
        frame, losses = None, list[tuple[int, float]]()
        with suppress(Empty):
            while True:
                frame = self._frames.get_nowait()
                losses += frame.losses
        return None if frame is None else frame._replace(losses=losses)

    def close(self) -> None:
        """End the thread, and wait until it has ended."""
        self.send(Close())
        self._thread.join()

    def is_alive(self) -> bool:
        """Return True while the thread works."""
        return self._thread.is_alive()

    def _work(self) -> None:
        """Do all the work of the thread; an error becomes the run's problem, as a thread would end silently."""
        try:
            self._compile()
            self._serve()
        except Exception as error:
            self.state = State.OVER
            self.trainer.problem = f"the run has ended: {type(error).__name__}: {error}"
            if frame := self._camera.final(self.trainer.problem):
                self._frames.put(frame)
            self.compiled.set()
            self._on_frame()

    def _compile(self) -> None:
        self.trainer.train_to(0)
        self._show()
        self._schedule.picture_due = 0.0  # the first picture was slow because it was compiled
        self.state = State.OVER if self.trainer.is_over else State.PAUSED
        self.compiled.set()

    def _serve(self) -> None:
        """Obey commands, train and make frames, until the run is closed."""
        while True:
            for command in self._received():
                if isinstance(command, Close):
                    return
                self._obey(command)
            if self._single_steps:
                self._train(1)
            elif self.state is State.RUNNING and self._schedule.training_due <= time.perf_counter():
                self._train(self._schedule.portion())
            if self._camera.is_due() and self._schedule.picture_due <= time.perf_counter():
                self._show()

    def _received(self) -> list[Command]:
        """Return the commands that arrived; wait for one until there is something to do."""
        commands = list[Command]()
        with suppress(Empty):
            commands.append(self._commands.get(timeout=self._idle_seconds()))
            while True:
                commands.append(self._commands.get_nowait())
        return commands

    def _idle_seconds(self) -> float | None:
        """Return the seconds until training or a picture is due; None if only a command can bring work."""
        if self._single_steps:
            return 0.0
        due = [self._schedule.training_due] if self.state is State.RUNNING else []
        due += [self._schedule.picture_due] if self._camera.is_due() else []
        return max(min(due) - time.perf_counter(), 0.0) if due else None

    def _obey(self, command: Command) -> None:
        over = self.trainer.is_over
        match command:
            case Go(running):
                self.state = State.OVER if over else State.RUNNING if running else State.PAUSED
                self._camera.is_new = True
            case Step():
                self.state = State.OVER if over else State.PAUSED
                self._single_steps += not over
                self._camera.wanted = True
            case Pace(steps_per_second):
                self._schedule.pace = steps_per_second
            case Show(place):
                self._camera.wanted = True
                if place is not None:
                    self._camera.place, self._camera.is_new = place, True

    def _train(self, steps: int) -> None:
        """Train some steps."""
        began = time.perf_counter()
        self.trainer.train_to(self.trainer.step + steps)
        self._schedule.trained(steps, began, time.perf_counter())
        self._camera.is_new = True
        self._single_steps = max(self._single_steps - 1, 0)
        if self.trainer.is_over:
            self.state, self._single_steps = State.OVER, 0

    def _show(self) -> None:
        """Make a frame."""
        began = time.perf_counter()
        self._frames.put(self._camera.shoot(speed=self._schedule.speed, running=self.state is State.RUNNING))
        self._schedule.shown(began, time.perf_counter())
        self._on_frame()
