"""Small charts as SVG: text and frame in the notebook's own color, on its own background."""

import html
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from throughtime.plots.images import scale_uri, shrunk

WIDTH, HEIGHT = 330, 176
LEFT, RIGHT, TOP, BOTTOM = 50, 10, 22, 36
POINTS = 300  # of a line: more could not be seen
DECADES = 16  # of a logarithmic axis, at most: below lies rounding
LETTER = 5.9  # the width of one, about
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
Number = float | int
Ticks = Sequence[tuple[Number, str]]


class Line(NamedTuple):
    """A line, broken where a value is not finite.

    Attributes:
        x, y: (K,) each.
        label: for the legend; none where empty.
        color: of CSS; "currentColor" is ink.
        dash: of SVG.
        width: in pixels.
        opacity: of the line.
    """

    x: np.ndarray
    y: np.ndarray
    label: str = ""
    color: str = "currentColor"
    dash: str = ""
    width: float = 1.6
    opacity: float = 1.0


class Band(NamedTuple):
    """A band between two lines (K,)."""

    x: np.ndarray
    low: np.ndarray
    high: np.ndarray
    color: str
    opacity: float = 0.25


class _Frame(NamedTuple):
    """From numbers to places in the picture."""

    x: tuple[Number, Number]
    y: tuple[Number, Number]
    log: bool

    def across(self, x: np.ndarray) -> np.ndarray:
        low, high = self.x
        return LEFT + (np.asarray(x, float) - low) / (high - low or 1) * (WIDTH - LEFT - RIGHT)

    def up(self, y: np.ndarray) -> np.ndarray:
        low, high = (math.log10(end) for end in self.y) if self.log else self.y
        with np.errstate(all="ignore"):
            y = np.asarray(y, float)
            y = np.log10(np.clip(y, *self.y)) if self.log else np.clip(y, *self.y)  # zero runs along the bottom
        return HEIGHT - BOTTOM - (y - low) / (high - low or 1) * (HEIGHT - TOP - BOTTOM)


def chart(
    lines: Sequence[Line],
    bands: Sequence[Band] = (),
    *,
    x_label: str,
    name: str,
    log: bool = False,
    y_range: tuple[Number, Number] | None = None,
    x_ticks: Ticks | None = None,
    borders: Sequence[Number] = (),
) -> str:
    """Lines over bands.

    Args:
        lines: from the lowest to the uppermost.
        bands: below them.
        x_label: what goes along.
        name: what it is, for a screen reader.
        log: whether the y axis is logarithmic, where anything is positive.
        y_range: of the y axis; of what is drawn by default.
        x_ticks: places and words along the x axis; round numbers by default.
        borders: places in x of dotted lines.
    """
    values = _all([line.y for line in lines] + [part for band in bands for part in (band.low, band.high)])
    log = log and bool((values > 0).any())
    along = _all([line.x for line in lines] + [band.x for band in bands])
    low, high = y_range or _span(values, log)
    ends = (float(along.min()), float(along.max())) if len(along) else (0.0, 1.0)
    frame = _Frame(ends, (low, high), log)
    marks = powers(low, high) if log else rounds(low, high)
    parts = _axes(frame, marks, rounds(*frame.x) if x_ticks is None else x_ticks, x_label)
    for border in borders:
        place = float(frame.across(np.array([border]))[0])
        parts.append(f'<path d="M{place:.1f} {TOP}V{HEIGHT - BOTTOM}" {_stroke(0.6)} stroke-dasharray="1 3"/>')
    for band in bands:
        x, lower, upper = thinned(band.x, band.low, band.high)
        there = np.isfinite(lower) & np.isfinite(upper)
        if there.any():
            xs, tops, bottoms = frame.across(x[there]), frame.up(upper[there]), frame.up(lower[there])
            points = [*zip(xs, tops, strict=True), *zip(xs[::-1], bottoms[::-1], strict=True)]
            path = " ".join(f"{a:.1f},{b:.1f}" for a, b in points)
            parts.append(f'<polygon points="{path}" fill="{band.color}" fill-opacity="{band.opacity:g}"/>')
    for line in lines:
        parts.append(_path(line, frame))
    parts.append(_legend([line for line in lines if line.label]))
    return _svg(parts, name)


