"""Pictures of forecasts: history, median and intervals, as SVG text to put into a page."""

import warnings
from collections.abc import Mapping, Sequence
from io import StringIO

import numpy as np
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure

from throughtime.report.style import BLUE, INK, ORANGE, house_style

Columns = Mapping[str, np.ndarray]


def forecast_svg(
    times: np.ndarray, values: np.ndarray, forecast: Columns, levels: Sequence[int | float], *, title: str
) -> str:
    """The end of one series and its forecast.

    Args:
        times: (T,) of the history shown.
        values: (T,), NaN where missing.
        forecast: ``ds``, ``throughtime`` and the bounds of each level, (F,) each.
        levels: coverage in per cent.
        title: the picture's.
    """
    with house_style():
        figure = Figure(figsize=(8, 2.9))
        axes = figure.subplots()
        axes.plot(times, values, color=INK, linewidth=1.2, label="history")
        _fan(axes, forecast, levels)
        _dates(axes, times)
        axes.set_title(title, parse_math=False)  # a name with dollar signs is no formula
        axes.legend(loc="upper left", ncols=2 + len(levels), fontsize=8)
        return svg_text(figure)


def backtest_svg(
    times: np.ndarray, values: np.ndarray, windows: Sequence[Columns], levels: Sequence[int | float], *, title: str
) -> str:
    """What was forecast for the end of one series, beside what came and what the baseline said.

    Args:
        times: (T,) of the history shown, the windows included.
        values: (T,), NaN where missing.
        windows: for each window ``ds``, ``throughtime``, its bounds and ``seasonal_naive``, (F,) each.
        levels: coverage in per cent.
        title: the picture's.
    """
    with house_style():
        figure = Figure(figsize=(8, 2.9))
        axes = figure.subplots()
        axes.plot(times, values, color=INK, linewidth=1.2, label="what came")
        for index, window in enumerate(windows):
            _fan(axes, window, levels, labelled=index == 0)
            label = "seasonal naive" if index == 0 else None
            axes.plot(window["ds"], window["seasonal_naive"], color=ORANGE, linestyle="--", linewidth=1.2, label=label)
            axes.axvline(window["ds"][0], color="#999999", linewidth=0.8, linestyle=":")
        _dates(axes, times)
        axes.set_title(title, parse_math=False)  # a name with dollar signs is no formula
        axes.legend(loc="upper left", ncols=3 + len(levels), fontsize=8)
        return svg_text(figure)


def _fan(axes: Axes, forecast: Columns, levels: Sequence[int | float], *, labelled: bool = True) -> None:
    """The median as a line, each interval as a band, the widest palest."""
    for level in sorted(levels, reverse=True):
        low, high = forecast[f"throughtime-lo-{level:g}"], forecast[f"throughtime-hi-{level:g}"]
        alpha = 0.14 + 0.16 * sum(other > level for other in levels) / max(len(levels) - 1, 1)
        label = f"{level:g} %" if labelled else None
        axes.fill_between(forecast["ds"], low, high, color=BLUE, alpha=alpha, linewidth=0, label=label)
    axes.plot(forecast["ds"], forecast["throughtime"], color=BLUE, label="throughtime" if labelled else None)


def _dates(axes: Axes, times: np.ndarray) -> None:
    if times.dtype.kind == "M":
        locator = AutoDateLocator()
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))


def svg_text(figure: Figure) -> str:
    """The picture alone: without the XML declaration, which a page must not repeat."""
    out = StringIO()
    with warnings.catch_warnings():
        # The text stays text: whoever opens the page draws it, with fonts of their own.
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from font")
        figure.savefig(out, format="svg", metadata={"Date": None})
    text = out.getvalue()
    return text[text.index("<svg") :]
