"""Batches for pretraining: each step's batch comes from the seed and its number alone, so that a run can go on."""

import os
import signal
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from functools import lru_cache
from itertools import count
from multiprocessing import get_context, parent_process
from threading import Thread
from typing import NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from throughtime.pretraining.generators.draws import Rng, Seasons
from throughtime.pretraining.pool import LONG_SEASONS, SHORT_SEASONS, Pool, draw_pool
from throughtime.pretraining.windows import draw_windows
from throughtime.zero_shot import SHAPES, Inputs, inputs_of

EPOCH = 500  # steps with one pool
FARTHEST = 100.0  # units of the window: values beyond are cut in the loss
AHEAD = 32  # batches that are made before they are needed

Batch = dict[str, tuple[Inputs, np.ndarray]]
"""By the name of the shape, the inputs of B windows and what came after them (B, F), in units of the window."""


class Source(NamedTuple):
    """The windows of one shape in each batch.

    Attributes:
        windows: their number in a batch.
        series: in a pool.
        steps: of a series of the pool.
        histories: the lengths of history that are read, and their weights.
        seasons: the weight of each pair of seasons.
        coarse: the share of groups in coarse steps.
    """

    windows: int
    series: int
    steps: int
    histories: dict[int, float]
    seasons: dict[Seasons, float]
    coarse: float


SOURCES = {
    "short": Source(96, 24_000, 192, {128: 1.0}, SHORT_SEASONS, 0.0),
    "long": Source(32, 6_400, 2_304, {512: 0.6, 1024: 0.25, 2048: 0.15}, LONG_SEASONS, 0.3),
}


WINDOWS_A_STEP = sum(source.windows for source in SOURCES.values())


class SyntheticBatches:
    """The batches of a seed without end, made ahead in a process of their own.

    Attributes:
        seed: makes all of them.
    """

    seed: int

    def __init__(self, seed: int):
        """Name the seed; nothing is made yet."""
        self.seed = seed

    def __iter__(self) -> Iterator[Batch]:
        """Yield the batches from the first step on."""
        return self.starting_at(0)

    def starting_at(self, step: int) -> Iterator[Batch]:
        """Yield the batches of ``step``, ``step + 1``, ..."""
        with ProcessPoolExecutor(1, get_context("spawn"), _begin) as process:
            ahead: deque[Future[Batch]] = deque()
            try:
                for number in count(step):
                    ahead.append(process.submit(batch_of, self.seed, number))
                    if len(ahead) > AHEAD:
                        yield ahead.popleft().result()
            finally:
                process.shutdown(wait=False, cancel_futures=True)


def _begin() -> None:
    """Leave Ctrl-C to the parent process, end when it has ended, however that was, and use one core."""
    threadpool_limits(1)  # of products: on matrices this small a second thread only waits
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = parent_process()
    assert parent is not None

    def wait() -> None:
        parent.join()
        os._exit(0)

    Thread(target=wait, daemon=True).start()


def batch_of(seed: int, step: int) -> Batch:
    """Return the batch of one step."""
    rng = np.random.default_rng((seed, 1, step))
    return {name: draw_batch(rng, _pool(seed, step // EPOCH, name), name) for name in SOURCES}


@lru_cache(len(SOURCES))
def _pool(seed: int, epoch: int, name: str) -> Pool:
    source = SOURCES[name]
    rng = np.random.default_rng((seed, 0, epoch, list(SOURCES).index(name)))
    return draw_pool(rng, source.series, source.steps, source.seasons, coarse=source.coarse)


def draw_batch(rng: Rng, pool: Pool, name: str) -> tuple[Inputs, np.ndarray]:
    """Draw the inputs of windows and what came after them (B, F), in units of the window."""
    source, shape = SOURCES[name], SHAPES[name]
    steps = int(rng.choice(list(source.histories), p=list(source.histories.values())))
    drawn = draw_windows(rng, pool, source.windows, steps, shape.horizon)
    with np.errstate(all="ignore"):
        inputs = inputs_of(drawn.history, drawn.seasons, shape)
        future = (drawn.future - inputs.center) / inputs.scale
    return inputs, np.clip(np.nan_to_num(future), -FARTHEST, FARTHEST).astype(np.float32)
