"""What a forecaster decides by itself, from the training data and the horizon."""

from typing import Any, NamedTuple

import numpy as np

from throughtime._errors import InputError
from throughtime.data import Encodings, sizes_of
from throughtime.forecasting.heads import head_type
from throughtime.forecasting.intervals import QUANTILES
from throughtime.forecasting.network import Design

MOST_PATCHES = 32
TINY_PANEL = 5_000  # observations; below it batches hold 64 windows
SMALL_PANEL = 60_000  # below it a network of 64 units learns the noise
MEDIUM_PANEL = 200_000  # above it, more training steps go on helping
STEPS = (600, 1500, 3000)  # for a small panel, a medium one and a large one
STEPS_A_DAY = (24, 48, 96, 144, 288, 1440)  # of hours, half and quarter hours, 10, 5 and 1 minutes
SEASONS_BACK = 6  # that the bases average over: Hospital's five give a better profile than its last three
LEAST_LOOKBACK = 2  # the base that drifts compares two values where there is no season
HORIZON_FLOOR, HORIZON_FACTOR = 100, 3


def require_size(name: str, value: Any) -> None:
    """Refuse what is neither None nor a whole number of at least 1."""
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
        raise InputError(f"the {name} is {value!r}: expected a whole number of at least 1")


class Effort(NamedTuple):
    """How much work a forecaster is given.

    Attributes:
        members: networks that are trained and averaged.
        length: of their training, as a multiple of what the size of the panel suggests.
        variants: whether several variants are tried on held-out ends of the series, or one.
    """

    members: int
    length: float
    variants: bool


PRESETS = {"fast": Effort(1, 0.34, False), "balanced": Effort(4, 1.0, True), "best": Effort(10, 1.5, True)}


def effort(preset: str) -> Effort:
    """The effort of a preset.

    Raises:
        InputError: for an unknown name; the message lists the known ones.
    """
    if preset not in PRESETS:
        raise InputError(f"unknown preset {preset!r}: expected one of {', '.join(PRESETS)}")
    return PRESETS[preset]


class Plan(NamedTuple):
    """How one panel is forecast.

    Attributes:
        design: the network's sizes.
        log: whether the network sees logarithms.
        smallest: what counts as the smallest value that has one.
        most_steps: training steps that the learning rate's schedule is made for.
        steps: training steps that are done.
        batch: windows in each.
        learning_rate: at its highest.
        stretch: (Q,) how much further from the median each quantile lies than the networks put it.
        members: how many networks are trained, from different weights and windows, and averaged.
        variants: whether variants of the network are tried on held-out ends, or just this one.
        positive: whether nothing is forecast below zero.
        encodings: how covariates are encoded; None without any.
    """

    design: Design
    log: bool
    smallest: float
    most_steps: int
    steps: int
    batch: int
    learning_rate: float
    stretch: tuple[float, ...]
    members: int
    variants: bool = True
    positive: bool = False  # models saved before there was this say nothing of it
    encodings: Encodings | None = None


