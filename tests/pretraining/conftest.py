"""Small pools in this process: the real ones take seconds, and a process of their own that imports the library."""

from functools import cache
from itertools import count

import pytest

from throughtime.pretraining import batches
from throughtime.pretraining.pool import LONG_SEASONS, SHORT_SEASONS
from throughtime.pretraining.run import optimizer

SOURCES = {
    "short": batches.Source(3, 64, 192, {128: 1.0}, SHORT_SEASONS, 0.0),
    "long": batches.Source(2, 32, 1130, {512: 0.5, 1024: 0.5}, LONG_SEASONS, 0.5),
}


class Here(batches.SyntheticBatches):
    """The same batches, made in this process."""

    def starting_at(self, step):
        """Yield the batches of ``step``, ``step + 1``, ..."""
        return (batches.batch_of(self.seed, number) for number in count(step))


@pytest.fixture(scope="module")
def few():
    """Batches of few windows from few series."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batches, "SOURCES", SOURCES)
        patch.setattr("throughtime.pretraining.run.SyntheticBatches", Here)
        # The type checks wrap an optimizer's functions anew each time: one for all, so that runs share their program.
        patch.setattr("throughtime.pretraining.run.optimizer", cache(optimizer))
        batches._pool.cache_clear()
        yield
    batches._pool.cache_clear()
