"""Instants in UTC and the clocks of a time zone: an IANA name, "UTC", or a fixed offset such as "+05:30"."""

import re
from datetime import timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

FIXED_OFFSET = re.compile(r"([+-])(\d{2}):(\d{2})")
FARTHEST = np.timedelta64(26, "h")  # no clock is farther from UTC, not even by the day that Samoa left out in 2011


def fixed_offset(zone: str) -> timedelta | None:
    """Return the offset from UTC of "UTC" or "+05:30", None for the name of a zone with rules of its own."""
    if zone == "UTC":
        return timedelta()
    if (parts := FIXED_OFFSET.fullmatch(zone)) is None:
        return None
    offset = timedelta(hours=int(parts[2]), minutes=int(parts[3]))
    return -offset if parts[1] == "-" else offset


def wall_clock(instants: NDArray, zone: str | None) -> NDArray:
    """Return the local time, datetime64[us], that clocks in the zone show at instants of UTC."""
    instants = instants.astype("datetime64[us]")
    if zone is None:
        return instants
    if (offset := fixed_offset(zone)) is not None:
        return instants + np.timedelta64(offset)
    local = pl.Series(instants).dt.replace_time_zone("UTC").dt.convert_time_zone(zone)
    return _as_numpy(local.dt.replace_time_zone(None))


def instants_of(wall: NDArray, zone: str | None) -> NDArray:
    """Return the instants, datetime64[us] in UTC, at which clocks in the zone show a local time.

    A local time that occurs twice is the first of the two; one that is skipped is the instant of the change.
    """
    wall = wall.astype("datetime64[us]")
    if zone is None:
        return wall
    if (offset := fixed_offset(zone)) is not None:
        return wall - np.timedelta64(offset)
    local = pl.Series(wall).dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    instants = _as_numpy(local.dt.convert_time_zone("UTC").dt.replace_time_zone(None).fill_null(pl.Series(wall)))
    if local.has_nulls():
        skipped = local.is_null().to_numpy()
        instants[skipped] = _change_after(wall[skipped], zone)
    return instants


def _change_after(wall: NDArray, zone: str) -> NDArray:
    """Return the first instants at which clocks show more than a skipped local time, by bisection to the second."""
    before, after = ((wall + shift).astype("datetime64[s]") for shift in (-FARTHEST, FARTHEST))
    while (after - before).max() > np.timedelta64(1, "s"):
        middle = before + (after - before) // 2
        later = wall_clock(middle, zone) > wall
        before, after = np.where(later, before, middle), np.where(later, middle, after)
    return after.astype("datetime64[us]")


def _as_numpy(times: pl.Series) -> NDArray:
    return times.cast(pl.Datetime("us")).to_physical().to_numpy(writable=True).view("datetime64[us]")
