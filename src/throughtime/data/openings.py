"""The steps of a week that have rows: opening hours, opening days, trading sessions; for months, those of a year.

A step counts as closed if it never has a row and had chances enough: whole weekdays first, then times of day on the
open days, then single steps of the week. One row in a closed step is odd: the data's mistake, or an exception.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from throughtime.data.calendars import BEGINS, CYCLES, DAY, runs_of

MOST_STEPS = 604_800  # of a week: seconds
CHANCE = 0.01  # of an accident in any step; a step without rows in spite of its chances is closed below it
RARE = 0.2  # a step with rows in fewer of its weeks may be closed, and these rows odd
ODD_DAYS, ODD_TIMES = 0.02, 0.002  # odd rows are at most this share of all rows; more are a habit
LEAST_WEEKS, LEAST_SINGLE = 2, 3  # without a row: for a whole weekday or time of day, and for a single step of the week
CLEAN = 0.5  # if every open step has a row in this share of its weeks, the calendar is beyond doubt


class Openings(NamedTuple):
    """The steps of a week or a year that have rows.

    Attributes:
        runs: of open steps, as :class:`Frequency` has them.
        clean: if no open step is rarely filled.
        odd: the positions of rows in closed steps.
    """

    runs: tuple[tuple[int, int], ...]
    clean: bool
    odd: NDArray[np.int64]


class _Week(NamedTuple):
    """Distinct positions of all series in weeks of W days and K times of day; for days and months K is 1.

    Attributes:
        days: (R,) days since 1970 of the positions.
        weekdays: (R,) of the positions.
        clocks: (R,) times of day, in steps.
        passed: (W, K) how often each step was passed between the first and the last position.
    """

    days: NDArray[np.int64]
    weekdays: NDArray[np.int64]
    clocks: NDArray[np.int64]
    passed: NDArray[np.int64]


def find_openings(unit: str, ordinals: NDArray[np.int64], step: int, series: NDArray[np.int64]) -> Openings | None:
    """Return the open steps, None if all are open, if that is unknown, or if weeks are no whole number of steps.

    Args:
        unit: "elapsed", "day" or "month".
        ordinals: (R,) of all rows, in units since 1970; for elapsed time by the clocks of the zone.
        step: ordinals from one step to the next.
        series: (R,) the number of each row's series.
    """
    day, cycle = (DAY if unit == "elapsed" else 1), CYCLES[unit]
    positions = ordinals - BEGINS[unit]
    phase = int(positions[0] % step)
    if day % step or cycle // step > MOST_STEPS or (positions % step != phase).any():
        return None
    week = _week(np.unique(positions), day, step, cycle // day)
    closed = _closed(week, odd=True)
    odd = np.flatnonzero(closed[_cells(positions, day, step, cycle)])
    if len(odd) and _habit(positions // cycle, series, odd):
        closed, odd = _closed(week, odd=False), odd[:0]
    if not closed.any() or closed.all():
        return None
    filled = np.zeros(closed.shape)
    np.add.at(filled, (week.weekdays, week.clocks), 1)
    clean = not len(odd) and bool((filled >= CLEAN * week.passed)[~closed].all())
    weekdays, clocks = np.nonzero(~closed)
    return Openings(runs_of(weekdays * day + clocks * step + phase, step), clean, odd)


def closed_series(days: NDArray[np.int64], clocks: NDArray[np.int64], offsets: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return a mask (N,) of the series that never have a row on a weekday, or at a time of day, at which others do.

    Args:
        days: (R,) days since the beginning of a week of all rows, rising within each series.
        clocks: (R,) times of day, as numbers from 0 without gaps.
        offsets: the row at which each series begins and the last one ends, (N + 1,).
    """
    count = len(offsets) - 1
    series = np.repeat(np.arange(count), np.diff(offsets))
    first = np.append(True, (np.diff(days) != 0) | (np.diff(series) != 0))
    spans = days[offsets[1:] - 1] - days[offsets[:-1]] + 1
    of_days = np.bincount(series[first], minlength=count)
    weekdays = np.zeros((count, 7), np.int64)
    np.add.at(weekdays, (series[first], days[first] % 7), 1)
    times = np.zeros((count, int(clocks.max()) + 1), np.int64)
    np.add.at(times, (series, clocks), 1)
    return _shut(weekdays, spans // 7) | _shut(times, of_days)


def _shut(rows: NDArray[np.int64], passed: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return a mask (N,) of the series with an empty cell that others fill, by no accident.

    Args:
        rows: (N, C) of each series in each cell of a week or a day.
        passed: (N,) how often at least each series passed each cell.
    """
    used = rows > 0
    filled = rows.sum(axis=1) / np.maximum(used.sum(axis=1) * passed, 1)
    accident = (1 - np.minimum(filled, 1.0)) ** passed.astype(float)
    empty = (~used & used.any(axis=0)).any(axis=1)
    return empty & (passed >= LEAST_SINGLE) & (accident < CHANCE / rows.shape[1])


def _week(distinct: NDArray[np.int64], day: int, step: int, weekdays: int) -> _Week:
    days, clocks = distinct // day, distinct % day // step
    passed = np.bincount(np.arange(days[0], days[-1] + 1) % weekdays, minlength=weekdays)
    passed = np.repeat(passed[:, None], day // step, axis=1)
    passed[days[0] % weekdays, : clocks[0]] -= 1
    passed[days[-1] % weekdays, clocks[-1] + 1 :] -= 1
    return _Week(days, days % weekdays, clocks, passed)


def _cells(positions: NDArray[np.int64], day: int, step: int, cycle: int) -> tuple[NDArray, NDArray]:
    """Return the weekday and the time of day, in steps, of each position."""
    return positions % cycle // day, positions % day // step


def _closed(week: _Week, *, odd: bool) -> NDArray[np.bool_]:
    """Return a mask (W, K) of the closed steps; with ``odd`` a step may be closed in spite of a few rows."""
    closed: NDArray[np.bool_] = np.zeros(week.passed.shape, bool)
    times_of_day = week.passed.shape[1]
    each_day = np.unique(week.days)
    weekdays = np.bincount(each_day % len(closed), minlength=len(closed))
    shut = _never(weekdays, week.passed.max(axis=1), LEAST_WEEKS, ODD_DAYS if odd else 0.0)
    closed[shut] = True
    if times_of_day == 1 or shut.all():
        return closed
    share = ODD_TIMES if odd else 0.0
    usual = ~shut[week.weekdays]
    times = np.bincount(week.clocks[usual], minlength=times_of_day)
    open_days = int((~shut[each_day % len(closed)]).sum())
    at_night = _never(times, np.full(len(times), open_days - 1), LEAST_WEEKS, share)
    closed[:, at_night] = True
    if at_night.any() and weekdays[:5].all() and not weekdays[5:].any():
        closed[5:] = True  # one week of hours that end at night: offices and exchanges, not sensors
    rows = np.zeros(closed.shape, np.int64)
    np.add.at(rows, (week.weekdays, week.clocks), 1)
    single = _never(rows[~closed], week.passed[~closed], LEAST_SINGLE, share)
    closed[~closed] = single
    return closed


def _never(rows: NDArray[np.int64], passed: NDArray[np.int64], least: int, share: float) -> NDArray[np.bool_]:
    """Return a mask of the steps that have no row, or odd ones alone, though they were passed often enough.

    Args:
        rows: the rows of each step.
        passed: how often each was passed.
        least: how often at least.
        share: of all rows, that odd ones may have; one row always may, unless it is 0.
    """
    rare = rows <= RARE * passed
    if not share or rows[rare].sum() > max(1, share * rows.sum()):
        rare = rows == 0
    filled = rows[~rare].sum() / (np.maximum(passed, rows)[~rare].sum() + 0.5)  # below 1
    times = np.maximum(passed, 1).astype(float)
    # The logarithm of at least the binomial probability of that few rows: the powers themselves overflow.
    accident = rows * np.log(times) + (times - rows) * np.log1p(-filled)
    return rare & (passed >= least) & (accident < np.log(CHANCE / len(rows)))


def _habit(cycles: NDArray[np.int64], series: NDArray[np.int64], odd: NDArray[np.int64]) -> bool:
    """Return if some series often has rows in the steps that would be closed."""
    count = int(series.max()) + 1
    times = np.bincount(np.unique(np.stack([series[odd], cycles[odd]]), axis=1)[0], minlength=count)
    first, last = np.full(count, np.iinfo(np.int64).max), np.full(count, np.iinfo(np.int64).min)
    np.minimum.at(first, series, cycles)
    np.maximum.at(last, series, cycles)
    few = RARE * (last[times > 1] - first[times > 1] + 1)
    return bool((times[times > 1] > few).any())
