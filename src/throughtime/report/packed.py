"""What the page's charts and its list of series are drawn from, as one object for JSON."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from throughtime.report.choice import Selection, choose
from throughtime.report.content import ForecastContent, Line
from throughtime.report.numbers import shortened, span_of
from throughtime.report.scores import rank, scores_by_series
from throughtime.report.tables import Segment, segments_of
from throughtime.report.time_axis import TimeAxis, time_axis

OBSERVED_DIGITS, DIGITS = 7, 5  # more cannot be seen, and every digit makes the page longer
MOST_POINTS = 400  # of a small chart's curve


def packed(content: ForecastContent) -> dict[str, Any]:
    """Ids and scores of all series; history, forecasts and backtest of those that are drawn.

    In a series ``row`` is its place in ``ids``, and ``at`` the place on ``axis`` where a list begins. ``axis`` holds
    the difference of each stamp from the one before.
    """
    panel = content.panel
    scores = scores_by_series(content)
    forecasts, backtest = segments_of(panel, content.forecasts), segments_of(panel, content.backtest)
    choice = _choice(content, [*forecasts, *backtest], rank(content, scores))
    pictures = _Pictures(content, choice, [*forecasts, *backtest])
    pictures.add("forecasts", forecasts)
    pictures.add("backtest", backtest)
    return {
        "ids": [str(name) for name in panel.ids],
        "models": content.models,
        "levels": sorted(content.levels),
        "scores": {
            metric: {name: shortened(each, digits=DIGITS) for name, each in of.items()} for metric, of in scores.items()
        },
        "axis": np.diff(pictures.axis.stamps, prepend=0).tolist(),
        "resolution": pictures.axis.resolution,
        "recent": choice.recent,
        "series": pictures.series,
        "losses": [_curve(curve) for curve in content.losses],
        "coverage": sorted([float(level), float(share)] for level, share in content.coverage.items()),
        "reach": content.reach and [_curve(curve) for curve in content.reach.curves],
        "season": content.season,
    }


def _choice(content: ForecastContent, windows: Sequence[Segment], ranked: np.ndarray) -> Selection:
    lengths = content.panel.lengths
    drawn = np.zeros(len(lengths), int)
    np.add.at(drawn, [window.row for window in windows], [_size(window) for window in windows])
    horizon = max([max(lengths[window.row] - window.begin, window.end - window.begin) for window in windows], default=1)
    return choose(lengths, drawn, horizon=int(horizon), season=content.season, ranked=ranked)


def _size(window: Segment) -> int:
    return (window.end - window.begin) * len(window.columns)


class _Pictures:
    """The chosen series, which windows are added to."""

    axis: TimeAxis
    series: list[dict[str, Any]]

    def __init__(self, content: ForecastContent, choice: Selection, windows: Sequence[Segment]):
        panel, rows = content.panel, choice.rows
        self._place = {int(row): place for place, row in enumerate(rows)}
        self._begin = np.maximum(panel.lengths[rows] - choice.history, 0)
        ends = panel.lengths[rows].copy()
        for window in windows:
            if window.row in self._place:
                place = self._place[window.row]
                ends[place] = max(ends[place], window.end)
        starts = panel.starts[rows] + panel.frequency.multiple * self._begin
        self.axis = time_axis(panel.frequency, starts, ends - self._begin)
        shown = [panel.series(int(row))[begin:] for row, begin in zip(rows, self._begin, strict=True)]
        self._spans = np.array([span_of(values) for values in shown])
        self.series = [
            {
                "row": int(row),
                "at": int(first),
                "steps": int(panel.lengths[row]),
                "y": shortened(values, digits=OBSERVED_DIGITS, spans=span),
                "forecasts": [],
                "backtest": [],
            }
            for row, first, values, span in zip(rows, self.axis.first, shown, self._spans, strict=True)
        ]

    def add(self, part: str, windows: Sequence[Segment]) -> None:
        """Put the windows of chosen series into this part of theirs; one that begins before the history is left out."""
        known = [each for each in windows if each.row in self._place]
        drawn = [each for each in known if each.begin >= self._begin[self._place[each.row]]]
        if not drawn:
            return
        places = [self._place[each.row] for each in drawn]
        ends = np.cumsum([each.end - each.begin for each in drawn])
        spans = np.repeat(self._spans[places], np.diff(ends, prepend=0))
        columns = {
            name: shortened(np.concatenate([each.columns[name] for each in drawn]), digits=DIGITS, spans=spans)
            for name in drawn[0].columns
        }
        for each, place, end in zip(drawn, places, ends.tolist(), strict=True):
            at = int(self.axis.first[place] + each.begin - self._begin[place])
            own = {name: column[end - (each.end - each.begin) : end] for name, column in columns.items()}
            self.series[place][part].append({"at": at} | own)


def _curve(curve: Line) -> dict[str, Any]:
    """The curve in at most 400 points, each the mean of its neighbors."""
    points = min(len(curve.x), MOST_POINTS)
    x, y = ([part.mean() for part in np.array_split(axis, points)] if points else [] for axis in (curve.x, curve.y))
    return {"name": curve.name, "x": shortened(np.array(x), digits=DIGITS), "y": shortened(np.array(y), digits=DIGITS)}
