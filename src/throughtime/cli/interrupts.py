"""Ctrl-C at any moment: one message, exit code 130, nothing half-written.

Python's own KeyboardInterrupt does not do for a whole program. Raised inside a callback of the garbage collector, as
JAX has one, it is thrown away and the program runs on; raised while an extension module is imported, it may end in a
crash. So a command raises nothing: it cleans up and leaves, right where the signal is handled.
"""

import json
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

INTERRUPTED = 130  # 128 + SIGINT, as shells have it
_as_json = False
_cleaning: list[Callable[[], object]] = []
_kept: list[Callable[[], str]] = [lambda: "Nothing was written."]
_stopping: list["Stop"] = []


def listen(*, as_json: bool) -> None:
    """From here on Ctrl-C ends this process, on standard output too where JSON is asked for.

    Where it is ignored, as below ``nohup``, it stays so.
    """
    global _as_json
    _as_json = as_json
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _leave)


def answered() -> None:
    """From here on Ctrl-C changes nothing: the command is over, and is telling how it ended."""
    if signal.getsignal(signal.SIGINT) is _leave:
        signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextmanager
def saying(kept: Callable[[], str]) -> Iterator[None]:
    """What the message of an interrupt inside adds: what there is by then."""
    _kept.append(kept)
    try:
        yield
    finally:
        _kept.pop()


class Stop:
    """Whether what is under way should come to an early end, and keep what it has reached.

    Attributes:
        ready: whether there is something worth keeping yet; until then Ctrl-C leaves at once.
        asked: whether Ctrl-C was pressed since.
    """

    def __init__(self) -> None:
        self.ready, self.asked = threading.Event(), threading.Event()


@contextmanager
def stoppable(stop: Stop) -> Iterator[None]:
    """The first Ctrl-C inside asks ``stop``, once that is ready; the second leaves, as anywhere else."""
    _stopping.append(stop)
    try:
        yield
    finally:
        _stopping.pop()


@contextmanager
def cleaning(clean: Callable[[], object]) -> Iterator[None]:
    """``clean`` runs when this ends, however it ends: by Ctrl-C too, which runs no ``finally`` of a command."""
    _cleaning.append(clean)
    try:
        yield
    finally:
        with held():
            _cleaning.pop()
            clean()


@contextmanager
def held() -> Iterator[None]:
    """What is done inside is done whole: a Ctrl-C is noted, and has its effect afterwards."""
    noted: list[int] = []
    try:
        former = signal.signal(signal.SIGINT, lambda number, frame: noted.append(number))
    except ValueError:  # not the main thread, which alone is ever interrupted
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, former)
        if noted:
            signal.raise_signal(signal.SIGINT)


def _leave(number: int, frame: FrameType | None) -> None:
    if _stopping and _stopping[-1].ready.is_set() and not _stopping[-1].asked.is_set():
        _stopping[-1].asked.set()
        with suppress(OSError):
            os.write(2, b"\nthroughtime: finishing with what has been learned so far; Ctrl-C again leaves at once\n")
        return
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for clean in reversed(_cleaning):
        with suppress(Exception):
            clean()
    message = f"interrupted. {_kept[-1]()}"
    with suppress(OSError):  # past Python's buffers: the signal may have come while they were written to
        if _as_json:
            os.write(1, f"{json.dumps({'error': message})}\n".encode())
        line = "\n" if os.isatty(2) else ""  # the terminal has written ^C
        os.write(2, f"{line}throughtime: {message}\n".encode(errors="replace"))
    os._exit(INTERRUPTED)
