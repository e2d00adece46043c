"""Several training runs at the same time, each in its own thread: a compiled program does not hold Python's lock."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor, wait
from threading import Event
from typing import TypeVar

from throughtime.training.loop import Callback, Progress

POLL = 0.1  # seconds from wake-up to wake-up of the waiting thread; Python handles a signal only in a thread that runs
T = TypeVar("T")
TrainingRun = Callable[[Callback], T]
"""A function that trains. It calls its argument with each progress, stops early if that returns True, and returns the
result.
"""


def run_in_parallel(runs: Sequence[TrainingRun[T]], callbacks: Sequence[Callback], devices: int = 1) -> list[T]:
    """Return the results of all runs, in their order; at most one run per core is active.

    The numbers of a run do not depend on the other runs.

    Args:
        runs: each one trains one model.
        callbacks: one for each run. If it returns True, its run stops early and its result counts.
        devices: that each run uses. Runs on several take turns: their programs would wait for each other's devices.

    Raises:
        Exception: the first error of a run or of a callback. The other runs are then stopped at their next progress,
            and those that have not begun never begin.
    """
    stop, errors = Event(), list[BaseException]()

    def follow(run: TrainingRun[T], callback: Callback) -> T:
        def stop_early(progress: Progress) -> bool:
            return stop.is_set() or bool(callback(progress))

        if stop.is_set():  # an error came while this run waited for a core
            raise CancelledError
        try:
            return run(stop_early)
        except BaseException as error:
            errors.append(error)
            stop.set()
            raise

    cores = 1 if devices > 1 else os.cpu_count() or 1
    with ThreadPoolExecutor(min(len(runs), cores)) as pool:
        try:
            futures = [pool.submit(follow, run, callback) for run, callback in zip(runs, callbacks, strict=True)]
            while wait(futures, timeout=POLL).not_done:
                pass
        finally:  # also after an interrupt of the waiting thread
            stop.set()
    if errors:
        raise errors[0]
    return [future.result() for future in futures]
