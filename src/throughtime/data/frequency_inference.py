"""The frequency of time stamps: the coarsest calendar on whose steps all of them are.

pandas' ``infer_freq`` would not do: it refuses series with gaps, and reads one series at a time.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from throughtime.data.calendars import day_of_month, weekday_of_month, weekdays_of
from throughtime.data.frequency import Frequency
from throughtime.data.irregular import (
    FrequencyError,
    Name,
    check_alike,
    check_jitter,
    check_neighbors,
    check_sparse,
    refuse_odd,
)
from throughtime.data.openings import find_openings
from throughtime.data.time_zones import instants_of, wall_clock
from throughtime.data.timestamps import distinct_values

BUSINESS_SPAN = 14  # daily data over this many days without a weekend are business days


def infer_frequency(
    times: NDArray,
    offsets: NDArray[np.int64] | None = None,
    *,
    stamp: str | None = None,
    zone: str | None = None,
    name: Name | None = None,
) -> Frequency:
    """Return the coarsest frequency on whose grid all time stamps are: months, days, elapsed time or integer steps.

    Args:
        times: time stamps of all series, one series after the other, rising within each: integers, or datetime64 (in
            UTC if there is a ``zone``).
        offsets: the position at which each series begins and the last one ends, (N + 1,); without it one series.
        stamp: NumPy's name for the type that future time stamps shall have; that of ``times`` by default.
        zone: the time zone in which days and months begin.
        name: describes the time stamp at a position, for messages; its value by default.

    Raises:
        FrequencyError: if no series has two time stamps, or if they are irregular.
    """
    offsets = np.array([0, len(times)]) if offsets is None else offsets
    name = name or (lambda position: str(times[position]))
    within = np.ones(max(len(times) - 1, 0), bool)
    within[offsets[1:-1] - 1] = False  # the difference between the end of one series and the start of the next
    frequency, steps = next(_candidates(times, within, stamp or str(times.dtype), zone))
    if not len(steps):
        if frequency.unit == "integer":
            return frequency
        raise FrequencyError(
            f"the frequency is unknown: no series has more than one time stamp, such as {name(0)}; "
            f"expected two or more",
            code="unknown-frequency",
            position=0,
            found="1 time stamp",
            expected="2 or more",
        )
    before = np.flatnonzero(within)
    frequency = replace(frequency, multiple=int(np.gcd.reduce(steps)))
    if frequency.unit == "day" and np.median(steps) == 1 and _no_weekends(frequency.ordinals(times), within):
        frequency = replace(frequency, unit="business day")
    elif frequency.unit != "integer":
        frequency = _with_openings(frequency, times, steps, within, name)
    steps = np.diff(frequency.ordinals(times))[within]
    check_jitter(frequency, steps, before, name)
    check_sparse(frequency, steps, before, name)
    check_neighbors(frequency, steps, before, name)
    check_alike(frequency, steps, before, name)
    return frequency


def _with_openings(
    frequency: Frequency,
    times: NDArray,
    steps: NDArray[np.int64],
    within: NDArray[np.bool_],
    name: Name,
) -> Frequency:
    """Return the frequency with the steps that have rows, if others never do; as business days if these are they."""
    clocks = wall_clock(times, frequency.zone).astype(np.int64) if frequency.unit == "elapsed" else None
    series = np.append(0, np.cumsum(~within))
    found = find_openings(
        frequency.unit, frequency.ordinals(times) if clocks is None else clocks, frequency.multiple, series
    )
    if found is not None and not found.clean:
        check_jitter(frequency, steps, np.flatnonzero(within), name)
    if found is None:
        return frequency
    weekdays = frequency.unit == "day" and found.runs == ((0, 5),)
    narrowed = replace(frequency, unit="business day") if weekdays else replace(frequency, open_steps=found.runs)
    if not _exact(narrowed, np.delete(times, found.odd)):
        return frequency  # its clocks are changed while it is open
    if len(found.odd):
        refuse_odd(narrowed, found.odd, len(times), name)
    return narrowed


def _exact(frequency: Frequency, times: NDArray) -> bool:
    """Return if the times are on the grid, and the grid rises over their span and a year more."""
    ordinals, instants = frequency.ordinals(times), times.astype("datetime64[us]")
    ends = frequency.ordinals(np.array([instants.min(), instants.max() + np.timedelta64(366, "D")]))
    grid = frequency.instants(np.arange(ends[0], ends[1] + 1, frequency.multiple))
    return np.array_equal(frequency.instants(ordinals), instants) and bool((np.diff(grid) > np.timedelta64(0)).all())


def _candidates(
    times: NDArray, within: NDArray[np.bool_], stamp: str, zone: str | None
) -> Iterator[tuple[Frequency, NDArray[np.int64]]]:
    """Yield the units on whose grid all time stamps are, coarsest first, and the differences within each series."""
    if times.dtype.kind in "iu":
        candidates = [Frequency("integer", stamp=stamp)]
    else:
        wall = wall_clock(distinct_values(times.astype("datetime64[us]")), zone)
        days = wall.astype("datetime64[D]")
        # A clock set forward at midnight makes that day begin later: the earliest time is the usual one.
        time_of_day = int((wall - days).min().astype(np.int64))
        candidates = [
            Frequency("month", stamp=stamp, zone=zone, time_of_day=time_of_day, day=day_of_month(days)),
            *_weekdays_of_months(days, Frequency("month", stamp=stamp, zone=zone, time_of_day=time_of_day)),
            Frequency("day", stamp=stamp, zone=zone, time_of_day=time_of_day),
            Frequency("elapsed", stamp=stamp, zone=zone),
        ]
    for candidate in candidates:
        if candidate.unit in ("month", "day"):
            instants = instants_of(wall, zone)
            if not np.array_equal(candidate.instants(candidate.ordinals(instants)), instants):
                continue
        steps = np.diff(candidate.ordinals(times))[within]
        if candidate.unit in ("integer", "elapsed") or not len(steps) or steps.min() > 0:
            yield candidate, steps


def _weekdays_of_months(days: NDArray, month: Frequency) -> list[Frequency]:
    """Return months that are counted by a weekday, unless the dates are equally far apart, as those of weekly data."""
    weekday = weekday_of_month(days)
    if weekday is None or len(np.unique(np.diff(days))) < 2:
        return []
    return [replace(month, weekday=weekday)]


def _no_weekends(days: NDArray[np.int64], within: NDArray[np.bool_]) -> bool:
    """Return if a series spans two weeks and none has a Saturday or Sunday."""
    ends = np.flatnonzero(np.append(~within, True))
    starts = np.append(0, ends[:-1] + 1)
    weekdays = weekdays_of(days)
    return bool((days[ends] - days[starts]).max() >= BUSINESS_SPAN and weekdays.max() < 5)
