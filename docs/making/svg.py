"""Pictures as SVG, in the colors of throughtime/plots/theme.py, readable in light and in dark.

A single file follows the reader's system. Inside the site it uses the page's colors of the same names
(docs/stylesheets/throughtime.css), so that a picture changes with the page.
"""

from collections.abc import Callable, Iterable
from html import escape
from pathlib import Path

from throughtime.plots import DARK, LIGHT

NAMES = {
    "ink": "ink",
    "soft": "soft",
    "line": "line",
    "page": "page",
    "card": "card",
    "model": "model",
    "1": "baseline-1",
    "2": "baseline-2",
    "3": "baseline-3",
    "4": "baseline-4",
    "5": "baseline-5",
}
FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif'


def variables(colors: dict[str, str]) -> str:
    """Return the colors as CSS variables: ``--tt-ink: #222222; ...``."""
    return " ".join(f"--tt-{name}: {colors[key]};" for name, key in NAMES.items())


STYLE = f"""<style>
svg {{ {variables(LIGHT)} }}
@media (prefers-color-scheme: dark) {{ svg {{ {variables(DARK)} }} }}
</style>"""


class Picture:
    """Shapes on a canvas; later ones cover earlier ones."""

    def __init__(self, width: float, height: float, title: str):
        self.width, self.height, self.title, self.parts = width, height, title, list[str]()

    def text(
        self, x: float, y: float, words: str, *, size: float = 14, color: str = "ink", anchor: str = "middle",
        weight: str = "normal", style: str = "normal",
    ) -> None:  # fmt: skip
        """Add text, centered vertically."""
        self.parts.append(
            f'<text x="{x:g}" y="{y:g}" font-size="{size:g}" fill="var(--tt-{color})" text-anchor="{anchor}" '
            f'font-weight="{weight}" font-style="{style}" dominant-baseline="central">{escape(words)}</text>'
        )

    def rectangle(
        self, x: float, y: float, width: float, height: float, *, fill: str = "card", stroke: str = "none",
        radius: float = 0, dash: str = "",
    ) -> None:  # fmt: skip
        """Add a rectangle from its upper left corner."""
        colors = " ".join(
            f'{what}="{color if color == "none" else f"var(--tt-{color})"}"'
            for what, color in (("fill", fill), ("stroke", stroke))
        )
        dashed = f' stroke-dasharray="{dash}"' if dash else ""
        self.parts.append(
            f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="{radius:g}" {colors}{dashed}/>'
        )

    def circle(self, x: float, y: float, radius: float, *, fill: str, stroke: str = "none") -> None:
        """Add a circle."""
        line = "none" if stroke == "none" else f"var(--tt-{stroke})"
        self.parts.append(
            f'<circle cx="{x:g}" cy="{y:g}" r="{radius:g}" fill="var(--tt-{fill})" stroke="{line}" stroke-width="1.5"/>'
        )

    def line(self, points: list[tuple[float, float]], *, color: str, width: float = 2, round_by: float = 8) -> None:
        """Add straight segments with rounded corners."""
        path = [f"M{points[0][0]:g} {points[0][1]:g}"]
        for before, corner, after in zip(points, points[1:], points[2:], strict=False):
            path += [f"L{_towards(corner, before, round_by)}", f"Q{corner[0]:g} {corner[1]:g}"]
            path[-1] += f" {_towards(corner, after, round_by)}"
        path.append(f"L{points[-1][0]:g} {points[-1][1]:g}")
        self.parts.append(
            f'<path d="{" ".join(path)}" fill="none" stroke="var(--tt-{color})" stroke-width="{width:g}"/>'
        )

    def head(self, tip: tuple[float, float], before: tuple[float, float], *, color: str) -> None:
        """Add an arrow's head, at its tip."""
        (x, y), (dx, dy) = tip, _direction(before, tip)
        corners = [
            (x, y),
            (x - 9 * dx - 4.5 * dy, y - 9 * dy + 4.5 * dx),
            (x - 9 * dx + 4.5 * dy, y - 9 * dy - 4.5 * dx),
        ]
        self.parts.append(f'<path d="M{" L".join(f"{a:g} {b:g}" for a, b in corners)} Z" fill="var(--tt-{color})"/>')

    def svg(self) -> str:
        """Return the file's text."""
        body = "\n".join(self.parts)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width:g} {self.height:g}" role="img" '
            f"font-family='{FONT}'>\n<title>{escape(self.title)}</title>\n{STYLE}\n{body}\n</svg>\n"
        )


def drawn(makers: Iterable[Callable[[], Picture]]) -> dict[str, str]:
    """Return each picture's text by its file name, which is that of the function which draws it."""
    return {f"{maker.__name__}.svg": maker().svg() for maker in makers}


def write(folder: Path, makers: Iterable[Callable[[], Picture]]) -> None:
    """Draw the pictures and write them to a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in drawn(makers).items():
        (folder / name).write_text(text)
    print(f"Written to {folder}.")


def _direction(start: tuple[float, float], end: tuple[float, float]) -> tuple[float, float]:
    length = ((end[0] - start[0]) ** 2 + (end[1] - start[1]) ** 2) ** 0.5
    return (end[0] - start[0]) / length, (end[1] - start[1]) / length


def _towards(corner: tuple[float, float], other: tuple[float, float], by: float) -> str:
    length = ((other[0] - corner[0]) ** 2 + (other[1] - corner[1]) ** 2) ** 0.5
    (dx, dy), by = _direction(corner, other), min(by, length / 2)
    return f"{corner[0] + by * dx:g} {corner[1] + by * dy:g}"
