"""Small figures of curves for notebooks: axes with room for a legend above, few ticks, few points."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

LEFT, RIGHT, TOP, BOTTOM = 50, 10, 22, 36  # pixels around the axes
POINTS = 300  # of a curve: more could not be seen
DECADES = 16  # of a logarithmic axis, at most: below is rounding
LETTER = 5.9  # the width of a letter in pixels, about
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
Ticks = Sequence[tuple[int | float, str]]


def small_axes(figure: "Figure", x_label: str) -> "Axes":
    """Return axes that fill a figure but for the labels below and on the left and the legend above."""
    width, height = figure.get_size_inches() * figure.dpi
    size = (width - LEFT - RIGHT) / width, (height - TOP - BOTTOM) / height
    axes = figure.add_axes((LEFT / width, BOTTOM / height, *size))
    axes.set_xlabel(x_label, alpha=0.75)
    axes.margins(x=0)
    return axes


def finish(axes: "Axes", x_ticks: Ticks | None = None) -> None:
    """Show isolated points, round numbers at the ticks, and as much of the legend as there is room for.

    Args:
        axes: small ones, with everything drawn.
        x_ticks: places and labels along the x axis; round counts by default.
    """
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    for line in list(axes.lines):
        _show_isolated(axes, line)
    set_ticks(axes.xaxis, x_ticks, integer=True)
    if axes.get_yscale() == "log":
        axes.yaxis.set_major_locator(LogLocator(subs=(1,) if _powers(axes) > 1 else (1, 2, 5), numticks=6))
        axes.yaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: power_text(value)))
    else:
        set_ticks(axes.yaxis, None)
    keep_inside(axes)
    _show_legend(axes)


def set_ticks(axis: "Axis", ticks: Ticks | None, integer: bool = False) -> None:
    """Set ticks and their labels, or a few round numbers."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    if ticks is not None:
        axis.set_ticks([place for place, _ in ticks], labels=[text for _, text in ticks])
    else:
        axis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10], integer=integer))
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.6g}"))


def keep_inside(axes: "Axes") -> None:
    """Right-align the labels of the x axis that would leave the figure."""
    assert axes.figure is not None
    for place, label in zip(axes.get_xticks(), axes.get_xticklabels(), strict=True):
        middle = axes.transData.transform((place, 0))[0]
        if middle + LETTER * len(label.get_text()) / 2 > axes.figure.bbox.width:
            label.set_horizontalalignment("right")


def thinned(x: np.ndarray, *columns: np.ndarray) -> list[np.ndarray]:
    """Return at most POINTS points: means of the finite values of as many neighbors each; NaN if there are none."""
    x = np.asarray(x, float)
    values = [np.where(np.isfinite(column), column, np.nan).astype(float) for column in columns]
    if len(x) <= POINTS:
        return [x, *values]
    starts = np.linspace(0, len(x), POINTS, endpoint=False).astype(int)
    means = [np.add.reduceat(x, starts) / np.diff(np.append(starts, len(x)))]
    for column in values:
        counts = np.add.reduceat(np.isfinite(column).astype(float), starts)
        sums = np.add.reduceat(np.nan_to_num(column), starts)
        means.append(np.where(counts > 0, sums / np.maximum(counts, 1), np.nan))
    return means


def some(count: int, most: int) -> np.ndarray:
    """Return at most ``most`` of the places 0 ... count - 1, evenly from the first to the last."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(int))


def log_if_wide(axes: "Axes", values: np.ndarray) -> None:
    """Make the y axis logarithmic, over DECADES at most, if all is positive and over more than a factor of ten."""
    values = values[np.isfinite(values)]
    if values.size and values.min() > 0 and values.max() > 10 * values.min():
        high = float(values.max())
        axes.set_ylim(max(float(values.min()), high * 10.0**-DECADES) / 1.3, 1.3 * high)
        axes.set_yscale("log")


def power_text(value: float) -> str:
    """Return a number of a logarithmic axis as it is written: 0.01, 2,000, 10⁻⁵ or 2·10⁷."""
    exponent = math.floor(math.log10(value) + 1e-9)
    if abs(exponent) <= 3:
        return f"{value:,g}"
    factor = round(value / 10.0**exponent)
    return ("" if factor == 1 else f"{factor}·") + f"10{str(exponent).translate(SUPERSCRIPTS)}"


def _powers(axes: "Axes") -> int:
    """Return how many powers of ten the y axis has."""
    low, high = axes.get_ylim()
    return math.floor(math.log10(high)) - math.ceil(math.log10(low)) + 1


def _show_isolated(axes: "Axes", line: "Line2D") -> None:
    """Draw dots at the finite points of a line that have no finite neighbor: no line shows them."""
    x, y = np.asarray(line.get_xdata(), float), np.asarray(line.get_ydata(), float)
    there = np.pad(np.isfinite(y), 1)
    alone = there[1:-1] & ~there[:-2] & ~there[2:]
    if alone.any() and line.get_marker() == "None":
        axes.plot(x[alone], y[alone], "o", color=line.get_color(), markersize=4.5, label="_isolated")


def _show_legend(axes: "Axes") -> None:
    """Put the legend above the axes; names that find no room are left out, as the tables have them."""
    handles, labels = axes.get_legend_handles_labels()
    ends = np.cumsum([24 + LETTER * len(label) + 11 for label in labels])
    count = max(int(np.sum(ends <= axes.get_window_extent().width + 11)), 1)
    if handles:
        axes.legend(handles[:count], labels[:count], loc="lower left", bbox_to_anchor=(0, 1.03), ncols=count)
