"""The time axis as integer steps: the ordinals of time stamps, and the stamps that follow.

Months, days and business days follow the calendar of the series' own time zone; shorter steps are elapsed time.
"""

from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from throughtime._errors import InputError
from throughtime.data.calendars import (
    BEGINS,
    BUSINESS,
    CYCLES,
    DAY,
    PLACES,
    WEEKDAYS,
    business_days,
    days_of_business_days,
    expanded,
    month_days,
    open_steps_before,
    opening,
    positions_of,
)
from throughtime.data.time_zones import instants_of, wall_clock

Unit = Literal["integer", "elapsed", "day", "business day", "month"]
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


@dataclass(frozen=True)
class Frequency:
    """A regular time axis. Consecutive steps are ``multiple`` ordinals apart.

    Ordinals count units since 1970: microseconds ("elapsed"), days, business days (Monday to Friday) or months; for
    "integer" they are the values themselves. Two series of one frequency may be a fraction of a step apart. Where only
    some steps of a week or a year ever have rows, ordinals count these alone: Monday may follow Friday.

    Attributes:
        unit: the unit that ordinals count.
        multiple: ordinals from one step to the next.
        stamp: NumPy's name for the type of the user's time stamps: "int64", "datetime64[D]", "datetime64[us]" ...
        zone: the time zone in which days begin; time stamps are then in UTC. None for naive time stamps.
        time_of_day: microseconds after midnight in the zone, for days, business days and months.
        day: the day of the month, for months; shorter months use their last day, so that 31 means month ends.
        weekday: a place and a weekday in place of the day, for months: (3, 4) for third Fridays, (-1, 4) for last ones,
            (-1, 5) for last business days.
        open_steps: the steps of a week (of a year, for months) that have rows, as runs of a first one, counted from the
            beginning of Monday (January) on the clocks of the zone, and a number of steps. Empty for all steps.
    """

    unit: Unit
    multiple: int = 1
    stamp: str = "datetime64[us]"
    zone: str | None = None
    time_of_day: int = 0
    day: int = 1
    weekday: tuple[int, int] | None = None
    open_steps: tuple[tuple[int, int], ...] = ()

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
        if self.unit == "elapsed" and not self.open_steps:
            return instants.astype(np.int64)
        ordinals = self._of_wall(wall_clock(instants, self.zone))
        if not self.open_steps:
            return ordinals
        positions = ordinals - BEGINS[self.unit]
        return self.multiple * open_steps_before(positions, self._places(), CYCLES[self.unit])

    def times(self, ordinals: NDArray[np.int64]) -> NDArray:
        """Return the time stamps of ordinals, of type ``stamp``: the exact inverse of ``ordinals`` on the grid."""
        return self.instants(ordinals).astype(self.stamp)

    def instants(self, ordinals: NDArray[np.int64]) -> NDArray:
        """Return the time stamps of ordinals exactly: integers, or datetime64[us] (in UTC if there is a zone)."""
        if self.unit == "integer":
            return ordinals
        if self.open_steps:
            places, cycle = self._places(), CYCLES[self.unit]
            ordinals = positions_of(ordinals // self.multiple, places, cycle) + BEGINS[self.unit]
        elif self.unit == "elapsed":
            return ordinals.astype("datetime64[us]")
        return instants_of(self._wall(ordinals), self.zone)

    def _of_wall(self, wall: NDArray) -> NDArray[np.int64]:
        """Return local times, datetime64[us], as units since 1970."""
        if self.unit == "elapsed":
            return wall.astype(np.int64)
        days = wall.astype("datetime64[D]")
        if self.unit == "month":
            return days.astype("datetime64[M]").astype(np.int64)
        return business_days(days.astype(np.int64)) if self.unit == "business day" else days.astype(np.int64)

    def _wall(self, ordinals: NDArray[np.int64]) -> NDArray:
        """Return units since 1970 as local times, datetime64[us]."""
        if self.unit == "elapsed":
            return ordinals.astype("datetime64[us]")
        if self.unit == "month":
            days = month_days(ordinals.astype("datetime64[M]"), self.day, self.weekday)
        elif self.unit == "business day":
            days = days_of_business_days(ordinals).astype("datetime64[D]")
        else:
            days = ordinals.astype("datetime64[D]")
        return days.astype("datetime64[us]") + self.time_of_day

    def _places(self) -> NDArray[np.int64]:
        """Return the open steps since the beginning of the week or the year."""
        return expanded(self.open_steps, self.multiple)

    def describe(self) -> str:
        """Return the frequency in words: "monthly", "every 15 minutes", "hourly (Monday to Friday, 09:00 to 16:00)"."""
        if self.unit == "integer":
            return "integer steps" + (f" of {self.multiple}" if self.multiple > 1 else "")
        count, name = self._count_and_name()
        words = ADVERBS.get(name, f"every {name}") if count == 1 else f"every {count} {name}s"
        if self.weekday is not None:
            place, weekday = self.weekday
            words += f" ({PLACES[place]} {'business day' if weekday == BUSINESS else WEEKDAYS[weekday]})"
        return f"{words} ({opening(self.unit, self._places(), self.multiple)})" if self.open_steps else words

    def span(self, steps: int) -> str:
        """Return the time that ``steps`` steps take: "24 hours", "1 year", "7 business days", "8 integer steps"."""
        if self.unit == "integer":
            return f"{steps * self.multiple} integer step{'' if steps * self.multiple == 1 else 's'}"
        if self.open_steps:
            return f"{steps} open step{'' if steps == 1 else 's'}"
        count, name = replace(self, multiple=self.multiple * steps)._count_and_name()
        return f"{count} {name}{'' if count == 1 else 's'}"

    @property
    def season(self) -> int:
        """The steps after which such data most often repeat: 12 for monthly, 24 for hourly, 1 if no season is known."""
        if self.open_steps:
            return self._open_season()
        count, name = self._count_and_name()
        cycle = SEASONS.get(name, 1)
        return cycle // count if cycle % count == 0 else 1

    def _open_season(self) -> int:
        """Return the open steps of a day if a week is a whole number of such days, else those of a week or a year."""
        places = self._places()
        if self.unit != "elapsed":
            return len(places)
        a_day = int(np.bincount(places // DAY).max())
        return a_day if len(places) % a_day == 0 and a_day > 1 else len(places)

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