def make_plan(
    values: np.ndarray,
    lengths: np.ndarray,
    *,
    horizon: int,
    season: int,
    cell: str,
    hidden: int | None,
    steps: int | None,
    members: int | None = None,
    preset: str = "balanced",
    lookback: int | None = None,
    head: str = "quantiles",
) -> Plan:
    """Sizes and transformation for a panel.

    Args:
        values: (P,) the observed values that training may see.
        lengths: (N,) steps of each series that training may see.
        horizon: F.
        season: the period in steps, 1 where there is none.
        cell: the cell's name.
        hidden: units, or None for 32 on a small panel and 64 otherwise.
        steps: training steps, or None for 600 on a small panel, 1,500 on a medium one and 3,000 otherwise, times the
            preset's length.
        members: how many networks are averaged, or None for the preset's number.
        preset: a name in ``PRESETS``.
        lookback: the most past values that a forecast may use, or None for as many as seem useful.
        head: the name of the networks' head.

    Raises:
        InputError: for values that the head cannot have, a preset or a head that is not known, and a lookback below 2.
    """
    head_type(head)().require(values)
    if lookback is not None and lookback < LEAST_LOOKBACK:
        raise InputError(f"the lookback is {lookback}: expected at least {LEAST_LOOKBACK} values, to see a movement")
    asked = effort(preset)
    usual = STEPS[np.searchsorted((SMALL_PANEL, MEDIUM_PANEL), len(values), side="right")]
    most_steps = steps if steps is not None else round(asked.length * usual)
    longest = int(lengths.max())
    usable = _usable(periods(season), longest, lookback)
    patch, length = _patching(horizon, usable, longest, lookback)
    history = min(SEASONS_BACK * usable[0], longest, longest if lookback is None else lookback)
    units = hidden if hidden is not None else (32 if len(values) < SMALL_PANEL else 64)
    return Plan(
        Design(cell, units, horizon, length, patch, usable, QUANTILES, head=head, history=history),
        log=bool(len(values)) and bool((values > 0).all()) and not head_type(head).counts,
        smallest=float(np.min(values, where=values > 0, initial=1.0)) * 1e-3,
        most_steps=most_steps,
        steps=most_steps,
        batch=64 if len(values) < TINY_PANEL else 128,
        learning_rate=3e-3,
        stretch=(1.0,) * len(QUANTILES),
        members=asked.members if members is None else members,
        variants=asked.variants,
        positive=bool(len(values)) and bool((values >= 0).all()),
    )


def with_encodings(plan: Plan, encodings: Encodings | None) -> Plan:
    """The plan for a network that reads covariates, where there are any."""
    if encodings is None:
        return plan
    return plan._replace(encodings=encodings, design=plan.design._replace(covariates=sizes_of(encodings)))


def periods(season: int) -> tuple[int, ...]:
    """The season, and the week where the season is a day: demand and traffic repeat after both."""
    return (season, 7 * season) if season in STEPS_A_DAY else (season,)


def _usable(seasons: tuple[int, ...], longest: int, lookback: int | None) -> tuple[int, ...]:
    """The periods of which there is more than one, twice the first within what may be looked back at; or 1."""
    most = np.inf if lookback is None else lookback
    if 2 * seasons[0] > most:
        return (1,)
    return tuple(period for period in seasons if period < longest and period <= most) or (1,)


def _patching(horizon: int, seasons: tuple[int, ...], longest: int, lookback: int | None) -> tuple[int, int]:
    """Patch and window length, in whole patches: three seasons, two of the longest, three horizons, if there are any.

    A patch is one season where that is a moderate number of values, so that the cell's time is the season's count.
    """
    season = seasons[0]
    wanted = max(3 * season, 2 * max(seasons), 3 * horizon, 24)
    available = max(min(wanted if lookback is None else lookback, longest - horizon), 1)
    patch = season if 4 <= season <= 31 else 8
    while -(-available // patch) > MOST_PATCHES:
        patch *= 2
    patch = min(patch, available)
    whole = available // patch if lookback is not None else -(-available // patch)
    return patch, whole * patch


def require_horizon(horizon: int, longest: int) -> None:
    """Refuse a horizon that no history can support.

    Raises:
        InputError: below 1, or beyond three times the longest series (100 steps are always allowed).
    """
    if isinstance(horizon, bool) or not isinstance(horizon, int) or horizon < 1:
        raise InputError(f"the horizon is {horizon}: expected a whole number of steps of at least 1")
    most = max(HORIZON_FLOOR, HORIZON_FACTOR * longest)
    if horizon > most:
        raise InputError(
            f"the horizon is {horizon} steps, but the longest series has {longest}: expected at most {most}, which is "
            f"{HORIZON_FACTOR} times as far as there is history"
        )