def heat_map(shares: np.ndarray, *, x_ticks: Ticks, y_ticks: Ticks, x_label: str, y_label: str, name: str) -> str:
    """Numbers from 0 (clear) to 1 (blue), (R, C): the first row at the bottom.

    Args:
        shares: the numbers; NaN is gray.
        x_ticks: columns and their words.
        y_ticks: rows and their words.
        x_label: what the columns are.
        y_label: what the rows are.
        name: what it is, for a screen reader.
    """
    rows, columns = shares.shape
    frame = _Frame((-0.5, columns - 0.5), (-0.5, rows - 0.5), log=False)
    width, height = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
    place = f'x="{LEFT}" y="{TOP}" width="{width}" height="{height}"'
    style = 'preserveAspectRatio="none" style="image-rendering:pixelated"'
    image = f'<image href="{scale_uri(shrunk(shares)[::-1])}" {place} {style}/>'
    box = f'<rect {place} fill="none" {_stroke(0.3)}/>'
    return _svg([image, box, *_axes(frame, y_ticks, x_ticks, x_label, y_label, grid=False)], name)


def rounds(low: Number, high: Number, count: int = 5) -> Ticks:
    """About so many round numbers between two, with their words."""
    width = high - low
    if not (math.isfinite(width) and width > 0):
        return [(low, f"{low:,.4g}")]
    step = 10 ** math.floor(math.log10(width / count))
    step *= next(factor for factor in (1, 2, 5, 10) if width / (step * factor) <= count)
    first = math.ceil(low / step - 1e-9)
    places = [number * step for number in range(first, math.floor(high / step + 1e-9) + 1)]
    return [(place, f"{place:,.6g}") for place in places]


def powers(low: Number, high: Number) -> Ticks:
    """At most six powers of ten between two numbers, or the two themselves where there are not two of them."""
    first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    if last - first < 1:
        return [(end, f"{end:.2g}") for end in (low, high)]
    step = math.ceil((last - first) / 5)
    return [(10.0**number, power_words(number)) for number in range(last, first - 1, -step)]


def power_words(exponent: int) -> str:
    """A power of ten, as it is written."""
    return f"{10.0**exponent:,g}" if abs(exponent) <= 3 else f"10{str(exponent).translate(SUPERSCRIPTS)}"


def thinned(x: np.ndarray, *columns: np.ndarray) -> list[np.ndarray]:
    """At most POINTS points: means of as many neighbors each; the mean of none is not a number."""
    x = np.asarray(x, float)
    if len(x) <= POINTS:
        return [x, *(np.asarray(column, float) for column in columns)]
    starts = np.linspace(0, len(x), POINTS, endpoint=False).astype(int)
    means = [np.add.reduceat(x, starts) / np.diff(np.append(starts, len(x)))]
    for column in columns:
        values = np.asarray(column, float)
        there = np.isfinite(values)
        counts = np.add.reduceat(there.astype(float), starts)
        sums = np.add.reduceat(np.where(there, values, 0), starts)
        means.append(np.where(counts > 0, sums / np.maximum(counts, 1), np.nan))
    return means


