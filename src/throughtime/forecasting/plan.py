"""The plan for a panel: what follows from the settings and from the training data.

The plan is made by one function a rule; the thresholds stand above them with their reasons. Another record,
:class:`Calibration`, holds the findings of the held-out runs, which are no part of the plan.
"""

from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from throughtime.data import Encodings, sizes_of
from throughtime.forecasting.config import QUANTILE_HEAD, ForecasterConfig, effort
from throughtime.forecasting.design import Design
from throughtime.forecasting.head_catalog import head_type
from throughtime.forecasting.intervals import QUANTILES
from throughtime.zero_shot import SHAPES

if TYPE_CHECKING:  # it loads JAX
    from throughtime.forecasting.heads import Head

TINY_PANEL = 5_000  # observations; below it a batch of 128 windows would hold most of the windows that there are
SMALL_PANEL = 60_000  # observations; below it a network of 64 units learns the noise
MEDIUM_PANEL = 200_000  # observations; above it the validation loss still falls after 1,500 steps
STEPS = (600, 1500, 3000)  # training steps for a small panel, a medium one and a large one
LEARNING_RATE = 3e-3  # at its peak
STEPS_A_DAY = (24, 48, 96, 144, 288, 1440)  # of hours, half and quarter hours, 10, 5 and 1 minutes
WEEK = 7  # days
SEASONS_BACK = 6  # that the bases average over: on the Hospital panel five give a better profile than three
MOST_PATCHES = 16  # time steps of the cell: 24 on NN5 take twice the time and are no better, 20 on M4 Weekly are worse
SEASONAL_PATCH = (4, 31)  # seasons in this range make one patch each; others are cut into patches of PATCH values
PATCH = 8
SEASONS_READ, LONG_SEASONS_READ, HORIZONS_READ, LEAST_READ = 3, 2, 3, 24  # the window is the longest of these
NO_STRETCH: tuple[float, ...] = (1.0,) * len(QUANTILES)  # intervals as the networks make them
MOSTLY = 0.5  # of the observations: logarithms help a panel if those of this share of it are in series that have them
LEAST_SHARE = 1e-3  # of the smallest positive value; it stands in for values without a logarithm


class Plan(NamedTuple):
    """The decisions about one panel before its networks are trained.

    Attributes:
        design: the sizes of the network.
        log: whether the network sees logarithms of the series whose values all have one.
        smallest: the value that stands in for values without a logarithm.
        steps: training steps; the schedule of the learning rate is made for them, early stopping may end before.
        batch: windows in each step.
        learning_rate: at its peak.
        members: networks that are trained, from different weights and windows, and averaged.
        variants: whether variants of the network compete on held-out ends, or this one alone is trained.
        positive: whether no value was negative; forecasts of series without any known value then stop at zero too.
        skip: whether the network learns a linear map past its blocks, from the window to the horizon.
        encodings: of the covariates; None without any.
        tuning: steps of the fine-tuning of the pretrained network; 0 for none.
        devices: which split each batch; those of the machine that trained, in a saved plan.
    """

    design: Design
    log: bool
    smallest: float
    steps: int
    batch: int
    learning_rate: float
    members: int
    variants: bool
    positive: bool
    skip: bool = True
    encodings: Encodings | None = None
    tuning: int = 0
    devices: int = 1


Origin = Literal["new", "continued", "unjudged"]
"""The origin of trained networks: new weights, or those of a start, judged by held-out ends or not."""


class Calibration(NamedTuple):
    """The findings on the held-out ends of the series.

    Attributes:
        steps: after which training stops: the held-out loss did not improve afterwards.
        stretch: (Q,) factors on each quantile's distance from the median, with which held-out intervals cover.
        loss: the held-out loss after these steps; infinity if nothing was held out, or no value in it is known.
        zero_shot: the weight of the pretrained network's forecast in the mean with that of the trained networks.
        origin: of the networks, if there was a start to go on from; None without one.
        tuning: steps by which the pretrained network is fine-tuned before; 0 if it stays as it is.
    """

    steps: int
    stretch: tuple[float, ...] = NO_STRETCH
    loss: float = np.inf
    zero_shot: float = 0.0
    origin: Origin | None = None
    tuning: int = 0


