"""What to do after a forecast: sentences that follow from its backtest."""

from collections.abc import Mapping

from throughtime.forecasting import Verdict

LATER = "Later rows need no new training: throughtime predict MODEL FILE forecasts them with the model in this folder."
HELP = (
    "Take the baseline's forecast, or help the network: with more history, with more series of the same kind in the "
    "file, with covariates (--future, --past), or with --preset best."
)
MORE_WINDOWS = "More windows tell more: throughtime backtest FILE --horizon N --windows 8."
NOTHING_KNOWN = "Give more history: there was too little to hold out, so nobody knows how good this forecast is."
NO_SEASON = "If the series repeats, say after how many steps: --season N."


def advice(verdict: Verdict, judgments: Mapping[int | float, str], season: int) -> tuple[str, ...]:
    """Return what to do next, the most important first.

    Args:
        verdict: the network against the best baseline.
        judgments: for each level in per cent, the words "too narrow" if its interval covered too little.
        season: the period in steps, 1 if there is none.
    """
    narrow = [level for level, words in judgments.items() if words == "too narrow"]
    return (
        *_after(verdict),
        *([f"Do not rely on the interval of {max(narrow):g} %: it covered too little."] if narrow else []),
        *([NO_SEASON] if season == 1 else []),
        LATER,
    )


def _after(verdict: Verdict) -> list[str]:
    """Return what follows from the comparison with the best baseline."""
    found = verdict.comparison
    if found is None:
        return [NOTHING_KNOWN]
    if not found.clear:
        return [MORE_WINDOWS]
    return [HELP] if found.model > found.baseline else []