def some(count: int, most: int) -> np.ndarray:
    """At most so many of the places 0 ... count - 1, evenly from the first to the last."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(int))


def wide(values: np.ndarray) -> bool:
    """Whether a logarithmic axis tells more: all positive, over more than a factor of ten."""
    values = values[np.isfinite(values)]
    return bool(len(values)) and bool((values > 0).all()) and bool(values.max() > 10 * values.min())


def _all(parts: Sequence[np.ndarray]) -> np.ndarray:
    """What is finite of all of them."""
    values = np.concatenate([np.zeros(0), *(np.asarray(part, np.float64) for part in parts)])
    return values[np.isfinite(values)]


def _span(values: np.ndarray, log: bool) -> tuple[float, float]:
    """From the least to the greatest, with some air."""
    if log:
        values = values[values > 0]
        low, high = float(values.min()), float(values.max())
        low = max(low, high * 10.0**-DECADES)
        return (low / 1.3, high * 1.3) if high > low else (low / 2, high * 2)
    if not len(values):
        return 0.0, 1.0
    low, high = float(values.min()), float(values.max())
    air = 0.06 * (high - low) or 0.06 * abs(high) or 1.0
    return low - air, high + air


def _axes(frame: _Frame, y: Ticks, x: Ticks, x_label: str, y_label: str = "", grid: bool = True) -> list[str]:
    parts = []
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
    for value, words in y:
        place = float(frame.up(np.array([value]))[0])
        if grid:
            parts.append(f'<path d="M{LEFT} {place:.1f}H{right}" {_stroke(0.15)}/>')
        parts.append(_text(LEFT - 6, place + 3.5, words, "end"))
    if grid:
        parts.append(f'<path d="M{LEFT} {bottom}H{right}" {_stroke(0.4)}/>')
    for value, words in x:
        place = float(frame.across(np.array([value]))[0])
        half = LETTER * len(words) / 2
        parts.append(_text(min(max(place, half), WIDTH - half), bottom + 14, words, "middle"))
    parts.append(_text((LEFT + right) / 2, HEIGHT - 6, x_label, "middle", soft=True))
    if y_label:
        parts.append(_text(LEFT, TOP - 8, y_label, "start", soft=True))
    return parts


def _path(line: Line, frame: _Frame) -> str:
    x, y = thinned(line.x, line.y)
    xs, ys, there = frame.across(x), frame.up(y), np.isfinite(y)
    style = f'stroke-width="{line.width:g}" stroke-opacity="{line.opacity:g}"'
    style += f' stroke-dasharray="{line.dash}"' if line.dash else ""
    steps, parts = [], []
    for place in np.flatnonzero(there):
        joined = place > 0 and there[place - 1]
        steps.append(f"{'L' if joined else 'M'}{xs[place]:.1f} {ys[place]:.1f}")
        if not joined and not (place + 1 < len(there) and there[place + 1]):  # no line shows a point alone
            parts.append(f'<circle cx="{xs[place]:.1f}" cy="{ys[place]:.1f}" r="2.4" fill="{line.color}"/>')
    parts.insert(0, f'<path d="{"".join(steps)}" fill="none" stroke="{line.color}" stroke-linejoin="round" {style}/>')
    return "".join(parts)


def _legend(lines: Sequence[Line]) -> str:
    parts, place = [], float(LEFT)
    for line in lines:
        width = 20 + LETTER * len(line.label)
        if place + width > WIDTH and place > LEFT:
            break  # colors and dashes still tell; the tables have the names
        dash = f' stroke-dasharray="{line.dash}"' if line.dash else ""
        parts.append(f'<path d="M{place:.1f} 8h14" stroke="{line.color}" stroke-width="2"{dash}/>')
        parts.append(_text(place + 18, 12, line.label, "start"))
        place += width + 10
    return "".join(parts)


def _stroke(opacity: float) -> str:
    return f'stroke="currentColor" stroke-opacity="{opacity:g}"'


def _text(x: Number, y: Number, words: str, anchor: str, soft: bool = False) -> str:
    opacity = ' fill-opacity=".75"' if soft else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{opacity}>{html.escape(words)}</text>'


def _svg(parts: Sequence[str], name: str) -> str:
    style = f"display:block;width:{WIDTH}px;max-width:100%;height:auto;color:inherit"
    says = f'role="img" aria-label="{html.escape(name)}" style="{style}"'
    font = 'font-family="system-ui, sans-serif" font-size="11" fill="currentColor"'
    box = f'viewBox="0 0 {WIDTH} {HEIGHT}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {box} {says} {font}>{"".join(parts)}</svg>'
