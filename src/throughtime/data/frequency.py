"""The time axis as integer steps: which frequency time stamps have, and which stamps come next.

Months, days and business days follow the calendar of the series' own time zone; shorter steps are elapsed time.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from throughtime._errors import InputError

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
# The steps after which a pattern most often repeats; what is not listed repeats after one.
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
# A grid this many times longer than its observations is taken for a wrong frequency, not for gaps.
SPARSE = 10
# Where this share of the differences agrees, those that do not fit it are taken for mistakes.
DOMINANT = 0.8
# Daily data over this many days without a weekend are taken for business days.
BUSINESS_SPAN = 14


@dataclass(frozen=True)
class Frequency:
    """A regular time axis. Consecutive steps lie ``multiple`` ordinals apart.

    Ordinals count units since 1970: microseconds ("elapsed"), days, business days (Monday to Friday) or months; for
    "integer" they are the values themselves. Two series of one frequency may lie a fraction of a step apart.

    Attributes:
        unit: what one ordinal is.
        multiple: ordinals from one step to the next.
        stamp: NumPy's name for the type of the user's time stamps: "int64", "datetime64[D]", "datetime64[us]" ...
        zone: the time zone, in which days begin; time stamps are then in UTC. None for naive time stamps.
        time_of_day: microseconds after midnight in the zone, for days, business days and months.
        day: the day of the month, for months; in shorter months their last, so that 31 means month ends.
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
                f"no frequency: {self.multiple} of the unit {self.unit!r}, expected 1 or more of {get_args(Unit)}"
            )

    def ordinals(self, times: NDArray) -> NDArray[np.int64]:
        """The ordinals of time stamps: integers, or datetime64 (UTC where there is a zone)."""
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
        """The time stamps of ordinals, of type ``stamp``: the exact inverse of ``ordinals`` on the grid."""
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
        return _instants(days.astype("datetime64[us]") + self.time_of_day, self.zone).astype(self.stamp)

    def describe(self) -> str:
        """The frequency in words: "monthly", "every 15 minutes", "business days", "integer steps of 2"."""
        if self.unit == "integer":
            return "integer steps" + (f" of {self.multiple}" if self.multiple > 1 else "")
        count, name = self._in_words()
        return ADVERBS.get(name, f"every {name}") if count == 1 else f"every {count} {name}s"

    def span(self, steps: int) -> str:
        """How long ``steps`` steps take, in words: "24 hours", "1 year", "7 business days", "8 integer steps"."""
        if self.unit == "integer":
            return f"{steps * self.multiple} integer step{'' if steps * self.multiple == 1 else 's'}"
        count, name = replace(self, multiple=self.multiple * steps)._in_words()
        return f"{count} {name}{'' if count == 1 else 's'}"

    @property
    def season(self) -> int:
        """The steps after which such data most often repeat: 12 for monthly, 24 for hourly, 1 where none is known."""
        count, name = self._in_words()
        cycle = SEASONS.get(name, 1)
        return cycle // count if cycle % count == 0 else 1

    def _in_words(self) -> tuple[int, str]:
        """One step as a count of the largest unit that divides it."""
        if self.unit == "month" and self.multiple == 3:
            return 1, "quarter"
        if self.unit == "month" and self.multiple % 12 == 0:
            return self.multiple // 12, "year"
        if self.unit in ("elapsed", "day"):
            step = self.multiple * (DAY if self.unit == "day" else 1)
            return next((step // length, name) for name, length in MICROSECONDS.items() if step % length == 0)
        return self.multiple, self.unit


def infer_frequency(
    times: NDArray,
    offsets: NDArray[np.int64] | None = None,
    *,
    stamp: str | None = None,
    zone: str | None = None,
    where: Callable[[int], str] | None = None,
) -> Frequency:
    """The coarsest frequency on whose grid all time stamps lie: months, days or elapsed time; or integer steps.

    Args:
        times: time stamps of all series, one series after the other, rising within each: integers, or datetime64 (UTC
            where ``zone`` is given).
        offsets: where each series begins and the last one ends, (N + 1,); without it ``times`` is one series.
        stamp: NumPy's name for the type that future time stamps shall have; that of ``times`` by default.
        zone: the time zone in which days and months begin.
        where: names the place of a time stamp in the user's data, for messages; its value by default.

    Raises:
        InputError: where no series has two time stamps, or they are irregular.
    """
    offsets = np.array([0, len(times)]) if offsets is None else offsets
    where = where or (lambda position: str(times[position]))
    within = np.ones(max(len(times) - 1, 0), bool)
    within[offsets[1:-1] - 1] = False  # the steps from one series to the next are none
    stamp = stamp or str(times.dtype)
    frequency, steps = next(_fitting(times, within, stamp, zone))
    if frequency.unit == "integer" and not len(steps):
        return frequency
    if not len(steps):
        raise InputError(
            f"the frequency is unknown: no series has more than one time stamp ({where(0)}), expected two or more"
        )
    step = int(np.gcd.reduce(steps))
    if frequency.unit == "day" and np.median(steps) == 1 and _no_weekends(frequency.ordinals(times), within):
        frequency = replace(frequency, unit="business day")
        steps = np.diff(frequency.ordinals(times))[within]
        step = int(np.gcd.reduce(steps))
    _check_regular(frequency, steps, step, lambda k: (where(_left(within, k)), where(_left(within, k) + 1)))
    return replace(frequency, multiple=step)


def _fitting(
    times: NDArray, within: NDArray[np.bool_], stamp: str, zone: str | None
) -> Iterator[tuple[Frequency, NDArray[np.int64]]]:
    """The units on whose grid all time stamps lie, coarsest first, with the differences of ordinals in each series."""
    if times.dtype.kind in "iu":
        candidates = [Frequency("integer", stamp=stamp)]
    else:
        wall = wall_clock(pd.unique(times.astype("datetime64[us]")), zone)
        days = wall.astype("datetime64[D]")
        # A clock set forward at midnight makes that day begin later: the earliest is the usual one.
        time_of_day = int((wall - days).min().astype(np.int64))
        candidates = [
            Frequency("month", stamp=stamp, zone=zone, time_of_day=time_of_day, day=_day_of_month(days)),
            Frequency("day", stamp=stamp, zone=zone, time_of_day=time_of_day),
            Frequency("elapsed", stamp=stamp, zone=zone),
        ]
    for candidate in candidates:
        if candidate.unit in ("month", "day"):
            instants = _instants(wall, zone)
            exact = replace(candidate, stamp="datetime64[us]")
            if not np.array_equal(exact.times(exact.ordinals(instants)), instants):
                continue
        steps = np.diff(candidate.ordinals(times))[within]
        if candidate.unit in ("integer", "elapsed") or not len(steps) or steps.min() > 0:
            yield candidate, steps


def _check_regular(
    frequency: Frequency, steps: NDArray[np.int64], step: int, between: Callable[[int], tuple[str, str]]
) -> None:
    usual = int(np.median(steps))
    fits = steps % usual == 0
    if usual > step and fits.mean() >= DOMINANT and not fits.all():
        odd = int(fits.argmin())
        before, after = between(odd)
        raise InputError(
            f"irregular time stamps: most lie {_span(frequency, usual)} apart, but {after} comes "
            f"{_span(frequency, int(steps[odd]))} after {before}. Correct it, or resample the series to regular steps."
        )
    grid = int(steps.sum()) // step
    if grid > SPARSE * len(steps):
        least, most = int(steps.argmin()), int(steps.argmax())
        raise InputError(
            f"irregular time stamps: {_span(frequency, int(steps[least]))} from {' to '.join(between(least))}, but "
            f"{_span(frequency, int(steps[most]))} from {' to '.join(between(most))}; only {len(steps):,} of {grid:,} "
            f"steps ({replace(frequency, multiple=step).describe()}) would have a row. Resample to regular steps, and "
            f"give series of different frequencies in files of their own."
        )


def _left(within: NDArray[np.bool_], k: int) -> int:
    """The position before the k-th difference inside a series."""
    return int(np.flatnonzero(within)[k])


def _span(frequency: Frequency, ordinals: int) -> str:
    if frequency.unit == "elapsed":
        return str(timedelta(microseconds=ordinals))
    if frequency.unit == "integer":
        return str(ordinals)
    return f"{ordinals} {frequency.unit}{'s' if ordinals > 1 else ''}"


def _day_of_month(days: NDArray) -> int:
    """The day that all dates share, where those that their month lacks fall on its last; 31 for month ends."""
    months = days.astype("datetime64[M]")
    if np.array_equal(_month_days(months, 31), days):
        return 31
    return int((days - months.astype("datetime64[D]")).max().astype(np.int64)) + 1


def _month_days(months: NDArray, day: int) -> NDArray:
    first = months.astype("datetime64[D]")
    length = ((months + 1).astype("datetime64[D]") - first).astype(np.int64)
    return first + (np.minimum(day, length) - 1)


def _no_weekends(days: NDArray[np.int64], within: NDArray[np.bool_]) -> bool:
    """Whether a series spans two weeks and none has a Saturday or Sunday. 1970 began on a Thursday."""
    ends = np.flatnonzero(np.append(~within, True))
    starts = np.append(0, ends[:-1] + 1)
    return bool((days[ends] - days[starts]).max() >= BUSINESS_SPAN and ((days + 3) % 7).max() < 5)


def _weekdays(days: NDArray[np.int64]) -> NDArray[np.int64]:
    """Days since 1970 as weekdays since then; a weekend day is the Friday before."""
    week, day = np.divmod(days + 3, 7)
    return 5 * week + np.minimum(day, 4) - 3


def _days_of_weekdays(weekdays: NDArray[np.int64]) -> NDArray[np.int64]:
    week, day = np.divmod(weekdays + 3, 5)
    return 7 * week + day - 3


def wall_clock(instants: NDArray, zone: str | None) -> NDArray:
    """What clocks in the zone show at instants of UTC."""
    if zone is None:
        return instants
    return pd.DatetimeIndex(instants, tz="UTC").tz_convert(zone).tz_localize(None).to_numpy()


def _instants(wall: NDArray, zone: str | None) -> NDArray:
    """When clocks in the zone show this: the first time where they show it twice, the next instant where never."""
    if zone is None:
        return wall
    first = np.ones(len(wall), bool)
    local = pd.DatetimeIndex(wall).tz_localize(zone, ambiguous=first, nonexistent="shift_forward")
    return local.tz_convert("UTC").tz_localize(None).to_numpy()
