"""The names of a wide table's columns: which of them are times, or parts of times such as months and hours."""

import re

import numpy as np
import polars as pl

from throughtime.data.integer_times import read_integers
from throughtime.data.timestamps import share_of_dates

FEWEST = 3  # time stamps among the names of a wide table's columns
FEWEST_NUMBERS = 10  # columns with numbered names, or years with gaps
NUMBER = r"^[+-]?\d+(\.\d*)?$"
# Years as statistical offices, R and the World Bank write them: 2010, X2010, FY2010, 2010 [YR2010].
YEAR = r"^(?i:X|FY|CY|Y)?\s?((?:1[5-9]|20|21)\d\d)(?:\s*\[YR\d{4}\])?$"
DATES_IN_DIGITS = r"^(1[5-9]|20|21)\d{4}(\d\d)?$"
MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
NUMBERED = re.compile(r"^([A-Za-z]*)[ _.-]?0*(\d{1,2})$")
CLOCK = re.compile(r"^([01]?\d|2[0-3])[:.h]([0-5]\d)$")
PREFIXES = {
    "month": ("m", "mon", "month"),
    "quarter": ("q", "qtr", "quarter"),
    "week": ("w", "wk", "week", "kw"),
    "day": ("d", "day"),
    "hour": ("h", "hr", "hour", "he"),
}
# The numbers that the parts of a year, a month or a day have; names without a prefix tell by them alone.
COMPLETE = {
    "month": [range(1, 13)],
    "quarter": [range(1, 5)],
    "week": [range(1, 53), range(1, 54)],
    "day": [range(1, 32)],
    "hour": [range(24), range(1, 25)],
}


def time_names(names: list[str]) -> dict[str, str]:
    """Return the names that are time stamps, each as text that can be read, if a table with these columns is wide."""
    text = pl.Series(names, dtype=pl.String)
    bare = text.str.strip_chars()
    numbers = bare.str.contains(NUMBER)
    years = bare.str.extract(YEAR, 1)
    if years.count() >= FEWEST and (~numbers | years.is_not_null()).all():
        return _rising(text, years)
    digits = bare.set(~bare.str.contains(DATES_IN_DIGITS), None)
    if numbers.any():
        return _known(text, digits) if (~numbers | digits.is_not_null()).all() and _are_dates(digits) else {}
    written = bare.set(~bare.str.contains(r"\d"), None)
    if written.count() < FEWEST or share_of_dates(written.drop_nulls()) <= 0.5:
        return {}
    if share_of_dates(written.drop_nulls()) < 1:
        dates = [name is not None and share_of_dates(pl.Series([name])) == 1 for name in written]
        written = written.set(~pl.Series(dates), None)
    return _known(text, written) if written.count() >= FEWEST else {}


def part_names(names: list[str]) -> dict[str, dict[str, str]]:
    """Return for each part of a time whose every number is a name, such as months, these names and their numbers."""
    found: dict[str, dict[str, str]] = {}
    for name in names:
        bare = name.strip().rstrip(".").lower()
        months = [number for number, full in enumerate(MONTHS, 1) if len(bare) > 2 and full.startswith(bare)]
        if months:
            found.setdefault("month", {})[name] = str(months[0])
        elif match := NUMBERED.match(bare):
            for kind, prefixes in PREFIXES.items():
                if match[1] in ("", *prefixes):
                    found.setdefault(kind, {})[name] = match[2]
        elif match := CLOCK.match(bare):
            found.setdefault("clock", {})[name] = f"{int(match[1]):02d}:{match[2]}"
    return {kind: labels for kind, labels in found.items() if _is_complete(kind, list(labels.values()))}


def numbered_names(names: list[str]) -> dict[str, str]:
    """Return names such as d_1, d_2, ... and their numbers, if there are many, and they count without a gap."""
    matches = {name: match for name in names if (match := re.match(r"^(\w*?[A-Za-z_]+)(\d+)$", name.strip()))}
    prefixes = [match[1] for match in matches.values()]
    if not prefixes:
        return {}
    usual = max(set(prefixes), key=prefixes.count)
    numbers = {name: match[2] for name, match in matches.items() if match[1] == usual}
    steps = np.diff([int(number) for number in numbers.values()])
    return numbers if len(numbers) >= FEWEST_NUMBERS and (steps == 1).all() else {}


def _known(names: pl.Series, times: pl.Series) -> dict[str, str]:
    return {name: time for name, time in zip(names, times, strict=True) if time is not None}


def _rising(names: pl.Series, times: pl.Series) -> dict[str, str]:
    """Return names that are numbers, if they rise or fall by equal steps, or are many and rise or fall."""
    steps = np.diff(times.drop_nulls().cast(pl.Int64))
    equal, many = len(set(steps)) == 1 and steps[0] != 0, len(steps) >= FEWEST_NUMBERS - 1
    monotone = (steps > 0).all() or (steps < 0).all()
    return _known(names, times) if equal or (many and monotone) else {}


def _are_dates(digits: pl.Series) -> bool:
    known = digits.drop_nulls().cast(pl.Int64).to_numpy()
    rising = len(known) >= FEWEST and bool((np.diff(known) > 0).all() or (np.diff(known) < 0).all())
    return rising and read_integers(known, "") is not None


def _is_complete(kind: str, numbers: list[str]) -> bool:
    if kind == "clock":
        return len(numbers) >= 24 and len(set(numbers)) == len(numbers)
    return len(set(numbers)) == len(numbers) and {int(number) for number in numbers} in [set(r) for r in COMPLETE[kind]]
