"""Calendar features of a time step: hour, day of the week, day of the month, week and month of the year."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from throughtime.data.calendars import DAY, weekdays_of
from throughtime.data.frequency import MICROSECONDS, Frequency
from throughtime.data.time_zones import wall_clock
from throughtime.data.timestamps import distinct_values

WEEK, YEAR = 7, 12  # days in a week, months in a year


def _since(wall: NDArray, unit: str) -> NDArray:
    """Return the time since the unit began."""
    return wall - wall.astype(f"datetime64[{unit}]")


def _days(wall: NDArray, unit: str) -> NDArray[np.int64]:
    return _since(wall, unit).astype("timedelta64[D]").astype(np.int64)


# The value of each feature at local times; all begin at 0, the day of the week on Monday.
FEATURES: dict[str, Callable[[NDArray], NDArray[np.int64]]] = {
    "minute of the hour": lambda wall: _since(wall, "h").astype("timedelta64[m]").astype(np.int64),
    "hour of the day": lambda wall: _since(wall, "D").astype("timedelta64[h]").astype(np.int64),
    "day of the week": lambda wall: weekdays_of(wall.astype("datetime64[D]")),
    "day of the month": lambda wall: _days(wall, "M"),
    "week of the year": lambda wall: _days(wall, "Y") // WEEK,
    "month of the year": lambda wall: wall.astype("datetime64[M]").astype(np.int64) % YEAR,
}


def calendar_names(frequency: Frequency) -> tuple[str, ...]:
    """Return the features that differ from step to step at this frequency; none without dates, or for years."""
    if frequency.unit == "integer":
        return ()
    if frequency.unit == "month":
        return ("month of the year",) if frequency.multiple % YEAR else ()
    if frequency.unit == "elapsed" and frequency.multiple < DAY:
        minutes = ("minute of the hour",) if frequency.multiple < MICROSECONDS["hour"] else ()
        return (*minutes, "hour of the day", "day of the week", "month of the year")
    if frequency.unit == "day" and frequency.multiple % WEEK == 0:
        return ("week of the year", "month of the year")
    return ("day of the week", "day of the month", "month of the year")


def calendar_codes(frequency: Frequency, ordinals: NDArray[np.int64], name: str) -> NDArray[np.int64]:
    """Return the feature ``name`` of the steps with these ordinals, by the clocks of the series' own zone."""
    distinct = distinct_values(ordinals)  # panels share most of their steps, and the calendar is slow
    wall = wall_clock(frequency.times(distinct), frequency.zone)
    return FEATURES[name](wall)[np.searchsorted(distinct, ordinals)]
