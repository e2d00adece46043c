"""Small figures for notebooks: axes with room for a legend above, short curves, matrices as images."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from throughtime.plots.theme import INK, share_colors, signed_colors

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

LEFT, RIGHT, TOP, BOTTOM = 50, 10, 22, 36  # pixels around the axes
POINTS = 300  # of a curve: more could not be seen
DECADES = 16  # of a logarithmic axis, at most: below is rounding
SIDE = 56  # rows and columns of a matrix's image: two pixels each
MAP_SIDE = 128  # of a map
PIXELS = 112  # the longer side of a matrix on the page
GAP, ROW = 10, 16  # pixels between matrices, and for a line of text
IN_A_ROW = 4  # matrices
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
    _set_ticks(axes.xaxis, x_ticks, integer=True)
    if axes.get_yscale() == "log":
        axes.yaxis.set_major_locator(LogLocator(subs=(1,) if _powers(axes) > 1 else (1, 2, 5), numticks=6))
        axes.yaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: power_text(value)))
    else:
        _set_ticks(axes.yaxis, None)
    _keep_inside(axes)
    _show_legend(axes)


def draw_map(
    axes: "Axes", shares: np.ndarray, y_label: str, *, x_ticks: Ticks | None = None, y_ticks: Ticks | None = None
) -> None:
    """Draw numbers (R, C) from 0, clear, to 1, blue, the first row at the bottom; NaN is gray.

    Args:
        axes: small ones.
        shares: the numbers.
        y_label: the meaning of the rows.
        x_ticks: columns and their labels; round numbers by default.
        y_ticks: rows and their labels; round numbers by default.
    """
    rows, columns = shares.shape
    edges = (-0.5, columns - 0.5, -0.5, rows - 0.5)
    numbers = np.ma.masked_invalid(shrunk(shares, MAP_SIDE))
    axes.imshow(
        numbers, share_colors(), extent=edges, aspect="auto", origin="lower", interpolation="none", vmin=0, vmax=1
    )
    axes.grid(visible=False)
    axes.spines[:].set(visible=True, alpha=0.3)
    _set_ticks(axes.xaxis, x_ticks, integer=True)
    _set_ticks(axes.yaxis, y_ticks, integer=True)
    _keep_inside(axes)
    axes.text(0, 1.05, y_label, transform=axes.transAxes, alpha=0.75)


class MatrixGrid(NamedTuple):
    """Images of matrices of one shape side by side, on one scale, each below its name if there are several.

    Attributes:
        names: of the matrices.
        matrices: (R, C) each.
    """

    names: Sequence[str]
    matrices: Sequence[np.ndarray]

    @property
    def image_size(self) -> tuple[int, int]:
        """The width and height of an image in pixels."""
        rows, columns = self.matrices[0].shape
        scale = min(PIXELS / max(rows, columns), 10)
        return max(round(columns * scale), 8), max(round(rows * scale), 8)

    @property
    def spacing(self) -> tuple[int, int]:
        """Pixels from one image to the next, to the right and downwards."""
        width, height = self.image_size
        longest = max(len(name) for name in self.names) if len(self.names) > 1 else 0
        return max(width, math.ceil(LETTER * longest)) + GAP, height + GAP + (ROW if len(self.names) > 1 else 0)

    @property
    def size(self) -> tuple[int, int]:
        """The width and height of the figure in pixels."""
        right, down = self.spacing
        count = len(self.matrices)
        return right * min(count, IN_A_ROW), down * math.ceil(count / IN_A_ROW)

    def draw(self, figure: "Figure") -> None:
        """Draw below zero red, above blue, zero clear and NaN gray."""
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set_axis_off()
        (width, height), (right, down) = self.image_size, self.spacing
        largest = max(largest_size(matrix) for matrix in self.matrices) or 1.0
        for number, (name, matrix) in enumerate(zip(self.names, self.matrices, strict=True)):
            x, y = right * (number % IN_A_ROW) + 1, down * (number // IN_A_ROW) + 1
            if len(self.names) > 1:
                axes.text(x, y + ROW - 5, name)
                y += ROW
            edges = (x, x + width, y + height, y)
            numbers = np.ma.masked_invalid(shrunk(matrix, SIDE))
            colors = signed_colors()
            axes.imshow(numbers, colors, extent=edges, interpolation="none", vmin=-largest, vmax=largest)
            axes.plot(
                [x, x + width, x + width, x, x], [y, y, y + height, y + height, y], "-", color=INK, lw=1, alpha=0.4
            )
        axes.set(xlim=(0, self.size[0]), ylim=(self.size[1], 0), aspect="auto")


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


def shrunk(matrix: np.ndarray, side: int) -> np.ndarray:
    """Return a matrix of at most ``side`` rows and columns: the number of the largest size in each block."""
    for axis in (0, 1):
        count = matrix.shape[axis]
        if count <= side:
            continue
        starts = np.linspace(0, count, side, endpoint=False).astype(int)
        high, low = (reduce.reduceat(matrix, starts, axis=axis) for reduce in (np.maximum, np.minimum))
        matrix = np.where(high >= -low, high, low)
    return matrix


def largest_size(values: np.ndarray) -> float:
    """Return the largest absolute value that is finite; 0 if there is none."""
    return float(np.max(np.abs(values[np.isfinite(values)]), initial=0))


def power_text(value: float) -> str:
    """Return a number of a logarithmic axis as it is written: 0.01, 2,000, 10⁻⁵ or 2·10⁷."""
    exponent = math.floor(math.log10(value) + 1e-9)
    if abs(exponent) <= 3:
        return f"{value:,g}"
    factor = round(value / 10.0**exponent)
    return ("" if factor == 1 else f"{factor}·") + f"10{str(exponent).translate(SUPERSCRIPTS)}"


def _set_ticks(axis: "Axis", ticks: Ticks | None, integer: bool = False) -> None:
    """Set ticks and their labels, or a few round numbers."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    if ticks is not None:
        axis.set_ticks([place for place, _ in ticks], labels=[text for _, text in ticks])
    else:
        axis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10], integer=integer))
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.6g}"))


