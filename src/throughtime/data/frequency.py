"""The time axis as integer steps: infer the frequency of time stamps, and compute the stamps that follow.

Months, days and business days follow the calendar of the series' own time zone; shorter steps are elapsed time.
pandas' ``infer_freq`` would not do: it refuses series with gaps, and reads one series at a time.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from throughtime._errors import InputError
from throughtime.data.time_zones import instants_of, wall_clock
from throughtime.data.timestamps import distinct_values

Unit = Literal["integer", "elapsed", "day", "business day", "month"]
DAY = 86_400_000_000
MICROSECONDS = {
    "week": 7 * DAY,
    "day": DAY,
    "hour": DAY // 24,
    "minute": DAY // 1440,
    "second": 1_000_000,
    "millisecond": 1000,
    "microsecond": 1,
}
ADVERBS = {
    "hour": "hourly",
    "day": "daily",
    "week": "weekly",
    "month": "monthly",
    "quarter": "quarterly",
    "year": "yearly",
    "business day": "business days",
}
# The steps after which a pattern most often repeats; other units have no season.
SEASONS = {
    "month": 12,
    "quarter": 4,
    "week": 52,
    "day": 7,
    "business day": 5,
    "hour": 24,
    "minute": 1440,
    "second": 3600,
}
SPARSE = 10  # a grid this many times longer than its observations means a wrong frequency, not gaps
DOMINANT = 0.8  # if this share of the differences agrees, those that do not fit it are mistakes
BUSINESS_SPAN = 14  # daily data over this many days without a weekend are business days
THURSDAY = 3  # the weekday on which 1970 began; Monday is 0


@dataclass(frozen=True)
class Frequency:
    """A regular time axis. Consecutive steps are ``multiple`` ordinals apart.

    Ordinals count units since 1970: microseconds ("elapsed"), days, business days (Monday to Friday) or months; for
    "integer" they are the values themselves. Two series of one frequency may be a fraction of a step apart.

    Attributes:
        unit: the unit that ordinals count.
        multiple: ordinals from one step to the next.
        stamp: NumPy's name for the type of the user's time stamps: "int64", "datetime64[D]", "datetime64[us]" ...
        zone: the time zone in which days begin; time stamps are then in UTC. None for naive time stamps.
        time_of_day: microseconds after midnight in the zone, for days, business days and months.
        day: the day of the month, for months; shorter months use their last day, so that 31 means month ends.
    """

    unit: Unit
    multiple: int = 1
    stamp: str = "datetime64[us]"
    zone: str | None = None
    time_of_day: int = 0
    day: int = 1

    def __post_init__(self) -> None:
        if self.unit not in get_args(Unit) or self.multiple < 1:
            raise InputError(
                f"no frequency: {self.multiple} of the unit {self.unit!r}, expected 1 or more of {get_args(Unit)}",
                code="bad-frequency",
                found=[self.multiple, self.unit],
                expected=list(get_args(Unit)),
            )

    def ordinals(self, times: NDArray) -> NDArray[np.int64]:
        """Return the ordinals of time stamps: integers, or datetime64 (in UTC if there is a zone)."""
        if self.unit == "integer":
            return times.astype(np.int64)
        instants = times.astype("datetime64[us]")
        if self.unit == "elapsed":
            return instants.astype(np.int64)
        days = wall_clock(instants, self.zone).astype("datetime64[D]")
        if self.unit == "month":
            return days.astype("datetime64[M]").astype(np.int64)
        return _weekdays(days.astype(np.int64)) if self.unit == "business day" else days.astype(np.int64)

    def times(self, ordinals: NDArray[np.int64]) -> NDArray:
        """Return the time stamps of ordinals, of type ``stamp``: the exact inverse of ``ordinals`` on the grid."""
        if self.unit == "integer":
            return ordinals.astype(self.stamp)
        if self.unit == "elapsed":
            return ordinals.astype("datetime64[us]").astype(self.stamp)
        if self.unit == "month":
            days = _month_days(ordinals.astype("datetime64[M]"), self.day)
        elif self.unit == "business day":
            days = _days_of_weekdays(ordinals).astype("datetime64[D]")
        else:
            days = ordinals.astype("datetime64[D]")
        return instants_of(days.astype("datetime64[us]") + self.time_of_day, self.zone).astype(self.stamp)

    def describe(self) -> str:
        """Return the frequency in words: "monthly", "every 15 minutes", "business days", "integer steps of 2"."""
        if self.unit == "integer":
            return "integer steps" + (f" of {self.multiple}" if self.multiple > 1 else "")
        count, name = self._count_and_name()
        return ADVERBS.get(name, f"every {name}") if count == 1 else f"every {count} {name}s"

    def span(self, steps: int) -> str:
        """Return the time that ``steps`` steps take: "24 hours", "1 year", "7 business days", "8 integer steps"."""
        if self.unit == "integer":
            return f"{steps * self.multiple} integer step{'' if steps * self.multiple == 1 else 's'}"
        count, name = replace(self, multiple=self.multiple * steps)._count_and_name()
        return f"{count} {name}{'' if count == 1 else 's'}"

    @property
    def season(self) -> int:
        """The steps after which such data most often repeat: 12 for monthly, 24 for hourly, 1 if no season is known."""
        count, name = self._count_and_name()
        cycle = SEASONS.get(name, 1)
        return cycle // count if cycle % count == 0 else 1

    def _count_and_name(self) -> tuple[int, str]:
        """Return one step as a count of the largest unit that divides it."""
        if self.unit == "month" and self.multiple == 3:
            return 1, "quarter"
        if self.unit == "month" and self.multiple % 12 == 0:
            return self.multiple // 12, "year"
        if self.unit in ("elapsed", "day"):
            step = self.multiple * (DAY if self.unit == "day" else 1)
            return next((step // length, name) for name, length in MICROSECONDS.items() if step % length == 0)
        return self.multiple, self.unit


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
    if np.array_equal(_month_days(months, 31), days):
        return 31
    return int((days - months.astype("datetime64[D]")).max().astype(np.int64)) + 1


def _month_days(months: NDArray, day: int) -> NDArray:
    first = months.astype("datetime64[D]")
    length = ((months + 1).astype("datetime64[D]") - first).astype(np.int64)
    return first + (np.minimum(day, length) - 1)


def _no_weekends(days: NDArray[np.int64], within: NDArray[np.bool_]) -> bool:
    """Return if a series spans two weeks and none has a Saturday or Sunday."""
    ends = np.flatnonzero(np.append(~within, True))
    starts = np.append(0, ends[:-1] + 1)
    weekdays = (days + THURSDAY) % 7
    return bool((days[ends] - days[starts]).max() >= BUSINESS_SPAN and weekdays.max() < 5)


def _weekdays(days: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return days since 1970 as weekdays since then; a weekend day counts as the Friday before."""
    week, day = np.divmod(days + THURSDAY, 7)
    return 5 * week + np.minimum(day, 4) - THURSDAY


def _days_of_weekdays(weekdays: NDArray[np.int64]) -> NDArray[np.int64]:
    week, day = np.divmod(weekdays + THURSDAY, 5)
    return 7 * week + day - THURSDAY
