"""The decisions of a forecaster: numbers in a record, and sentences about them for its user."""

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from throughtime._registry import shown_name
from throughtime.data import Panel
from throughtime.forecasting.config import ForecasterConfig, effort
from throughtime.forecasting.fitted import Fitted
from throughtime.forecasting.intervals import QUANTILES
from throughtime.forecasting.observations import (
    LEAST_OBSERVED,
    known_values,
    learnable,
    least_windows,
    observed_counts,
    window_count,
)
from throughtime.forecasting.plan import Origin

NOTABLE = 1.005  # factors below are 1.00 as printed
NAMED = 5  # series that a sentence names
LEVELS = (80, 95)  # of the intervals that a sentence tells of
ORIGINS: Mapping[Origin, str] = {
    "new": "The networks are new: on the held-out ends they were better than those that went on from the start.",
    "continued": "The networks go on from those of the start: on the held-out ends they were better than new ones.",
    "unjudged": "The networks go on from those of the start, and were not compared with new ones: nothing was held out "
    "that the start has not learned from.",
}


class Decisions(NamedTuple):
    """The numbers behind the notes of a forecaster.

    Attributes:
        seasons: the periods in steps that the network uses; (1,) for no season.
        asked_season: the period that the user asked for; None if it was left to the frequency.
        usual_season: the period that is usual for the frequency, 1 if there is none.
        frequency: the frequency in words, such as "monthly".
        series: N.
        longest: steps of the longest series.
        horizon: F.
        calendar: the names of the calendar's features that the network reads.
        steps: after which training stops.
        most_steps: training steps that were planned.
        widened: how many times wider intervals are than the networks made them, by their level in per cent.
        windows: different windows that training can draw.
        least_windows: different windows that a network needs.
        short: names of series that the trained networks do not serve; empty if there are none.
        networks: M, the trained networks.
        zero_shot: the weight of the pretrained network in the mean; None if it takes no part.
        tuning: steps by which it was fine-tuned on these series.
        observations: that training could see.
        trains_from: observations from which the preset trains networks.
        origin: of the networks, if there was a start to go on from; None without one.
    """

    seasons: tuple[int, ...]
    asked_season: int | None
    usual_season: int
    frequency: str
    series: int
    longest: int
    horizon: int
    calendar: tuple[str, ...]
    steps: int
    most_steps: int
    widened: dict[int, float]
    windows: int
    least_windows: int
    short: tuple[str, ...]
    networks: int
    zero_shot: float | None
    tuning: int
    observations: int
    trains_from: float
    origin: Origin | None = None


def decisions(panel: Panel, cutoffs: np.ndarray, fitted: Fitted, config: ForecasterConfig) -> Decisions:
    """Collect the decisions.

    Args:
        panel: N series.
        cutoffs: (N,) the steps of each series that training could see.
        fitted: the forecaster, apart from its notes.
        config: the settings that were asked for.
    """
    plan, calibration = fitted.plan, fitted.calibration
    horizon, windows = plan.design.horizon, window_count(panel, cutoffs, plan.design.horizon)
    unserved = panel.ids[~learnable(panel, cutoffs, horizon)] if fitted.networks else ()
    return Decisions(
        seasons=plan.design.seasons,
        asked_season=config.season,
        usual_season=panel.frequency.season,
        frequency=panel.frequency.describe(),
        series=len(panel),
        longest=int(panel.lengths.max()),
        horizon=horizon,
        calendar=() if plan.encodings is None else tuple(encoding.name for encoding in plan.encodings.calendar),
        steps=calibration.steps,
        most_steps=plan.steps,
        widened={level: calibration.stretch[QUANTILES.index((100 - level) / 200)] for level in LEVELS},
        windows=windows,
        least_windows=least_windows(horizon),
        short=tuple(str(name) for name in unserved),
        networks=len(fitted.networks),
        zero_shot=calibration.zero_shot if _is_pretrained(panel, cutoffs, fitted) else None,
        tuning=calibration.tuning,
        observations=int(observed_counts(panel, cutoffs).sum()),
        trains_from=effort(config.preset).trains_from,
        origin=calibration.origin,
    )


def _is_pretrained(panel: Panel, cutoffs: np.ndarray, fitted: Fitted) -> bool:
    """Return True if the pretrained network can forecast a series."""
    return fitted.zero_shot is not None and bool((observed_counts(panel, cutoffs) >= LEAST_OBSERVED).any())


def explain(made: Decisions) -> list[str]:
    """Return a sentence for each decision that a user should know of."""
    return [season_note(made), *_calendar_note(made), *_network_notes(made), *_width_note(made), *_series_note(made)]


def plan_facts(fitted: Fitted) -> list[tuple[str, str]]:
    """Return the plan of a fitted forecaster in words, by their subjects."""
    panel, design = fitted.panel, fitted.plan.design
    season = f"a season of {design.seasons[0]} steps" if design.seasons[0] > 1 else "no season"
    return [
        ("series", f"{len(panel):,}, {len(panel.values):,} steps in all"),
        ("time axis", f"{panel.frequency.describe()}, {season}"),
        ("networks", _networks(fitted)),
        *([("seen as", _seen_as(fitted))] if fitted.networks else []),
    ]


