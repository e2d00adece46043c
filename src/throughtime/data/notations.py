"""Parts of a year in digits, such as 201852 for a week: the notations, and the one that a column of them has.

The sign of a notation is that the last digits never leave its parts: 1 to 53 for weeks, 1 to 4 for quarters.
"""

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Unit = Literal["month", "quarter", "week", "day"]
# A year has these parts at most, and 0 to this many in notations that are not ISO's.
PARTS: dict[Unit, int] = {"month": 12, "quarter": 4, "week": 53, "day": 366}
FIRST_YEAR, LAST_YEAR = 1700, 2200
CENTURY = 69  # years of two digits are 1969 to 2068, as in POSIX
ENOUGH = 8  # values that never leave the parts of a year by chance
ENOUGH_IN_A_YEAR = 10
WEEKS = 50  # of a whole year, or nearly so
ENOUGH_SHORT = 6  # of years of two digits, if few parts are missing
DENSE, SPARSE, DENSE_SHORT, SPARSE_SHORT = 0.5, 0.2, 0.8, 0.3  # shares of the steps that have a value


class Notation(NamedTuple):
    """A notation of times by a year and its part.

    Attributes:
        name: what the user is told.
        unit: the part of the year.
        base: the integer is ``base * year + part``.
        short: if years have two digits.
    """

    name: str
    unit: Unit
    base: int
    short: bool = False


class Reading(NamedTuple):
    """Times read in a notation.

    Attributes:
        name: the notation, as the user is told it.
        dates: datetime64[us]; not-a-time where there is no such date.
    """

    name: str
    dates: NDArray


class UnclearNotationError(ValueError):
    """Numbers that look like parts of years, but cannot be read so without a doubt.

    Attributes:
        place: that of a number which shows it.
        code: the kind of doubt.
        message: the likely meaning and a way out.
    """

    def __init__(self, place: int, code: str, message: str):
        super().__init__(message)
        self.place, self.code, self.message = place, code, message


# The order decides where two notations fit equally well.
NOTATIONS = (
    Notation("YYYYMM", "month", 100),
    Notation("YYYYQ (quarters)", "quarter", 10),
    Notation("YYYYWW (ISO weeks)", "week", 100),
    Notation("YYYYDDD (days of the year)", "day", 1000),
    Notation("YYMM", "month", 100, short=True),
    Notation("YYQ (quarters)", "quarter", 10, short=True),
    Notation("YYWW (ISO weeks)", "week", 100, short=True),
    Notation("YYDDD (days of the year)", "day", 1000, short=True),
)


def dates_of(notation: Notation, years: NDArray[np.int64], parts: NDArray[np.int64]) -> NDArray:
    """Return the first days of parts of years, datetime64[D]; not-a-time where the year has no such part."""
    if notation.short:
        years = years + np.where(years < CENTURY, 2000, 1900)
    dates = _first_days(notation.unit, years, parts)
    exists = (parts >= 1) & (dates < _first_days(notation.unit, years + 1, np.ones_like(parts)))
    return np.where(exists & (years >= FIRST_YEAR) & (years < LAST_YEAR), dates, np.datetime64("NaT", "D"))


def _first_days(unit: Unit, years: NDArray[np.int64], parts: NDArray[np.int64]) -> NDArray:
    new_year = (years - 1970).astype("datetime64[Y]").astype("datetime64[D]")
    if unit == "day":
        return new_year + (parts - 1)
    if unit == "week":
        fourth = new_year + 3  # of January, which is in week 1
        monday = fourth - (fourth.astype(np.int64) + 3) % 7
        return monday + 7 * (parts - 1)
    months = 3 * (parts - 1) if unit == "quarter" else parts - 1
    return (12 * (years - 1970) + months).astype("datetime64[M]").astype("datetime64[D]")


