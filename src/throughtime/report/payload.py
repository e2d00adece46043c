"""The numbers that the page's charts and its list of series are drawn from, as one object for JSON."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from throughtime.data import Panel
from throughtime.forecasting import Covered
from throughtime.report.axis import TimeAxis, time_axis
from throughtime.report.choice import Selection, choose
from throughtime.report.content import ForecastContent
from throughtime.report.errors import Errors
from throughtime.report.marks import marks_of
from throughtime.report.numbers import shortened, span_of
from throughtime.report.reach import Line
from throughtime.report.scores import rank, scores_by_series
from throughtime.report.tables import Segment, segments_of
from throughtime.report.totals import NAME, Totals

OBSERVED_DIGITS, DIGITS = 7, 5  # more cannot be seen, and every digit makes the page longer
MOST_POINTS = 400  # of a small chart's line: more than it has pixels


def payload(content: ForecastContent) -> dict[str, Any]:
    """Return ids and scores of all series, and history, forecasts and backtest of the ones that are drawn.

    In a series ``row`` is its place in ``ids``, and ``at`` the place on ``axis`` where a list begins. ``axis`` holds
    the difference of each stamp from the one before.
    """
    panel, errors, totals = content.panel, content.errors, content.totals
    scores = scores_by_series(content)
    forecasts, backtest = segments_of(panel, content.forecasts), segments_of(panel, content.backtest)
    selection = _select(content, [*forecasts, *backtest], rank(content, scores))
    parts = [("forecasts", forecasts), ("backtest", backtest)]
    if totals is not None:  # as one more series
        panel = _with_total(panel, totals)
        selection = selection._replace(rows=np.append(selection.rows, len(content.panel)))
        parts.append(("forecasts", segments_of(panel, totals.forecasts)))
        parts.append(("backtest", segments_of(panel, totals.backtest)))
    charts = _SeriesCharts(panel, selection, [segment for _, segments in parts for segment in segments])
    for part, segments in parts:
        charts.add(part, segments)
    total = charts.series.pop() if totals is not None else None
    for series, history in zip(charts.series, charts.histories, strict=False):
        series |= marks_of(history, content.season)
    return {
        "ids": [str(name) for name in content.panel.ids],
        "models": content.models,
        "levels": sorted(content.levels),
        "scores": {
            metric: {name: shortened(values, digits=DIGITS) for name, values in by_model.items()}
            for metric, by_model in scores.items()
        },
        "axis": np.diff(charts.axis.stamps, prepend=0).tolist(),
        "resolution": charts.axis.resolution,
        "recent": selection.recent,
        "series": charts.series,
        "total": total,
        "losses": [_thinned(line) for line in content.losses],
        "coverage": [_covered(found) for found in content.coverage.values()],
        "reach": content.reach and [_thinned(line) for line in content.reach.lines],
        "season": content.season,
        "errors": errors and _errors(errors),
    }


def _select(content: ForecastContent, segments: Sequence[Segment], ranked: np.ndarray) -> Selection:
    """Return the series that get a chart."""
    lengths = content.panel.lengths
    drawn = np.zeros(len(lengths), int)
    np.add.at(drawn, [segment.row for segment in segments], [_size(segment) for segment in segments])
    horizon = max([max(lengths[part.row] - part.begin, part.end - part.begin) for part in segments], default=1)
    return choose(lengths, drawn, horizon=int(horizon), season=content.season, ranked=ranked)


def _size(segment: Segment) -> int:
    """Return how many numbers a segment puts into the page."""
    return (segment.end - segment.begin) * len(segment.columns)


class _SeriesCharts:
    """The data of the selected series' charts, to which forecasts and backtest are added."""

    axis: TimeAxis
    series: list[dict[str, Any]]
    histories: list[np.ndarray]

    def __init__(self, panel: Panel, selection: Selection, segments: Sequence[Segment]):
        rows = selection.rows
        self._place = {int(row): place for place, row in enumerate(rows)}
        self._begin = np.maximum(panel.lengths[rows] - selection.history, 0)
        ends = panel.lengths[rows].copy()
        for segment in segments:
            if segment.row in self._place:
                place = self._place[segment.row]
                ends[place] = max(ends[place], segment.end)
        starts = panel.starts[rows] + panel.frequency.multiple * self._begin
        self.axis = time_axis(panel.frequency, starts, ends - self._begin)
        self.histories = [panel.series(int(row))[begin:] for row, begin in zip(rows, self._begin, strict=True)]
        self._spans = np.array([span_of(values) for values in self.histories])
        self.series = [
            {
                "row": int(row),
                "at": int(first),
                "steps": int(panel.lengths[row]),
                "y": shortened(values, digits=OBSERVED_DIGITS, spans=span),
                "forecasts": [],
                "backtest": [],
            }
            for row, first, values, span in zip(rows, self.axis.first, self.histories, self._spans, strict=True)
        ]

    def add(self, part: str, segments: Sequence[Segment]) -> None:
        """Add the segments of selected series to a part of theirs; one that begins before the history is left out."""
        drawn = [
            segment
            for segment in segments
            if segment.row in self._place and segment.begin >= self._begin[self._place[segment.row]]
        ]
        if not drawn:
            return
        places = [self._place[segment.row] for segment in drawn]
        ends = np.cumsum([segment.end - segment.begin for segment in drawn])
        spans = np.repeat(self._spans[places], np.diff(ends, prepend=0))
        columns = {
            name: shortened(np.concatenate([segment.columns[name] for segment in drawn]), digits=DIGITS, spans=spans)
            for name in drawn[0].columns
        }
        for segment, place, end in zip(drawn, places, ends.tolist(), strict=True):
            at = int(self.axis.first[place] + segment.begin - self._begin[place])
            own = {name: column[end - (segment.end - segment.begin) : end] for name, column in columns.items()}
            self.series[place][part].append({"at": at} | own)


def _with_total(panel: Panel, totals: Totals) -> Panel:
    """Return the panel with the sum as its last series."""
    return replace(
        panel,
        ids=np.append(panel.ids.astype(str), NAME),
        values=np.concatenate([panel.values, totals.values]),
        offsets=np.append(panel.offsets, panel.offsets[-1] + len(totals.values)),
        starts=np.append(panel.starts, totals.start),
        covariates=None,
    )


def _covered(found: Covered) -> list[float]:
    """Return the level, the share, and the ends of its range, in per cent."""
    return [found.level, *(round(100 * share, 2) for share in (found.share, found.low, found.high))]


def _errors(errors: Errors) -> dict[str, Any]:
    """Return what the charts of the errors are drawn from."""
    return {
        "unit": errors.unit,
        "steps": [_thinned(line) for line in errors.by_step],
        "windows": [_thinned(line) for line in errors.by_window],
        "edges": shortened(errors.edges, digits=DIGITS),
        "counts": errors.counts.tolist(),
        "together": errors.together and _thinned(errors.together),
    }


def _thinned(line: Line) -> dict[str, Any]:
    """Return a line in at most 400 points, each the mean of its neighbors."""
    points = min(len(line.x), MOST_POINTS)
    x, y = ([part.mean() for part in np.array_split(axis, points)] if points else [] for axis in (line.x, line.y))
    return {"name": line.name, "x": shortened(np.array(x), digits=DIGITS), "y": shortened(np.array(y), digits=DIGITS)}
