"""The refusal of time stamps that have no frequency: each check names the row that does not fit."""

from collections.abc import Callable
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from throughtime._errors import InputError
from throughtime.data.frequency import Frequency

SPARSE = 10  # a grid this many times longer than its observations means a wrong frequency, not gaps
DOMINANT = 0.8  # if this share of the differences agrees, those that do not fit it are mistakes
LEAST_GAPS, ACCIDENT = 2, 0.01  # of a series with a frequency of its own: gaps, and the probability of an accident

NONE: NDArray[np.int64] = np.array([], np.int64)

Name = Callable[[int], str]  # describes the time stamp at a position, for messages


class FrequencyError(InputError):
    """Time stamps without a frequency.

    Attributes:
        position: that of the first time stamp that does not fit.
        odd: the positions of those that do not fit where all others do, if that is known; else none.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str,
        position: int,
        found: str,
        expected: str,
        odd: NDArray[np.int64] = NONE,
    ):
        super().__init__(message, code=code, found=found, expected=expected)
        self.position, self.odd = position, odd


def check_jitter(frequency: Frequency, steps: NDArray[np.int64], before: NDArray[np.int64], name: Name) -> None:
    """Refuse single steps that do not fit, if nearly all others are multiples of the usual one."""
    usual = int(np.median(steps))
    fits = steps % usual == 0
    if usual == frequency.multiple or fits.all() or fits.mean() < DOMINANT:
        return
    odd = int(fits.argmin())
    left = int(before[odd])
    raise _apart(
        f"irregular time stamps: {name(left + 1)} is {_span(frequency, int(steps[odd]))} after {name(left)}, but most "
        f"are {_span(frequency, usual)} apart. Correct it, or resample the series to regular steps.",
        frequency,
        position=left + 1,
        found=steps[odd],
        expected=usual,
    )


def check_sparse(frequency: Frequency, steps: NDArray[np.int64], before: NDArray[np.int64], name: Name) -> None:
    """Refuse a grid that is nearly empty: the series have no common frequency."""
    grid = int(steps.sum()) // frequency.multiple
    if grid <= SPARSE * len(steps):
        return
    least, most = int(steps.argmin()), int(steps.argmax())
    raise _apart(
        f"irregular time stamps: {_described(frequency, steps, before, name, least)}, but "
        f"{_described(frequency, steps, before, name, most)}; only {len(steps):,} of {grid:,} steps "
        f"({frequency.describe()}) would have a row. Resample to regular steps, and put series "
        f"of different frequencies into separate files.",
        frequency,
        position=int(before[most]) + 1,
        found=steps[most],
        expected=steps[least],
    )


def check_neighbors(frequency: Frequency, steps: NDArray[np.int64], before: NDArray[np.int64], name: Name) -> None:
    """Refuse a step that no two neighboring rows are apart: it would be invented."""
    least = int(steps.argmin())
    if steps[least] == frequency.multiple:
        return
    other = int((steps % steps[least] != 0).argmax())
    apart = _span(frequency, frequency.multiple)
    raise _apart(
        f"irregular time stamps: {_described(frequency, steps, before, name, least)}, but "
        f"{_described(frequency, steps, before, name, other)}; no two rows "
        f"are {apart} apart, their largest common step. Resample to regular steps, or give every step a row, with an "
        f"empty value where none is known.",
        frequency,
        position=int(before[other]) + 1,
        found=steps[other],
        expected=steps[least],
    )


def check_alike(frequency: Frequency, steps: NDArray[np.int64], before: NDArray[np.int64], name: Name) -> None:
    """Refuse a series whose rows are regularly several steps apart, in a panel whose others have nearly every step."""
    begins = np.flatnonzero(np.append(True, np.diff(before) > 1)) if len(before) else before
    if len(begins) < 2:
        return
    counts = np.diff(np.append(begins, len(steps)))
    least, common = np.minimum.reduceat(steps, begins), np.gcd.reduceat(steps, begins)
    missed = common // frequency.multiple - 1
    usual = np.repeat(least == frequency.multiple, counts)
    share = usual.sum() / (steps[usual].sum() / frequency.multiple + 1)
    accident = len(begins) * (1 - share) ** (missed * counts).astype(float)
    regular = np.add.reduceat(steps == np.repeat(common, counts), begins) > counts / 2
    other = regular & (missed > 0) & (counts >= LEAST_GAPS) & (accident < ACCIDENT)
    if not other.any():
        return
    first = int(begins[other.argmax()])
    raise _apart(
        f"series of different frequencies: {_described(frequency, steps, before, name, first)}, as nearly always in "
        f"its series, but rows of other series are {_span(frequency, frequency.multiple)} apart. Put series of "
        f"different frequencies into separate files.",
        frequency,
        code="mixed-frequencies",
        position=int(before[first]) + 1,
        found=common[other.argmax()],
        expected=frequency.multiple,
    )


def _apart(
    message: str,
    frequency: Frequency,
    *,
    position: int,
    found: int | np.integer,
    expected: int | np.integer,
    code: str = "irregular-times",
) -> FrequencyError:
    """Return the error for rows that are ``found`` ordinals apart, where ``expected`` was right."""
    return FrequencyError(
        message,
        code=code,
        position=position,
        found=_span(frequency, int(found)),
        expected=_span(frequency, int(expected)),
    )


def refuse_odd(frequency: Frequency, odd: NDArray[np.int64], rows: int, name: Name) -> None:
    """Refuse rows in steps that otherwise never have one."""
    others = f" and {len(odd) - 1:,} more" if len(odd) > 1 else ""
    raise FrequencyError(
        f"irregular time stamps: {name(int(odd[0]))}{others}, but the other {rows - len(odd):,} rows are all "
        f"{frequency.describe()}. Leave such rows out. If forecasts are needed for such times too, give each of them a "
        f"row, with an empty value where none is known.",
        code="odd-rows",
        odd=odd,
        position=int(odd[0]),
        found=f"{len(odd)} of {rows} rows",
        expected=frequency.describe(),
    )


def _described(frequency: Frequency, steps: NDArray[np.int64], before: NDArray[np.int64], name: Name, k: int) -> str:
    left = int(before[k])
    return f"{_span(frequency, int(steps[k]))} from {name(left)} to {name(left + 1)}"


def _span(frequency: Frequency, ordinals: int) -> str:
    if frequency.open_steps:
        return frequency.span(ordinals // frequency.multiple)
    if frequency.unit == "elapsed":
        return str(timedelta(microseconds=ordinals))
    if frequency.unit == "integer":
        return str(ordinals)
    return f"{ordinals} {frequency.unit}{'s' if ordinals > 1 else ''}"
