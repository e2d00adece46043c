"""Ctrl-C at any moment: one message, exit code 130, nothing half-written.

Python's KeyboardInterrupt does not suffice for a whole program. Raised inside a callback of the garbage collector, as
JAX has one, it is discarded and the program runs on; raised while an extension module is imported, it may end in a
crash. So the handler raises nothing: it cleans up and leaves, right where the signal is handled.
"""

import json
import os
import select
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from throughtime._temporary import remove_temporary_folders

INTERRUPTED = 130  # 128 + SIGINT, as shells have it
ENDS = (signal.SIGINT, signal.SIGTERM)  # the signals that ask a process to end
PATIENCE = 3.0  # seconds that a block may go on after a signal
FINISHING = b"\nthroughtime: finishing with what has been learned so far; Ctrl-C again leaves at once\n"


class Stop:
    """A request for an early end that keeps what has been reached.

    Attributes:
        message: what Ctrl-C prints.
        ready: set once there is something worth keeping; until then Ctrl-C leaves at once.
        asked: set when Ctrl-C was pressed.
    """

    def __init__(self, message: bytes = FINISHING) -> None:
        self.message = message
        self.ready, self.asked = threading.Event(), threading.Event()


class Interrupts:
    """The handling of Ctrl-C during one command.

    Attributes:
        as_json: whether the message goes to standard output as JSON too.
        kept: returns the second sentence of the message: what the command has written by then.
    """

    def __init__(self, *, as_json: bool = False):
        self.as_json = as_json
        self.kept: Callable[[], str] = lambda: "Nothing was written."
        self._cleanups: list[Callable[[], object]] = []
        self._stop: Stop | None = None

    def listen(self) -> None:
        """End the process on Ctrl-C from now on; if the signal is ignored, as under ``nohup``, it stays ignored."""
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, self._handle)

    def finish(self) -> None:
        """Ignore Ctrl-C from now on: the command is over and reports how it ended."""
        if signal.getsignal(signal.SIGINT) == self._handle:
            signal.signal(signal.SIGINT, signal.SIG_IGN)

    @contextmanager
    def terminable(self) -> Iterator[None]:
        """Let SIGTERM in the block do as Ctrl-C does, so that a service that is told to end cleans up too."""
        try:
            former = signal.signal(signal.SIGTERM, self._handle)
        except ValueError:  # not the main thread
            yield
            return
        try:
            yield
        finally:
            signal.signal(signal.SIGTERM, former)

    @contextmanager
    def cleaning(self, clean: Callable[[], object]) -> Iterator[None]:
        """Run ``clean`` when the block ends, by Ctrl-C too, which runs no ``finally`` of a command."""
        self._cleanups.append(clean)
        try:
            yield
        finally:
            with deferred():
                self._cleanups.pop()
                clean()

    @contextmanager
    def stoppable(self, stop: Stop) -> Iterator[None]:
        """Let the first Ctrl-C in the block set ``stop.asked``, once it is ready; the second leaves as anywhere."""
        self._stop = stop
        try:
            yield
        finally:
            self._stop = None

    def _handle(self, number: int, frame: FrameType | None) -> None:
        stop = self._stop
        if stop is not None and stop.ready.is_set() and not stop.asked.is_set():
            stop.asked.set()
            with suppress(OSError):
                os.write(2, stop.message)
            return
        self.leave()

    def leave(self) -> None:
        """Clean up, say that the command was interrupted, and end the process."""
        for number in ENDS:
            signal.signal(number, signal.SIG_IGN)
        remove_temporary_folders()
        for clean in reversed(self._cleanups):
            with suppress(Exception):
                clean()
        remove_temporary_folders()  # a worker that has ended now may have written to them
        message = f"interrupted. {self.kept()}"
        if self.as_json:
            _write(1, f"{json.dumps({'error': message})}\n")
        line = "\n" if os.isatty(2) else ""  # the terminal has written ^C
        _write(2, f"{line}throughtime: {message}\n")
        os._exit(INTERRUPTED)


def _write(file: int, text: str) -> None:
    """Write past Python's buffers, which the signal may have interrupted; nothing if a pipe's reader has stalled."""
    with suppress(OSError):
        if sys.platform == "win32" or select.select([], [file], [], 0)[1]:
            os.write(file, text.encode(errors="replace"))


@contextmanager
def deferred(late: Callable[[], object] | None = None) -> Iterator[None]:
    """Defer a Ctrl-C or a SIGTERM that comes during the block until its end.

    Args:
        late: called if the block goes on for ``PATIENCE`` seconds after that, as where it writes to a pipe whose reader
            has stalled; not on Windows.
    """
    numbers: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        numbers.append(number)
        if late is not None and sys.platform != "win32":
            signal.signal(signal.SIGALRM, lambda number, frame: late())
            signal.setitimer(signal.ITIMER_REAL, PATIENCE)

    try:
        former = {end: signal.signal(end, note) for end in ENDS}
    except ValueError:  # not the main thread, which alone is ever interrupted
        yield
        return
    try:
        yield
    finally:
        for end, handler in former.items():
            signal.signal(end, handler)
        if numbers:
            signal.raise_signal(numbers[0])
