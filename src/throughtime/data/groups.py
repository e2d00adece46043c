"""Series in groups that are worked on at once: groups bound the memory, and the sizes of programs."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray


def slices_of(lengths: NDArray[np.int64], *, most_series: int, most_steps: int) -> Iterator[slice]:
    """Yield slices of series of these lengths (N,), each of few series and few steps; one long series is a group."""
    first, ends = 0, np.cumsum(lengths)
    while first < len(lengths):
        reached = ends[first] - lengths[first] + most_steps
        last = min(int(np.searchsorted(ends, reached, side="right")), first + most_series)
        yield slice(first, max(last, first + 1))
        first = max(last, first + 1)
