"""The arithmetic of calendars: business days, days of months, and the steps of a week or a year that have rows."""

import numpy as np
from numpy.typing import NDArray

DAY = 86_400_000_000  # microseconds
THURSDAY = 3  # the weekday on which 1970 began; Monday is 0
BUSINESS = 5  # in place of a weekday: any from Monday to Friday
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
PLACES = {1: "first", 2: "second", 3: "third", 4: "fourth", -1: "last"}
# The length of a week or a year in each unit, and the ordinal since 1970 at which one begins.
CYCLES = {"month": 12, "day": 7, "elapsed": 7 * DAY}
BEGINS = {"month": 0, "day": -THURSDAY, "elapsed": -THURSDAY * DAY}


def weekdays_of(days: NDArray) -> NDArray[np.int64]:
    """Return the weekday of dates, datetime64[D]; Monday is 0."""
    return (days.astype(np.int64) + THURSDAY) % 7


def business_days(days: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return days since 1970 as weekdays since then; a weekend day counts as the Friday before."""
    week, day = np.divmod(days + THURSDAY, 7)
    return 5 * week + np.minimum(day, 4) - THURSDAY


def days_of_business_days(weekdays: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return weekdays since 1970 as days since then."""
    week, day = np.divmod(weekdays + THURSDAY, 5)
    return 7 * week + day - THURSDAY


def month_days(months: NDArray, day: int, weekday: tuple[int, int] | None = None) -> NDArray:
    """Return the date, datetime64[D], of each month, datetime64[M].

    Args:
        months: the months.
        day: the day of the month; the last day of shorter months.
        weekday: a place and a weekday in place of the day: (3, 4) is the third Friday, (-1, 5) the last business day.
    """
    first, last = months.astype("datetime64[D]"), (months + 1).astype("datetime64[D]") - 1
    if weekday is None:
        return np.minimum(first + (day - 1), last)
    place, name = weekday
    if name == BUSINESS:
        if place < 0:
            return last - np.maximum(weekdays_of(last) - 4, 0)
        return first + np.where(weekdays_of(first) > 4, 7 - weekdays_of(first), 0)
    if place < 0:
        return last - (weekdays_of(last) - name) % 7
    return first + ((name - weekdays_of(first)) % 7 + 7 * (place - 1))


def day_of_month(days: NDArray) -> int:
    """Return the day that all dates share, 31 for month ends; dates in shorter months may be at their month's end."""
    months = days.astype("datetime64[M]")
    if np.array_equal(month_days(months, 31), days):
        return 31
    return int((days - months.astype("datetime64[D]")).max().astype(np.int64)) + 1


def weekday_of_month(days: NDArray) -> tuple[int, int] | None:
    """Return the place and the weekday that all dates share, such as (3, 4) for third Fridays; None without one."""
    months = days.astype("datetime64[M]")
    return next(
        (
            (place, name)
            for name in (int(weekdays_of(days[:1])[0]), BUSINESS)
            for place in ((-1, 1, 2, 3, 4) if name != BUSINESS else (-1, 1))
            if np.array_equal(month_days(months, 1, (place, name)), days)
        ),
        None,
    )


def expanded(runs: tuple[tuple[int, int], ...], step: int) -> NDArray[np.int64]:
    """Return the places of runs, each of a first place and a count of steps."""
    return np.concatenate([first + step * np.arange(count) for first, count in runs])


def runs_of(places: NDArray[np.int64], step: int) -> tuple[tuple[int, int], ...]:
    """Return rising places as runs: the inverse of :func:`expanded`."""
    begins = np.flatnonzero(np.append(True, np.diff(places) != step))
    counts = np.diff(np.append(begins, len(places)))
    return tuple((int(places[begin]), int(count)) for begin, count in zip(begins, counts, strict=True))


def open_steps_before(positions: NDArray[np.int64], places: NDArray[np.int64], cycle: int) -> NDArray[np.int64]:
    """Return the number of open steps before each position; a position between them counts as the one before.

    Args:
        positions: ordinals since a cycle began.
        places: the open steps of one cycle, rising.
        cycle: its length.
    """
    number, rest = np.divmod(positions, cycle)
    return number * len(places) + np.searchsorted(places, rest, side="right") - 1


def positions_of(numbers: NDArray[np.int64], places: NDArray[np.int64], cycle: int) -> NDArray[np.int64]:
    """Return the positions of open steps: the inverse of :func:`open_steps_before` on them."""
    number, place = np.divmod(numbers, len(places))
    return number * cycle + places[place]


def opening(unit: str, places: NDArray[np.int64], step: int) -> str:
    """Return the open steps of a week or a year in words: "Monday to Saturday", "Monday to Friday, 09:00 to 16:00"."""
    if unit != "elapsed":
        return _named(places, MONTHS if unit == "month" else WEEKDAYS)
    days, times = np.unique(places // DAY), np.unique(places % DAY)
    if len(places) < len(days) * len(times):
        return f"{len(places):,} of {CYCLES[unit] // step:,} steps a week"
    names = _named(days, WEEKDAYS)
    if len(times) * step == DAY:
        return names
    if len(times) > 1 and (np.diff(times) == step).all():
        return f"{names}, {_clock(int(times[0]))} to {_clock(int(times[-1]))}"
    return f"{names}, {len(times)} times a day" if len(times) > 1 else f"{names}, {_clock(int(times[0]))}"


def _named(places: NDArray[np.int64], names: tuple[str, ...]) -> str:
    """Return days or months in words; as a span if they follow one another, perhaps over the end of the cycle."""
    begins = [int(place) for place in places if (place - 1) % len(names) not in places]
    if len(places) == len(names):
        return f"{names[0]} to {names[-1]}"
    if len(begins) == 1 and len(places) > 2:
        return f"{names[begins[0]]} to {names[(begins[0] + len(places) - 1) % len(names)]}"
    return ", ".join(names[int(place)] for place in places)


def _clock(time: int) -> str:
    seconds = time // 1_000_000
    text = f"{seconds // 3600:02}:{seconds // 60 % 60:02}"
    return f"{text}:{seconds % 60:02}" if seconds % 60 else text
