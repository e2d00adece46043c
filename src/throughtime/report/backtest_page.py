"""What the report of a backtest shows: the verdict, the scores of all models, the worst series."""

from collections.abc import Sequence

import numpy as np

from throughtime.data.panel import Panel
from throughtime.forecasting.backtest import BASELINE, MODEL
from throughtime.forecasting.forecaster import Forecaster
from throughtime.forecasting.verdict import Tested
from throughtime.report.forecast_plots import backtest_svg
from throughtime.report.html import Page, Picture, render

MOST_SHOWN = 12
HISTORY_LEAST = 48


def backtest_page(
    name: str,
    model: Forecaster,
    panel: Panel,
    tested: Tested,
    notes: Sequence[str],
    levels: Sequence[int | float],
    *,
    seconds: float,
) -> str:
    """The page as HTML.

    Args:
        name: of the file.
        model: the forecaster as it was last trained.
        panel: all series.
        tested: the backtest, with scores.
        notes: what was found in the data, and what was done.
        levels: coverage of the intervals in per cent.
        seconds: what everything took.
    """
    ordered = tested.scores.sort(MODEL, descending=True)
    names = ordered["unique_id"].to_list() or list(dict.fromkeys(tested.rows["unique_id"].astype(str)))
    overall = tested.table.filter(unique_id="")
    models = list(tested.seconds)
    windows = f"{tested.windows} window{'s' if tested.windows > 1 else ''}"
    page = Page(
        title=f"Backtest of {name}: {windows} of {model.horizon} steps",
        headline=tested.verdict.words,
        facts=[
            ("series", f"{len(panel):,}"),
            *((row["metric"], ", ".join(f"{each} {row[each]:.3f}" for each in models)) for row in overall.to_dicts()),
            ("seconds", ", ".join(f"{each} {taken:.1f}" for each, taken in tested.seconds.items())),
            ("took", f"{seconds:.0f} s"),
        ],
        scores=ordered.select("unique_id", MODEL, BASELINE).rows(),
        forecasts=[_picture(panel, each, tested, levels) for each in names[:MOST_SHOWN]],
        backtests=[],
        notes=notes,
        shown=f"The {min(MOST_SHOWN, len(names))} of {len(panel):,} series that throughtime forecast worst. Each "
        "window begins at a dotted line and was forecast from what precedes it.",
    )
    return render(page)


def _picture(panel: Panel, name: str, tested: Tested, levels: Sequence[int | float]) -> Picture:
    """All windows of one series."""
    mine = tested.rows["unique_id"].astype(str) == name
    cutoffs = tested.rows["cutoff"]
    windows = [
        {key: column[mine & (cutoffs == cutoff)] for key, column in tested.rows.items()}
        for cutoff in np.unique(cutoffs[mine])
    ]
    row = int(np.flatnonzero(panel.ids.astype(str) == name)[0])
    times = panel.times(row)
    steps = max(2 * int(np.sum(times >= windows[0]["ds"][0])), HISTORY_LEAST)
    return Picture(name, backtest_svg(times[-steps:], panel.series(row)[-steps:], windows, levels, title=name))
