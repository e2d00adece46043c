"""The frequency of time stamps: the coarsest calendar on whose steps all of them are.

pandas' ``infer_freq`` would not do: it refuses series with gaps, and reads one series at a time.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from throughtime._errors import InputError
from throughtime.data.frequency import THURSDAY, Frequency, month_days
from throughtime.data.time_zones import instants_of, wall_clock
from throughtime.data.timestamps import distinct_values

SPARSE = 10  # a grid this many times longer than its observations means a wrong frequency, not gaps
DOMINANT = 0.8  # if this share of the differences agrees, those that do not fit it are mistakes
BUSINESS_SPAN = 14  # daily data over this many days without a weekend are business days


class FrequencyError(InputError):
    """Time stamps without a frequency; ``position`` is that of the first that does not fit."""

    def __init__(self, message: str, *, code: str, position: int, found: str, expected: str):
        super().__init__(message, code=code, found=found, expected=expected)
        self.position = position


def infer_frequency(
    times: NDArray,
    offsets: NDArray[np.int64] | None = None,
    *,
    stamp: str | None = None,
    zone: str | None = None,
    name: Callable[[int], str] | None = None,
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
    step = int(np.gcd.reduce(steps))
    if frequency.unit == "day" and np.median(steps) == 1 and _no_weekends(frequency.ordinals(times), within):
        frequency = replace(frequency, unit="business day")
        steps = np.diff(frequency.ordinals(times))[within]
        step = int(np.gcd.reduce(steps))
    before = np.flatnonzero(within)
    _check_jitter(frequency, steps, step, before, name)
    _check_sparse(frequency, steps, step, before, name)
    return replace(frequency, multiple=step)


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
            Frequency("month", stamp=stamp, zone=zone, time_of_day=time_of_day, day=_day_of_month(days)),
            Frequency("day", stamp=stamp, zone=zone, time_of_day=time_of_day),
            Frequency("elapsed", stamp=stamp, zone=zone),
        ]
    for candidate in candidates:
        if candidate.unit in ("month", "day"):
            instants = instants_of(wall, zone)
            exact = replace(candidate, stamp="datetime64[us]")
            if not np.array_equal(exact.times(exact.ordinals(instants)), instants):
                continue
        steps = np.diff(candidate.ordinals(times))[within]
        if candidate.unit in ("integer", "elapsed") or not len(steps) or steps.min() > 0:
            yield candidate, steps


def _check_jitter(
    frequency: Frequency, steps: NDArray[np.int64], step: int, before: NDArray[np.int64], name: Callable[[int], str]
) -> None:
    """Refuse single steps that do not fit, if nearly all others are multiples of the usual one."""
    usual = int(np.median(steps))
    fits = steps % usual == 0
    if usual == step or fits.all() or fits.mean() < DOMINANT:
        return
    odd = int(fits.argmin())
    position, found, expected = int(before[odd]) + 1, _span(frequency, int(steps[odd])), _span(frequency, usual)
    raise FrequencyError(
        f"irregular time stamps: {name(position)} is {found} after {name(position - 1)}, but most are {expected} "
        f"apart. Correct it, or resample the series to regular steps.",
        code="irregular-times",
        position=position,
        found=found,
        expected=expected,
    )


def _check_sparse(
    frequency: Frequency, steps: NDArray[np.int64], step: int, before: NDArray[np.int64], name: Callable[[int], str]
) -> None:
    """Refuse a grid that is nearly empty: the series have no common frequency."""
    grid = int(steps.sum()) // step
    if grid <= SPARSE * len(steps):
        return

    def described(k: int) -> str:
        left = int(before[k])
        return f"{_span(frequency, int(steps[k]))} from {name(left)} to {name(left + 1)}"

    least, most = int(steps.argmin()), int(steps.argmax())
    raise FrequencyError(
        f"irregular time stamps: {described(least)}, but {described(most)}; only {len(steps):,} of {grid:,} steps "
        f"({replace(frequency, multiple=step).describe()}) would have a row. Resample to regular steps, and put series "
        f"of different frequencies into separate files.",
        code="irregular-times",
        position=int(before[most]) + 1,
        found=_span(frequency, int(steps[most])),
        expected=_span(frequency, int(steps[least])),
    )


def _span(frequency: Frequency, ordinals: int) -> str:
    if frequency.unit == "elapsed":
        return str(timedelta(microseconds=ordinals))
    if frequency.unit == "integer":
        return str(ordinals)
    return f"{ordinals} {frequency.unit}{'s' if ordinals > 1 else ''}"


def _day_of_month(days: NDArray) -> int:
    """Return the day that all dates share, 31 for month ends; dates in shorter months may be at their month's end."""
    months = days.astype("datetime64[M]")
    if np.array_equal(month_days(months, 31), days):
        return 31
    return int((days - months.astype("datetime64[D]")).max().astype(np.int64)) + 1


def _no_weekends(days: NDArray[np.int64], within: NDArray[np.bool_]) -> bool:
    """Return if a series spans two weeks and none has a Saturday or Sunday."""
    ends = np.flatnonzero(np.append(~within, True))
    starts = np.append(0, ends[:-1] + 1)
    weekdays = (days + THURSDAY) % 7
    return bool((days[ends] - days[starts]).max() >= BUSINESS_SPAN and weekdays.max() < 5)
