"""What the report of a forecast shows: which series, which pictures, which facts."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from throughtime.data.panel import Panel
from throughtime.forecasting.backtest import BASELINE
from throughtime.forecasting.forecaster import Forecaster
from throughtime.forecasting.verdict import MODEL, Tested
from throughtime.report.forecast_plots import Columns, backtest_svg, forecast_svg
from throughtime.report.html import Page, Picture, render

MOST_SHOWN = 12
HISTORY_HORIZONS, HISTORY_SEASONS, HISTORY_LEAST = 4, 4, 48


def forecast_page(
    name: str, model: Forecaster, forecasts: Columns, tested: Tested, levels: Sequence[int | float], *, seconds: float
) -> str:
    """The page as HTML.

    Args:
        name: of the file.
        model: the fitted forecaster.
        forecasts: ``unique_id, ds, throughtime, ...``, F rows a series, in the panel's order.
        tested: the backtest.
        levels: coverage of the intervals in per cent.
        seconds: what everything took.
    """
    panel, design, plan = model.panel_, model.plan_.design, model.plan_
    ordered = tested.scores if tested.scores.is_empty() else tested.scores.sort(MODEL, descending=True)
    rows, shown = _chosen(panel, ordered)
    network = (
        f"{design.cell.upper()}, {design.hidden} units, {plan.steps:,} training steps, reads {design.length} steps"
    )
    season = f"a season of {design.seasons[0]} steps" if design.seasons[0] > 1 else "no season"
    page = Page(
        title=f"Forecast of {name}, {model.horizon} steps ahead",
        headline=tested.verdict.words,
        facts=[
            ("series", f"{len(panel):,}"),
            ("time axis", f"{panel.frequency.describe()}, {season}"),
            ("network", network if model.networks_ else "none: the series are too short"),
            ("seen as", "logarithms" if plan.log else "plain values"),
            ("intervals", _coverage_words(tested)),
            ("took", f"{seconds:.0f} s"),
        ],
        scores=[] if ordered.is_empty() else ordered.select("unique_id", MODEL, BASELINE).rows(),
        forecasts=[_forecast_picture(panel, row, forecasts, levels, design.seasons[0]) for row in rows],
        backtests=[
            picture for row in rows for picture in _backtest_picture(panel, row, tested, levels, design.seasons[0])
        ],
        notes=model.notes_,
        shown=shown,
    )
    return render(page)


def _coverage_words(tested: Tested) -> str:
    if not tested.coverage:
        return "not tested"
    shares = [f"that of {level:g} % covered {share:.0%}" for level, share in sorted(tested.coverage.items())]
    return f"in the backtest {', '.join(shares)} of the values"


def _chosen(panel: Panel, ordered: pl.DataFrame) -> tuple[list[int], str]:
    """The rows of the series to show, and how they were chosen: half the worst, half the best where there are many."""
    if len(panel) <= MOST_SHOWN:
        return list(range(len(panel))), ""
    if ordered.is_empty():
        return list(range(MOST_SHOWN)), f"The first {MOST_SHOWN} of {len(panel):,} series."
    names = ordered["unique_id"].to_list()
    half = min(MOST_SHOWN, len(names)) // 2
    place = {name: row for row, name in enumerate(panel.ids.tolist())}
    words = (
        f"The {half} series of {len(panel):,} that throughtime forecast worst in the backtest, then the {half} best."
    )
    return [place[name] for name in names[:half] + names[::-1][:half]], words


def _forecast_picture(
    panel: Panel, row: int, forecasts: Columns, levels: Sequence[int | float], season: int
) -> Picture:
    horizon = len(forecasts["ds"]) // len(panel)
    ahead = {name: column[row * horizon : (row + 1) * horizon] for name, column in forecasts.items()}
    times, values = _end(panel, row, horizon, season)
    title = f"{panel.ids[row]}: forecast"
    return Picture(title, forecast_svg(times, values, ahead, levels, title=title))


def _backtest_picture(
    panel: Panel, row: int, tested: Tested, levels: Sequence[int | float], season: int
) -> list[Picture]:
    """One picture of all windows; none where the series was too short to take part."""
    if not tested.windows:
        return []
    mine = tested.rows["unique_id"] == panel.ids[row]
    cutoffs = np.unique(tested.rows["cutoff"][mine])
    if not len(cutoffs):
        return []
    windows = [
        {name: column[mine & (tested.rows["cutoff"] == cutoff)] for name, column in tested.rows.items()}
        for cutoff in cutoffs
    ]
    times, values = _end(panel, row, len(windows) * len(windows[0]["ds"]), season)
    title = f"{panel.ids[row]}: backtest"
    return [Picture(title, backtest_svg(times, values, windows, levels, title=title))]


def _end(panel: Panel, row: int, horizon: int, season: int) -> tuple[np.ndarray, np.ndarray]:
    """The last few horizons or seasons of a series, whichever is longer."""
    steps = max(HISTORY_HORIZONS * horizon, HISTORY_SEASONS * season, HISTORY_LEAST)
    return panel.times(row)[-steps:], panel.series(row)[-steps:]
