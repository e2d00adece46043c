"""The time axis that all series of a page share: every step has one place and one label."""

from typing import NamedTuple

import numpy as np

from throughtime.data import Frequency, wall_clock


class TimeAxis(NamedTuple):
    """The axis of all charts of a page.

    Attributes:
        stamps: (A,) milliseconds since 1970 in the local time of the data's zone, or the integers of an integer axis.
        first: (N,) the place on it of each series' first step.
        resolution: the finest part of a stamp that is written: "year", "month", "day", "minute" or "millisecond"; empty
            for integers.
    """

    stamps: np.ndarray
    first: np.ndarray
    resolution: str


def time_axis(frequency: Frequency, starts: np.ndarray, counts: np.ndarray) -> TimeAxis:
    """Return the axis of N series that begin at the ordinals ``starts`` (N,) and have ``counts`` (N,) steps each.

    Series may be a fraction of a step apart: each such group has a separate part of the axis, so that the steps of a
    series are always neighbors.
    """
    phases, of_phase = np.unique(starts % frequency.multiple, return_inverse=True)
    first, parts, used = np.zeros(len(starts), int), [], 0
    for phase in range(len(phases)):
        rows = np.flatnonzero(of_phase == phase)
        ordinals = np.unique(
            np.concatenate([starts[row] + frequency.multiple * np.arange(counts[row]) for row in rows])
        )
        first[rows] = used + np.searchsorted(ordinals, starts[rows])
        parts.append(ordinals)
        used += len(ordinals)
    times = frequency.times(np.concatenate(parts)) if parts else np.empty(0, int)
    if times.dtype.kind != "M":
        return TimeAxis(times.astype(np.int64), first, "")
    clocks = wall_clock(times.astype("datetime64[us]"), frequency.zone).astype("datetime64[ms]")
    return TimeAxis(clocks.astype(np.int64), first, _resolution(frequency))


def _resolution(frequency: Frequency) -> str:
    if frequency.unit == "month":
        return "year" if frequency.multiple % 12 == 0 else "month"
    if frequency.unit == "elapsed":
        return "minute" if frequency.multiple % 60_000_000 == 0 else "millisecond"
    return "day"