def make_plan(
    config: ForecasterConfig,
    values: np.ndarray,
    lengths: np.ndarray,
    *,
    usual_season: int = 1,
    counts: np.ndarray | None = None,
) -> Plan:
    """Decide sizes and transformation for a panel.

    Args:
        config: the settings that were asked for; those that are None are decided here.
        values: (P,) the observed values that training may see.
        lengths: (N,) steps of each series that training may see.
        usual_season: the period in steps that is usual for the frequency, 1 if there is none.
        counts: (N,) the observed values of each series, which follow one another; without it they are of one series.

    Raises:
        InputError: for values that the head cannot have.
    """
    work, observations = effort(config.preset), len(values)
    counts_alone = _holds_counts(config.head, values)
    season = usual_season if config.season is None else config.season
    return Plan(
        design=_design(config, season, longest=int(lengths.max()), observations=observations),
        log=not counts_alone and _share_with_logarithms(values, counts) >= MOSTLY,
        smallest=float(np.min(values, where=values > 0, initial=1.0)) * LEAST_SHARE,
        steps=round(work.length * usual_steps(observations)) if config.steps is None else config.steps,
        batch=64 if observations < TINY_PANEL else 128,
        learning_rate=LEARNING_RATE,
        members=work.members if config.members is None else config.members,
        variants=work.variants,
        positive=observations > 0 and bool((values >= 0).all()),
        tuning=work.tuning if config.horizon <= SHAPES["long"].horizon else 0,  # coarse steps are not tuned
        devices=int(config.devices),
    )


def _holds_counts(head: "str | type[Head]", values: np.ndarray) -> bool:
    """Return if a head describes counts, after a check that it can hold the observed values (P,).

    Quantiles hold any, so their head, which loads JAX, need not be loaded.

    Raises:
        InputError: for values that the head cannot have.
    """
    if head == QUANTILE_HEAD:
        return False
    chosen = head_type(head)()
    chosen.require(values)
    return chosen.counts


def _share_with_logarithms(values: np.ndarray, counts: np.ndarray | None) -> float:
    """Return the share of the observations (P,) in series all of whose values have a logarithm; 0 without any."""
    counts = np.array([len(values)]) if counts is None else counts
    counts = counts[counts > 0]
    if not len(counts):
        return 0.0
    least = np.minimum.reduceat(values, np.cumsum(counts) - counts)
    return float(counts[least > 0].sum() / counts.sum())


def with_encodings(plan: Plan, encodings: Encodings | None) -> Plan:
    """Return the plan for a network that reads the covariates of ``encodings``; the same plan without any."""
    if encodings is None:
        return plan
    return plan._replace(encodings=encodings, design=plan.design._replace(covariates=sizes_of(encodings)))


def usual_steps(observations: int) -> int:
    """Return the training steps for a panel with this number of observed values."""
    return STEPS[np.searchsorted((SMALL_PANEL, MEDIUM_PANEL), observations, side="right")]


def periods(season: int) -> tuple[int, ...]:
    """Return the season, and the week if the season is a day: demand and traffic repeat after both."""
    return (season, WEEK * season) if season in STEPS_A_DAY else (season,)


def usable_seasons(seasons: tuple[int, ...], longest: int, lookback: int | None) -> tuple[int, ...]:
    """Return the periods that are shorter than the history, and fit twice (the first) into the lookback; or (1,)."""
    most = np.inf if lookback is None else lookback
    if 2 * seasons[0] > most:
        return (1,)
    return tuple(period for period in seasons if period < longest and period <= most) or (1,)


def rounded_up(size: int) -> int:
    """Return the next power of two, or one and a half of one."""
    power = 1 << (size - 1).bit_length()
    return power * 3 // 4 if size <= power * 3 // 4 else power


def window_sizes(horizon: int, seasons: tuple[int, ...], longest: int, lookback: int | None) -> tuple[int, int]:
    """Return the sizes of a patch and of the window, which is a whole number of patches.

    Without a lookback the window is three seasons, two of the longest, three horizons or 24 steps, whatever is most,
    as far as about a whole horizon remains after it: rounded up, so that series of about the same length share a
    program. A patch is one season if that is a moderate number of values, so that the cell counts seasons.
    """
    season = seasons[0]
    wanted = max(SEASONS_READ * season, LONG_SEASONS_READ * max(seasons), HORIZONS_READ * horizon, LEAST_READ)
    room = max(longest - horizon, 1)
    available = min(wanted, rounded_up(room)) if lookback is None else min(lookback, room)
    patch = season if SEASONAL_PATCH[0] <= season <= SEASONAL_PATCH[1] else PATCH
    while -(-available // patch) > MOST_PATCHES:
        patch *= 2
    patch = min(patch, available)
    whole = available // patch if lookback is not None else -(-available // patch)
    return patch, whole * patch


def _design(config: ForecasterConfig, season: int, *, longest: int, observations: int) -> Design:
    """Return the sizes of the network for a panel with a season."""
    seasons = usable_seasons(periods(season), longest, config.lookback)
    patch, length = window_sizes(config.horizon, seasons, longest, config.lookback)
    whole = min(SEASONS_BACK, -(-longest // seasons[0])) * seasons[0]  # seasons: no design for each length
    history = whole if config.lookback is None else min(whole, longest, config.lookback)
    hidden = config.hidden if config.hidden is not None else (32 if observations < SMALL_PANEL else 64)
    return Design(
        config.cell, hidden, config.horizon, length, patch, seasons, QUANTILES, head=config.head, history=history
    )
