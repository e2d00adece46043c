"""The few time stamps that are on no step of the others: each is moved to the nearest step, if that has no row."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from throughtime.data.frequency import Frequency
from throughtime.data.frequency_inference import infer_frequency
from throughtime.data.irregular import FrequencyError, Name
from throughtime.data.time_zones import wall_clock

MOST = 0.02  # of the rows may be odd; one always may
FEWEST = 20  # rows, of which one may be odd


class Settled(NamedTuple):
    """Time stamps with a frequency.

    Attributes:
        times: of all rows, as they came but for the moved ones.
        frequency: of them.
        moved: the positions of the moved ones.
    """

    times: NDArray
    frequency: Frequency
    moved: NDArray[np.int64]


def settle_times(times: NDArray, offsets: NDArray[np.int64], *, stamp: str, zone: str | None, name: Name) -> Settled:
    """Return the frequency of time stamps, after a few odd ones were moved to the steps of the others.

    An odd time stamp is moved to the nearest step. If another row has that step, nothing is moved: one of the two would
    be lost.

    Args:
        times: as :func:`infer_frequency` has them.
        offsets: where each series begins and the last one ends, (N + 1,).
        stamp: NumPy's name for the type that future time stamps shall have.
        zone: the time zone in which days and months begin.
        name: describes the time stamp at a position, for messages.

    Raises:
        FrequencyError: if there is no frequency, even without odd rows, or the steps of odd ones have other rows.
    """
    try:
        return Settled(times, infer_frequency(times, offsets, stamp=stamp, zone=zone, name=name), times[:0].astype(int))
    except FrequencyError as error:
        if times.dtype.kind == "M" and len(times) >= FEWEST:
            for odd in _candidates(times, offsets, zone, error):
                settled = _without(odd, times, offsets, stamp, zone)
                if settled is not None:
                    return settled
        raise


def settle_on(frequency: Frequency, times: NDArray, offsets: NDArray[np.int64], *, name: Name) -> Settled:
    """Return time stamps on the steps of a known frequency, after a few odd ones were moved as above.

    Args:
        frequency: of the series that these continue, or stand beside.
        times: as :func:`infer_frequency` has them.
        offsets: where each series begins and the last one ends, (N + 1,).
        name: describes the time stamp at a position, for messages.

    Raises:
        FrequencyError: if some are on no step of the frequency.
    """
    ordinals = frequency.ordinals(times)
    steps = ordinals - np.repeat(ordinals[offsets[:-1]], np.diff(offsets))
    odd = np.flatnonzero((frequency.instants(ordinals) != times) | (steps % frequency.multiple != 0))
    settled = Settled(times, frequency, odd)
    few = 0 < len(odd) <= max(1, MOST * len(times)) and len(times) >= FEWEST
    if few and times.dtype.kind == "M":
        settled = _moved(odd, times, offsets, frequency) or settled
    if len(odd) and settled.times is times:
        raise FrequencyError(
            f"other time stamps: {name(int(odd[0]))} is on no step of the known series, which are "
            f"{frequency.describe()}. Correct it, or resample to these steps.",
            code="other-frequency",
            position=int(odd[0]),
            found=str(times[odd[0]]),
            expected=frequency.describe(),
        )
    return settled


def _candidates(
    times: NDArray, offsets: NDArray[np.int64], zone: str | None, error: FrequencyError
) -> Iterator[NDArray[np.int64]]:
    """Yield sets of positions that may be the odd ones: few, and unlike all others."""
    wall = wall_clock(times, zone)
    days, months = wall.astype("datetime64[D]"), wall.astype("datetime64[M]")
    last = (days + 1).astype("datetime64[M]") != months
    in_month = (days - months.astype("datetime64[D]")).astype(np.int64)
    elapsed = times.astype("datetime64[us]").astype(np.int64)
    usual = int(np.median(np.delete(np.diff(elapsed), offsets[1:-1] - 1)))
    series = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    everywhere = np.zeros_like(series)
    kinds = (
        np.isin(np.arange(len(times)), error.odd),
        _unlike((wall - days).astype(np.int64), everywhere),
        _unlike(elapsed % max(usual, 1), series),
        ~last,
        _unlike(in_month, everywhere),
    )
    for odd in kinds:
        if 0 < odd.sum() <= max(1, MOST * len(times)):
            yield np.flatnonzero(odd)


def _unlike(values: NDArray[np.int64], groups: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return a mask of the values that are not the most frequent one of their group."""
    distinct, place, counts = np.unique(np.stack([groups, values]), axis=1, return_inverse=True, return_counts=True)
    order = np.lexsort((counts, distinct[0]))
    last = np.append(np.flatnonzero(np.diff(distinct[0][order])), len(order) - 1)
    return ~np.isin(place.ravel(), order[last])


def _without(
    odd: NDArray[np.int64], times: NDArray, offsets: NDArray[np.int64], stamp: str, zone: str | None
) -> Settled | None:
    """Return the times with the odd ones moved to steps of the others; None if that is impossible."""
    others = offsets - np.searchsorted(odd, offsets)
    if (np.diff(others) == 0).any():
        return None  # a series of odd rows alone has steps of its own
    try:
        frequency = infer_frequency(np.delete(times, odd), others, stamp=stamp, zone=zone)
    except FrequencyError:
        return None
    return _moved(odd, times, offsets, frequency)


def _moved(odd: NDArray[np.int64], times: NDArray, offsets: NDArray[np.int64], frequency: Frequency) -> Settled | None:
    """Return the times with the odd ones moved to the nearest steps of the others; None if these have rows."""
    others = offsets - np.searchsorted(odd, offsets)
    if (np.diff(others) == 0).any():
        return None
    series = np.searchsorted(offsets, odd, side="right") - 1
    moved = times.copy()
    moved[odd] = _nearest(times[odd], frequency, np.delete(times, odd)[others[:-1]][series])
    rising = np.diff(moved) > np.timedelta64(0)
    rising[offsets[1:-1] - 1] = True
    return Settled(moved, frequency, odd) if rising.all() else None


def _nearest(times: NDArray, frequency: Frequency, starts: NDArray) -> NDArray:
    """Return the steps nearest to some times, for each counted from the first time of its series."""
    first = frequency.ordinals(starts)
    near = first + (frequency.ordinals(times) - first) // frequency.multiple * frequency.multiple
    # The ordinal of the first of a month is that of its end, which is later.
    steps = np.stack([frequency.instants(near + shift * frequency.multiple) for shift in (-1, 0, 1)])
    nearest = np.abs(steps - times).argmin(axis=0)
    return steps[nearest, np.arange(len(times))].astype(times.dtype)
