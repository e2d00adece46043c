"""Covariates on the device: tables of numbers and codes, from which windows are gathered."""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np

from throughtime.shapes import Array, Bool, Float, Int


class Table(NamedTuple):
    """Some covariates of S steps, series or windows.

    Attributes:
        numbers: two for each column of numbers: its value, standardised, and 1; both are 0 where it is missing.
        codes: of each column of categories; 0 where it is missing or was never seen.
    """

    numbers: Float[Array, "*S E"]
    codes: Int[Array, "*S C"]


class Tracks(NamedTuple):
    """The covariates of N ragged series, for each step of a series and F more after it.

    Attributes:
        static: of each series, (N, ...).
        past: of each step, one series after the other.
        future: of each step, the same.
        offsets: where each series begins.
    """

    static: Table
    past: Table
    future: Table
    offsets: Int[Array, "N"]


class Given(NamedTuple):
    """The covariates of B windows.

    Attributes:
        static: (B, ...).
        past: of the R steps before the origin, (B, R, ...); nothing before a series begins.
        future: of those and the F steps after it, (B, R + F, ...); the same.
    """

    static: Table
    past: Table
    future: Table


def device_table(numbers: np.ndarray, codes: np.ndarray) -> Table:
    """Numbers (S, E), two for each column, and codes (S, C) on the device."""
    return Table(jnp.asarray(numbers), jnp.asarray(codes))


def device_offsets(offsets: np.ndarray) -> Int[Array, "N"]:
    return jnp.asarray(offsets, jnp.int32)


def given_at(
    tracks: Tracks, rows: Int[Array, "B"], positions: Int[Array, "B S"], inside: Bool[Array, "B S"], reach: int
) -> Given:
    """The covariates of windows: of past covariates only what lies before the origin.

    Args:
        tracks: of all series.
        rows: the series of each window.
        positions: the places of the windows' R + F steps in their series.
        inside: whether the steps may be seen; those after the origin always may.
        reach: R.
    """
    there = inside | (jnp.arange(positions.shape[1]) >= reach)[None]
    places = jnp.where(there, tracks.offsets[rows][:, None] + positions, 0)
    return Given(
        Table(tracks.static.numbers[rows], tracks.static.codes[rows]),
        _gathered(tracks.past, places[:, :reach], there[:, :reach]),
        _gathered(tracks.future, places, there),
    )


def _gathered(table: Table, places: Int[Array, "B S"], there: Bool[Array, "B S"]) -> Table:
    return Table(
        jnp.where(there[..., None], table.numbers[places], 0), jnp.where(there[..., None], table.codes[places], 0)
    )
