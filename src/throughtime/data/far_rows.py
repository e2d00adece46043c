"""The refusal of new rows so far after those of their series that a mistyped time is likelier than a pause."""

import numpy as np
from numpy.typing import NDArray

from throughtime.data.calendars import DAY
from throughtime.data.frames import format_times
from throughtime.data.frequency import Frequency
from throughtime.data.irregular import SPARSE
from throughtime.data.panel import Panel
from throughtime.data.rows import Rows
from throughtime.data.source import Source

NEAR = 1000  # steps that a row may always be ahead: more than two years of days, six weeks of hours
PAUSE, MOST_OF_PAUSE = 40 * DAY, 100_000  # microseconds of shorter steps that a row with a value may be, and steps


def check_near(
    panel: Panel, rows: Rows, ordinals: NDArray[np.int64], series: NDArray[np.int64], source: Source
) -> None:
    """Refuse a row that is far after the row before it.

    A pause may be ten times as long as the longest series, or 40 days of at most 100,000 minutes or seconds. A row
    without a value has no pause to tell of, and no forecast reads it that far ahead: it may be as far after the others
    as that series is long. Steps that wait for their values are rows too, so that a long future comes in any number of
    rows, near one another.

    Args:
        panel: N series.
        rows: sorted, none of them before the end of its series.
        ordinals: (R,) those of the rows.
        series: (R,) the number of each row's series in the panel; -1 for others.
        source: names the table in messages.

    Raises:
        InputError: with the row.
    """
    begins = rows.bounds()[:-1]
    last = np.where(series[begins] >= 0, _last_steps(panel, series[begins]), ordinals[begins])
    # As floats, for times that are as far apart as integers can be.
    steps = np.maximum((ordinals.astype(float) - last[rows.series]) // panel.frequency.multiple, 0)
    if (steps <= NEAR).all():
        return
    gaps = np.diff(steps, prepend=0)
    gaps[begins] = steps[begins]
    longest = max(int(panel.lengths.max(initial=0)), int(np.diff(rows.bounds()).max()))
    most = np.where(np.isnan(rows.values), max(NEAR, longest), max(_pause(panel.frequency), SPARSE * longest))
    if (gaps > most).any():
        position = int((gaps - most).argmax())
        raise _far(panel, rows, position, int(gaps[position]), int(most[position]), source)


def _pause(frequency: Frequency) -> int:
    """Return how many steps a series may always have no rows."""
    if frequency.unit != "elapsed":
        return NEAR
    return min(max(PAUSE // frequency.multiple, NEAR), MOST_OF_PAUSE)


def _last_steps(panel: Panel, series: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the ordinal of the last step of some series, (N,), or of their covariates where these extend farther."""
    multiple, covariates = panel.frequency.multiple, panel.covariates
    ends = panel.starts[series] + multiple * (panel.offsets[series + 1] - panel.offsets[series])
    if covariates is not None:
        steps = covariates.offsets[series + 1] - covariates.offsets[series]
        ends = np.maximum(ends, covariates.starts[series] + multiple * steps)
    return ends - multiple


def _far(panel: Panel, rows: Rows, position: int, gap: int, most: int, source: Source) -> Exception:
    """Return the error for a row that is ``gap`` steps after the one before it, of which ``most`` are allowed."""
    time = format_times(rows.stamps.values[[position]], rows.stamps.zone)[0]
    name = str(rows.ids[rows.series[position]])
    return source.error(
        f"found {time} of series {name!r}, {gap:,} steps ({panel.frequency.describe()}) after the row before it: "
        f"expected at most {most:,}. Correct the time; if it is right, give rows for steps in between too, with or "
        f"without values",
        code="far-row",
        row=rows.table_row(position),
        column=rows.columns.time,
        found=time,
        expected=most,
    )
