"""Tables of forecasts, cut into segments: consecutive steps of one series from one cutoff."""

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from throughtime.data import Panel
from throughtime.forecasting import LABELS
from throughtime.report.content import Columns


class Segment(NamedTuple):
    """Consecutive steps of one series, forecast from one cutoff.

    Attributes:
        row: the series, as a row of the panel.
        begin: its first step, counted from the beginning of the series.
        columns: the forecasts (F,) by column, without those that label the rows.
    """

    row: int
    begin: int
    columns: dict[str, np.ndarray]

    @property
    def end(self) -> int:
        """The step after its last."""
        return self.begin + len(next(iter(self.columns.values())))


def segments_of(panel: Panel, table: Columns) -> list[Segment]:
    """Return the segments of a table ``unique_id, ds, (cutoff, y,) throughtime, ...``, by series and time."""
    if not table or not len(table["unique_id"]):
        return []
    order = np.argsort(panel.ids)
    rows = order[np.searchsorted(panel.ids, table["unique_id"], sorter=order)]
    steps = (panel.frequency.ordinals(table["ds"]) - panel.starts[rows]) // panel.frequency.multiple
    cutoffs = table.get("cutoff", np.zeros(len(rows), int))
    sort = np.lexsort((steps, cutoffs, rows))
    rows, steps, cutoffs = rows[sort], steps[sort], cutoffs[sort]
    new = (np.diff(rows) != 0) | (cutoffs[1:] != cutoffs[:-1]) | (np.diff(steps) != 1)
    bounds = np.concatenate([[0], np.flatnonzero(new) + 1, [len(rows)]])
    columns = {name: np.asarray(column)[sort] for name, column in table.items() if name not in LABELS}
    return [
        Segment(int(rows[begin]), int(steps[begin]), {name: column[begin:end] for name, column in columns.items()})
        for begin, end in pairwise(bounds)
    ]