def _seen_as(fitted: Fitted) -> str:
    if not fitted.plan.log:
        return "plain values"
    known = known_values(fitted.panel, fitted.panel.lengths)
    return "logarithms" if (known > 0).all() else "logarithms, but plain values of series that are not all positive"


def _networks(fitted: Fitted) -> str:
    if not fitted.networks:
        return "none: the series are too short" if fitted.zero_shot is None else _pretrained(fitted)
    beside = f", and {_pretrained(fitted)}" if fitted.calibration.zero_shot else ""
    return _trained_networks(fitted) + beside


def _pretrained(fitted: Fitted) -> str:
    tuning = fitted.calibration.tuning
    return f"the pretrained one, fine-tuned for {tuning:,} steps" if tuning else "the pretrained one"


def _trained_networks(fitted: Fitted) -> str:
    design = fitted.plan.design
    cell = design.cell.upper() if isinstance(design.cell, str) else shown_name(design.cell)
    bases = f" (its bases {design.reach})" if design.reach > design.length else ""
    return (
        f"{len(fitted.networks)}, each of {design.blocks} {cell} blocks of {design.hidden} units, "
        f"{fitted.calibration.steps:,} training steps, reading {design.length} steps{bases}, "
        f"{'with' if fitted.plan.skip else 'without'} a linear map beside them"
    )


def season_note(made: Decisions) -> str:
    """Return the sentence about the season and its origin."""
    season, others = made.seasons[0], "".join(f" and of {period}" for period in made.seasons[1:])
    wanted = made.usual_season if made.asked_season is None else made.asked_season
    if made.asked_season == 1:
        return "No season, as asked for."
    if season != wanted and wanted < made.longest:
        return f"No season: the lookback is shorter than two of {wanted} steps."
    if made.asked_season is not None and season != wanted:
        return f"No season: no series is longer than the {wanted} steps that were asked for."
    if made.asked_season is not None:
        return f"A season of {season} steps{others}, as asked for."
    if season > 1:
        return f"A season of {season} steps{others}, as usual for a time axis that is {made.frequency}."
    if wanted > 1:
        return f"No season: no series is longer than the usual one of {wanted} steps."
    return f"No season is known for {made.frequency}; if the series repeat, set it (--season, season=)."


def _calendar_note(made: Decisions) -> list[str]:
    return [f"The network reads the calendar: {', '.join(made.calendar)}."] if made.calendar else []


def _network_notes(made: Decisions) -> list[str]:
    """Return the sentences about the networks that forecast, and why these."""
    tuned = " (fine-tuned on these series)" if made.tuning else ""
    if made.networks:
        stop = (
            f"Training stops after {made.steps} of {made.most_steps} steps: the held-out loss did not improve "
            "afterwards."
        )
        origin = [] if made.origin is None else [ORIGINS[made.origin]]
        both = f"the trained networks and the pretrained one{tuned}"
        mean = f"The forecast is the mean of {both}: so the held-out ends choose."
        return [*origin, *([stop] if made.steps < made.most_steps else []), *([mean] if made.zero_shot else [])]
    if made.zero_shot and made.steps == 0 and made.windows >= made.least_windows:
        few = f" With {made.trains_from:,} values or more, networks are trained too, and with preset='best' always."
        known = "The pretrained network forecasts: it was trained on synthetic series, and not on these."
        return [known + (few if made.observations < made.trains_from < math.inf else "")]
    if made.zero_shot and made.steps:
        return [f"The pretrained network{tuned} forecasts alone: on the held-out ends it was better than trained ones."]
    instead = "seasonal naive" if made.zero_shot is None else "pretrained network's"
    return [
        f"No network was trained: {made.windows} different windows with {made.horizon} steps after each are too few to "
        f"learn from, expected {made.least_windows}. The {instead} forecast stands in for it."
    ]


def _width_note(made: Decisions) -> list[str]:
    widened = {level: factor for level, factor in made.widened.items() if factor >= NOTABLE}
    if not widened:
        return []
    factors = " and ".join(f"of {level} % {factor:.2f} times" for level, factor in widened.items())
    return [f"Intervals {factors} as wide as the networks made them, to cover the held-out errors."]


def _series_note(made: Decisions) -> list[str]:
    if not made.short:
        return []
    named = ", ".join(made.short[:NAMED]) + (" ..." if len(made.short) > NAMED else "")
    are, have = ("are", "have") if len(made.short) > 1 else ("is", "has")
    instead = "seasonal naive" if made.zero_shot is None else "pretrained network's"
    return [
        f"{len(made.short)} of {made.series} series {are} not longer than the horizon of {made.horizon} steps, or "
        f"{have} almost no observations ({named}): the {instead} forecast stands in for the network there."
    ]
