"""What the calendar says of a time step: hour, day of the week, day of the month, week and month of the year."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from throughtime.data.frequency import DAY, MICROSECONDS, Frequency, wall_clock

_WEEK, _YEAR = 7, 12


def _since(wall: NDArray, unit: str) -> NDArray:
    """The time since the unit began."""
    return wall - wall.astype(f"datetime64[{unit}]")


def _days(wall: NDArray, unit: str) -> NDArray[np.int64]:
    return _since(wall, unit).astype("timedelta64[D]").astype(np.int64)


COLUMNS: dict[str, Callable[[NDArray], NDArray[np.int64]]] = {
    "minute of the hour": lambda wall: _since(wall, "h").astype("timedelta64[m]").astype(np.int64),
    "hour of the day": lambda wall: _since(wall, "D").astype("timedelta64[h]").astype(np.int64),
    # 1970 began on a Thursday; Monday is 0.
    "day of the week": lambda wall: (wall.astype("datetime64[D]").astype(np.int64) + 3) % 7,
    "day of the month": lambda wall: _days(wall, "M"),
    "week of the year": lambda wall: _days(wall, "Y") // 7,
    "month of the year": lambda wall: wall.astype("datetime64[M]").astype(np.int64) % 12,
}


def calendar_names(frequency: Frequency) -> tuple[str, ...]:
    """The calendar's columns that differ from step to step at this frequency; none without dates, or for years."""
    if frequency.unit == "integer":
        return ()
    if frequency.unit == "month":
        return ("month of the year",) if frequency.multiple % _YEAR else ()
    if frequency.unit == "elapsed" and frequency.multiple < DAY:
        minutes = ("minute of the hour",) if frequency.multiple < MICROSECONDS["hour"] else ()
        return (*minutes, "hour of the day", "day of the week", "month of the year")
    if frequency.unit == "day" and frequency.multiple % _WEEK == 0:
        return ("week of the year", "month of the year")
    return ("day of the week", "day of the month", "month of the year")


def calendar_codes(frequency: Frequency, ordinals: NDArray[np.int64], name: str) -> NDArray[np.int64]:
    """What the column ``name`` says of the steps with these ordinals, by the clocks of the series' own zone."""
    codes, distinct = pd.factorize(ordinals)
    wall = wall_clock(frequency.times(np.asarray(distinct)).astype("datetime64[us]"), frequency.zone)
    return COLUMNS[name](wall)[codes]