def _powers(axes: "Axes") -> int:
    """Return how many powers of ten the y axis has."""
    low, high = axes.get_ylim()
    return math.floor(math.log10(high)) - math.ceil(math.log10(low)) + 1


def _show_isolated(axes: "Axes", line: "Line2D") -> None:
    """Draw dots at the finite points of a line that have no finite neighbor: no line shows them."""
    x, y = np.asarray(line.get_xdata(), float), np.asarray(line.get_ydata(), float)
    there = np.pad(np.isfinite(y), 1)
    alone = there[1:-1] & ~there[:-2] & ~there[2:]
    if alone.any():
        axes.plot(x[alone], y[alone], "o", color=line.get_color(), markersize=4.5, label="_isolated")


def _keep_inside(axes: "Axes") -> None:
    """Right-align the labels of the x axis that would leave the figure."""
    assert axes.figure is not None
    for place, label in zip(axes.get_xticks(), axes.get_xticklabels(), strict=True):
        middle = axes.transData.transform((place, 0))[0]
        if middle + LETTER * len(label.get_text()) / 2 > axes.figure.bbox.width:
            label.set_horizontalalignment("right")


def _show_legend(axes: "Axes") -> None:
    """Put the legend above the axes; names that find no room are left out, as the tables have them."""
    handles, labels = axes.get_legend_handles_labels()
    ends = np.cumsum([24 + LETTER * len(label) + 11 for label in labels])
    count = max(int(np.sum(ends <= axes.get_window_extent().width + 11)), 1)
    if handles:
        axes.legend(handles[:count], labels[:count], loc="lower left", bbox_to_anchor=(0, 1.03), ncols=count)
