"""Several training runs at once, each in a thread of its own: compiled programs hold no lock of Python's."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from threading import Event
from typing import TypeVar

from throughtime.training.loop import Progress

ATTENTION = 0.1  # seconds after which the thread that waits sees a signal, whichever thread it reached
T = TypeVar("T")
Run = Callable[[Callable[[Progress], None]], T]
"""A training run: calls what it is given with its progress, and returns what it has learned."""


class _StoppedError(Exception):
    """Another run failed, or the program was interrupted."""


def side_by_side(runs: Sequence[Run[T]], reports: Sequence[Callable[[Progress], None]]) -> list[T]:
    """The results of all runs, in their order; as many at once as there are cores.

    Every run makes its numbers by itself, so they do not depend on how many are under way. When one raises, or its
    report does, the others stop at their next report, those that wait never begin, and the first error comes out.
    """
    stop = Event()

    def follow(run: Run[T], report: Callable[[Progress], None]) -> T:
        def heard(progress: Progress) -> None:
            if stop.is_set():
                raise _StoppedError
            report(progress)

        if stop.is_set():  # it waited for a core
            raise _StoppedError
        try:
            return run(heard)
        except BaseException:
            stop.set()
            raise

    with ThreadPoolExecutor(min(len(runs), os.cpu_count() or 1)) as pool:
        try:
            futures = [pool.submit(follow, run, report) for run, report in zip(runs, reports, strict=True)]
            while wait(futures, timeout=ATTENTION).not_done:
                pass
        finally:  # an interrupt may have come meanwhile
            stop.set()
    errors = [error for future in futures if (error := future.exception()) is not None]
    for error in errors:
        if not isinstance(error, _StoppedError):
            raise error
    return [future.result() for future in futures]
