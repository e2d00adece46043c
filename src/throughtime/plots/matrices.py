"""Small images for notebooks: matrices side by side, and maps with axes."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from throughtime.plots.small import LETTER, Ticks, keep_inside, set_ticks
from throughtime.plots.theme import INK, share_colors, signed_colors

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SIDE = 56  # rows and columns of a matrix's image: two pixels each
MAP_SIDE = 128  # of a map
PIXELS = 112  # the longer side of a matrix on the page
GAP, ROW = 10, 16  # pixels between matrices, and for a line of text
IN_A_ROW = 4  # matrices


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
        axes = figure.add_axes((0, 0, 1, 1), xlim=(0, self.size[0]), ylim=(self.size[1], 0))
        axes.set_axis_off()
        right, down = self.spacing
        largest = max(largest_size(matrix) for matrix in self.matrices) or 1.0
        for number, (name, matrix) in enumerate(zip(self.names, self.matrices, strict=True)):
            x, y = right * (number % IN_A_ROW) + 1, down * (number // IN_A_ROW) + 1
            if len(self.names) > 1:
                axes.text(x, y + ROW - 5, name)
                y += ROW
            self._draw_image(axes, matrix, x, y, largest)

    def _draw_image(self, axes: "Axes", matrix: np.ndarray, x: int, y: int, largest: float) -> None:
        """Draw one matrix and a line around it, from its upper left corner in pixels."""
        width, height = self.image_size
        numbers = np.ma.masked_invalid(shrunk(matrix, SIDE))
        look: dict[str, Any] = {"interpolation": "none", "aspect": "auto", "vmin": -largest, "vmax": largest}
        axes.imshow(numbers, signed_colors(), extent=(x, x + width, y + height, y), **look)
        corners = [x, x + width, x + width, x, x], [y, y, y + height, y + height, y]
        axes.plot(*corners, "-", color=INK, linewidth=1, alpha=0.4)


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
    set_ticks(axes.xaxis, x_ticks, integer=True)
    set_ticks(axes.yaxis, y_ticks, integer=True)
    keep_inside(axes)
    axes.text(0, 1.05, y_label, transform=axes.transAxes, alpha=0.75)


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
