"""What a forecaster decided, in sentences for its user."""

import numpy as np

from throughtime.data import Panel
from throughtime.forecasting.config import Plan
from throughtime.forecasting.dataset import learnable, least_windows, trainable, window_count
from throughtime.forecasting.intervals import QUANTILES

NAMED = 5


def decision_notes(panel: Panel, plan: Plan, cutoffs: np.ndarray, *, season: int | None) -> list[str]:
    """The season and where it comes from, when training stops, how far intervals were widened, who is left out.

    Args:
        panel: the series.
        plan: as it was carried out.
        cutoffs: (N,) how many steps of each series training could see.
        season: the user's, None where it was found.
    """
    return [
        _season_note(panel, plan, season),
        *_calendar_note(plan),
        *_training_notes(plan),
        *_short_note(panel, cutoffs, plan.design.horizon),
    ]


def plan_facts(panel: Panel, plan: Plan, networks: int) -> list[tuple[str, str]]:
    """The plan in words, by what each says something of.

    Args:
        panel: the series.
        plan: as it was carried out.
        networks: how many were trained.
    """
    design = plan.design
    season = f"a season of {design.seasons[0]} steps" if design.seasons[0] > 1 else "no season"
    network = (
        f"{networks}, each of {design.blocks} {design.cell.upper()} blocks of {design.hidden} units, "
        f"{plan.steps:,} training steps, reading {design.length} steps, "
        f"{'with' if design.skip else 'without'} a linear map beside them"
    )
    return [
        ("series", f"{len(panel):,}, {len(panel.values):,} steps in all"),
        ("time axis", f"{panel.frequency.describe()}, {season}"),
        ("networks", network if networks else "none: the series are too short"),
        ("seen as", "logarithms" if plan.log else "plain values"),
    ]


def _season_note(panel: Panel, plan: Plan, season: int | None) -> str:
    found = plan.design.seasons[0]
    longest = int(panel.lengths.max())
    others = "".join(f" and of {period}" for period in plan.design.seasons[1:])
    if season == 1:
        return "No season, as given."
    usual = panel.frequency.season if season is None else season
    if found != usual and usual < longest:
        return f"No season: the look-back is shorter than two of {usual} steps."
    if season is not None and found != season:
        return f"A season of {season} steps was given, but no series is longer: there is no season."
    if season is not None:
        return f"A season of {found} steps{others}, as given."
    if found > 1:
        return f"A season of {found} steps{others}, as usual for a time axis that is {panel.frequency.describe()}."
    if panel.frequency.season > 1:
        return f"No season: no series is longer than the usual one of {panel.frequency.season} steps."
    return f"No season is known for {panel.frequency.describe()}; if the series repeat, give it (--season, season=)."


def _calendar_note(plan: Plan) -> list[str]:
    names = [] if plan.encodings is None else [encoding.name for encoding in plan.encodings.calendar]
    return [f"The network is told of the calendar: {', '.join(names)}."] if names else []


def _training_notes(plan: Plan) -> list[str]:
    notes = []
    if plan.steps < plan.most_steps:
        notes.append(
            f"Training stops after {plan.steps} of {plan.most_steps} steps: from there on, the held-out last horizons "
            "were forecast no better."
        )
    wider = {level: plan.stretch[QUANTILES.index((100 - level) / 200)] for level in (80, 95)}
    if max(wider.values()) > 1:
        words = " and ".join(f"of {level} % {factor:.2f} times" for level, factor in wider.items())
        notes.append(f"Intervals {words} as wide as the networks made them: their held-out errors.")
    return notes


def _short_note(panel: Panel, cutoffs: np.ndarray, horizon: int) -> list[str]:
    if not trainable(panel, cutoffs, horizon):
        count = window_count(panel, cutoffs, horizon)
        return [
            f"No network: {count} different windows with {horizon} steps after each are too few to learn from, "
            f"expected {least_windows(horizon)}. The seasonal naive forecast stands in for it."
        ]
    short = [str(name) for name in panel.ids[~learnable(panel, cutoffs, horizon)]]
    if not short:
        return []
    named = ", ".join(short[:NAMED]) + (" ..." if len(short) > NAMED else "")
    are, have = ("are", "have") if len(short) > 1 else ("is", "has")
    return [
        f"{len(short)} of {len(panel)} series {are} not longer than the horizon of {horizon} steps, or {have} almost "
        f"no observations ({named}): the seasonal naive forecast stands in for the network there."
    ]
