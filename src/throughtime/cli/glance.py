"""A glance at a forecast in the terminal: the first series as bars of one line, and its next values."""

import numpy as np

from throughtime.cli.results import ForecastResult
from throughtime.data import format_times
from throughtime.forecasting import MODEL

BARS = "▁▂▃▄▅▆▇█"
SHOWN = 6  # steps
PAST = 36  # steps of the bars before the forecast
GAP = "·"


def glance(result: ForecastResult) -> list[str]:
    """Return lines for the first series: the recent past and the forecast as bars, then times, values, an interval."""
    panel, steps = result.model.panel_, result.model.horizon
    columns = {name: column[:steps] for name, column in result.forecasts.items()}
    level = f"{min(result.levels):g}"
    point, low, high = (columns[name] for name in (MODEL, f"{MODEL}-lo-{level}", f"{MODEL}-hi-{level}"))
    if not np.isfinite(point).any():
        return []
    past = panel.series(0)[-PAST:]
    drawn = bars(np.concatenate([past, point]))
    others = f", the first of {len(panel):,} series" if len(panel) > 1 else ""
    times = format_times(columns["ds"], panel.frequency.zone)[:SHOWN]
    cells = [[_number(value) for value in column[:SHOWN]] for column in (point, low, high)]
    widths = [max(map(len, column)) for column in cells]
    lines = [
        f"{str(panel.ids[0]) or 'The series'}{others}, and its forecast:",
        f"  {drawn[: len(past)]} {drawn[len(past) :]}",
    ]
    padded = ([cell.rjust(width) for cell in column] for column, width in zip(cells, widths, strict=True))
    for time, value, least, most in zip(times, *padded, strict=True):
        lines.append(f"  {time}  {value}   {level} %: {least} to {most}")
    if steps > SHOWN:
        lines.append(f"  ... {steps - SHOWN} more in forecasts.csv")
    return lines


def bars(values: np.ndarray) -> str:
    """Return a bar for each value (K,), from the least to the greatest; a dot for one that is not known."""
    known = np.isfinite(values)
    least, span = np.min(values, where=known, initial=np.inf), np.ptp(values[known]) if known.any() else 0.0
    heights = np.nan_to_num((values - least) / (span or 1.0))
    places = np.minimum((heights * len(BARS)).astype(int), len(BARS) - 1)
    return "".join(BARS[place] if seen else GAP for place, seen in zip(places, known, strict=True))


def _number(value: float) -> str:
    """Return a value in four digits or more, with commas; a tiny or huge one in scientific notation."""
    if not np.isfinite(value):
        return "-"
    if 0 < abs(value) < 0.1 or abs(value) >= 1e15:
        return f"{value:.4g}"
    return f"{value:,.{max(4 - len(str(int(abs(value)))), 0)}f}"
