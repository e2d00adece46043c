"""Instants in UTC and the clocks of a time zone: an IANA name, "UTC", or a fixed offset such as "+05:30"."""

import os
import re
from contextlib import suppress
from datetime import datetime, timedelta, tzinfo
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import numpy as np
import polars as pl
from numpy.typing import NDArray

FIXED_OFFSET = re.compile(r"([+-])(\d{2}):(\d{2})")
# The zones that many share the clocks of: their names come before those of their neighbors.
USUAL = (
    *("Europe/London", "Europe/Berlin", "Europe/Athens", "America/New_York", "America/Chicago", "America/Denver"),
    *("America/Los_Angeles", "Australia/Sydney", "Australia/Adelaide", "Pacific/Auckland"),
)
MOST_CHANGES = 1000  # of the clocks: a column with more is no column of one zone
DAY = np.timedelta64(1, "D")
FINER = ((np.timedelta64(1, "h"), 24), (np.timedelta64(1, "m"), 60), (np.timedelta64(1, "s"), 60))  # and their number


class Offsets(NamedTuple):
    """The offsets of a zone from UTC over some time.

    Attributes:
        changes: the K instants, in UTC, at which the clocks are changed.
        offsets: the offset before the first change and after each of them, (K + 1,).
    """

    changes: NDArray
    offsets: NDArray


def fixed_offset(zone: str) -> timedelta | None:
    """Return the offset from UTC of "UTC" or "+05:30", None for the name of a zone whose offset changes."""
    if zone == "UTC":
        return timedelta()
    if (parts := FIXED_OFFSET.fullmatch(zone)) is None:
        return None
    offset = timedelta(hours=int(parts[2]), minutes=int(parts[3]))
    return -offset if parts[1] == "-" else offset


def zone_name(zone: tzinfo) -> str | None:
    """Return the IANA name of a time zone of Python, pytz or dateutil, or its fixed offset; None if it has neither."""
    if (offset := zone.utcoffset(None)) is not None:
        minutes = round(offset.total_seconds() / 60)
        return offset_text(minutes) if minutes else "UTC"
    file = os.path.realpath(getattr(zone, "_filename", None) or "")  # dateutil's zones know their file
    for name in (getattr(zone, "key", None), getattr(zone, "zone", None), file.rpartition("zoneinfo/")[2]):
        if name and _is_zone(name):
            return name
    return None


def zone_of(times: list[datetime]) -> str | None:
    """Return the one zone that all times are in, by :func:`zone_name`; None if there are several, or one has none."""
    zones = {id(time.tzinfo): time.tzinfo for time in times}
    if not all(zones.values()):
        return None
    names = {zone_name(zone) for zone in zones.values() if zone is not None}
    return names.pop() if len(names) == 1 else None


def zone_of_offsets(instants: NDArray, offsets: NDArray) -> str | None:
    """Return the IANA name of a zone whose clocks have these offsets from UTC at these instants; None without one.

    Zones that agree on all of them are neighbors, or their clocks differed before or will after: the usual name is
    returned, else the first of the alphabet.

    Args:
        instants: distinct, datetime64[us] in UTC, in any order.
        offsets: timedelta64[us], one for each.
    """
    order = np.argsort(instants)
    instants, offsets = instants[order], offsets[order]
    changed = np.flatnonzero(offsets[1:] != offsets[:-1])
    telling = np.unique([0, *changed, *(changed + 1), len(instants) - 1])
    if len(telling) > MOST_CHANGES:
        return None
    for zone in (*USUAL, *sorted(available_timezones() - set(USUAL))):
        with suppress(pl.exceptions.ComputeError):  # polars does not know all of them
            if np.array_equal(_offsets_at(instants[telling], zone), offsets[telling]) and np.array_equal(
                wall_clock(instants, zone) - instants, offsets
            ):
                return zone
    return None


def offset_text(minutes: int) -> str:
    """Return an offset from UTC as "+05:30"."""
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def wall_clock(instants: NDArray, zone: str | None) -> NDArray:
    """Return the local time, datetime64[us], that clocks in the zone show at instants of UTC."""
    instants = instants.astype("datetime64[us]")
    if zone is None or not len(instants):
        return instants
    changes, offsets = _offsets(instants, zone)
    return instants + offsets[np.searchsorted(changes, instants, side="right")]


def instants_of(wall: NDArray, zone: str | None) -> NDArray:
    """Return the instants, datetime64[us] in UTC, at which clocks in the zone show a local time.

    A local time that occurs twice is the first of the two; one that is skipped is the instant of the change.
    """
    wall = wall.astype("datetime64[us]")
    if zone is None or not len(wall):
        return wall
    changes, offsets = _offsets(wall, zone)
    # The first offset under which the local time is not over yet. If it has not begun either, it is skipped.
    place = np.searchsorted(changes + offsets[:-1], wall, side="right")
    begins = np.append(wall.min() - 2 * DAY, changes)
    return np.maximum(wall - offsets[place], begins[place])


def _offsets(times: NDArray, zone: str) -> Offsets:
    """Return the offsets of a zone over the span of some times, which may be local.

    They are found by sampling each day, then the hours, minutes and seconds of the days on which they change: polars
    would take ten times as long to look up each of many times. No zone changes its clocks twice within a day.
    """
    if (offset := fixed_offset(zone)) is not None:
        return Offsets(times[:0], np.array([offset], "timedelta64[us]"))
    days = np.arange(times.min() - 2 * DAY, times.max() + 3 * DAY, DAY)
    offsets = _offsets_at(days, zone)
    changed = np.flatnonzero(offsets[1:] != offsets[:-1])
    changes, new = days[changed], offsets[changed + 1]  # at first the last sample before each change
    for unit, count in FINER:
        samples = changes[:, None] + np.arange(count + 1) * unit
        later = _offsets_at(samples.ravel(), zone).reshape(samples.shape) == new[:, None]
        changes = samples[np.arange(len(changes)), later.argmax(axis=1) - 1]
    return Offsets(changes + FINER[-1][0], offsets[np.append(0, changed + 1)])


def _offsets_at(instants: NDArray, zone: str) -> NDArray:
    """Return the offset of a zone at each instant."""
    local = pl.Series(instants.astype(np.int64)).cast(pl.Datetime("us", zone)).dt.replace_time_zone(None)
    return local.to_physical().to_numpy().view("datetime64[us]") - instants