def density(unit: Unit, dates: NDArray) -> float:
    """Return the share of the steps between the first and the last of distinct dates that have one."""
    if unit in ("month", "quarter"):
        ordinals = dates.astype("datetime64[M]").astype(np.int64) // (3 if unit == "quarter" else 1)
    else:
        ordinals = (dates.astype("datetime64[D]").astype(np.int64) + 3) // (7 if unit == "week" else 1)
    ordinals = np.unique(ordinals)
    if len(ordinals) < 2:
        return 0.0
    step = np.gcd.reduce(np.diff(ordinals))
    return len(ordinals) / int((ordinals[-1] - ordinals[0]) // step + 1)


def likely(notation: Notation, years: NDArray[np.int64], parts: NDArray[np.int64], dates: NDArray) -> float:
    """Return the density of distinct values in a notation, 0 if they are too few to be sure of it."""
    share, count, spans = density(notation.unit, dates), len(dates), len(np.unique(years))
    if notation.short:
        sure = share >= DENSE_SHORT and count >= ENOUGH_SHORT
        return share if spans > 1 and (sure or (spans > 2 and count >= 12 and share >= SPARSE_SHORT)) else 0.0
    if spans == 1:
        return share if count >= ENOUGH_IN_A_YEAR and share >= DENSE else 0.0
    return share if share >= (SPARSE if count >= ENOUGH else DENSE) else 0.0


def find_notation(
    years: NDArray[np.int64], parts: NDArray[np.int64], among: tuple[Notation, ...]
) -> tuple[float, Notation | None]:
    """Return the densest notation of distinct times, with its density; 0 and None if none is sure.

    Raises:
        UnclearNotationError: if they look like weeks or days of a year, but some are not.
    """
    best: tuple[float, Notation | None] = (0.0, None)
    for notation in among:
        if parts.min() < 0 or parts.max() > PARTS[notation.unit]:
            continue
        dates = dates_of(notation, years, parts)
        exists = ~np.isnat(dates)
        if exists.all():
            share = likely(notation, years, parts, dates)
            best = max(best, (share, notation), key=lambda pair: pair[0])
        elif best[1] is None and _almost(notation, years, exists, dates):
            raise _no_such_part(notation, years, parts, int(np.flatnonzero(~exists)[0]))
    return best


def _almost(notation: Notation, years: NDArray[np.int64], exists: NDArray[np.bool_], dates: NDArray) -> bool:
    """Return if nearly all distinct values are weeks or days, over two years or a whole one."""
    long = len(np.unique(years)) > 1 or len(years) >= WEEKS
    enough = notation.unit in ("week", "day") and not notation.short and long
    in_range = enough and bool(((years >= FIRST_YEAR) & (years < LAST_YEAR)).all())
    return in_range and bool(exists.sum() >= 2 * ENOUGH) and density(notation.unit, dates[exists]) >= DENSE


def _no_such_part(
    notation: Notation, years: NDArray[np.int64], parts: NDArray[np.int64], place: int
) -> UnclearNotationError:
    year, part, kind = int(years[place]), int(parts[place]), f"{notation.unit}s"
    counts = np.arange(1, PARTS[notation.unit] + 1)
    last = int((~np.isnat(dates_of(notation, np.full(len(counts), year), counts))).sum())
    iso = "ISO " if notation.unit == "week" else ""
    message = (
        f"the column looks like {kind} of a year, but {year} has the {iso}{kind} 1 to {last}, and this is {part}. "
        f"Write the first day of each {notation.unit} as YYYY-MM-DD."
    )
    return UnclearNotationError(place, "no-such-part-of-the-year", message)


def refuse_months_or_quarters(years: NDArray[np.int64], parts: NDArray[np.int64]) -> None:
    """Refuse distinct months of which every year has the first four: they may be quarters.

    Raises:
        UnclearNotationError: for 201501, 201502, 201503, 201504, 201601 and so on.
    """
    quarters = next(known for known in NOTATIONS if known.unit == "quarter" and not known.short)
    if parts.max() > 4 or len(parts) <= 4 or len(np.unique(years)) < 2:
        return
    if density("quarter", dates_of(quarters, years, parts)) < 1:
        return
    message = (
        "the numbers after the year are 1 to 4 throughout: quarters, or the months January to April. "
        "Write quarters as 2015Q1, or months as dates, YYYY-MM-DD."
    )
    raise UnclearNotationError(0, "months-or-quarters", message)
