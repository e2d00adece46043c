"""The look of pictures, pages and notebooks: colors, and matplotlib's settings. See docs/visual_language.md."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.colors import Colormap

# Okabe & Ito 2008: told apart by people with any color vision.
INK, BLUE, ORANGE, GREEN, RED, SKY = "#222222", "#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9"
PURPLE, YELLOW = "#CC79A7", "#F0E442"
GRAY = "#888888"
# A page's colors. Lines have a contrast of at least 3 to the page, text of at least 4.5.
# What was observed is ink, throughtime blue; baselines are dashed, too, each in its own way.
LIGHT = {
    "ink": INK,
    "soft": "#595f69",
    "line": "#dcdfe4",
    "page": "#ffffff",
    "card": "#f6f7f9",
    "model": BLUE,
    "warn": "#a34700",
    "baseline-1": RED,
    "baseline-2": "#008a64",
    "baseline-3": "#b0568a",
    "baseline-4": "#8a6a00",
    "baseline-5": "#6b6f76",
}
DARK = {
    "ink": "#e8e9eb",
    "soft": "#a6acb5",
    "line": "#3a3f47",
    "page": "#15171b",
    "card": "#1e2126",
    "model": SKY,
    "warn": ORANGE,
    "baseline-1": ORANGE,
    "baseline-2": "#2bc49a",
    "baseline-3": PURPLE,
    "baseline-4": YELLOW,
    "baseline-5": "#a0a6b0",
}
# Lines in a notebook, whose page may be light or dark: a contrast of at least 3 to both. Ink is the page's own there.
LINES = (BLUE, LIGHT["baseline-1"], LIGHT["baseline-2"], LIGHT["baseline-3"], LIGHT["baseline-4"], LIGHT["baseline-5"])
DASHES: tuple[Any, ...] = ("-", (0, (4, 2)), (0, (1.3, 2)), (0, (6, 2, 1.3, 2)), (0, (8, 2.5)), (0, (2.5, 1.5)))
SHADES = 40  # from nothing to the full color
FONT = "DejaVu Sans"  # comes with matplotlib: places of labels are the same on every machine
_STYLE: Any = {  # matplotlib's stubs want each key as a literal
    "axes.edgecolor": GRAY,
    "axes.grid": True,
    "axes.labelcolor": INK,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 11,
    "figure.constrained_layout.use": True,
    "figure.dpi": 110,
    "figure.facecolor": "white",
    "font.size": 10,
    "grid.alpha": 0.25,
    "legend.frameon": False,
    "lines.linewidth": 1.6,
    "svg.fonttype": "none",
}

_NOTEBOOK: Any = _STYLE | {
    "axes.edgecolor": INK,
    "axes.facecolor": "none",
    "axes.grid.axis": "y",
    "axes.labelsize": 11,
    "axes.linewidth": 0.6,
    "axes.spines.left": False,
    "figure.constrained_layout.use": False,
    "figure.dpi": 72,  # a point of the SVG is a pixel of the page
    "figure.facecolor": "none",
    "font.family": FONT,
    "font.size": 11,
    "grid.alpha": 0.2,
    "grid.color": INK,
    "legend.borderaxespad": 0,
    "legend.borderpad": 0,
    "legend.columnspacing": 1,
    "legend.fontsize": 11,
    "legend.handlelength": 1.6,
    "legend.handletextpad": 0.4,
    "svg.hashsalt": "throughtime",  # the same bytes for the same figure
    "svg.image_inline": True,
    "text.color": INK,
    "text.parse_math": False,
    "xtick.color": INK,
    "xtick.labelsize": 11,
    "xtick.major.pad": 5,
    "xtick.major.size": 0,
    "ytick.color": INK,
    "ytick.labelsize": 11,
    "ytick.major.pad": 6,
    "ytick.major.size": 0,
}


@contextmanager
def house_style() -> Iterator[None]:
    """Draw figures for files alike; matplotlib's settings are the user's again afterwards."""
    import matplotlib as mpl
    from cycler import cycler

    with mpl.rc_context(_STYLE | {"axes.prop_cycle": cycler(color=[BLUE, ORANGE, GREEN, RED, SKY, INK])}):
        yield


@contextmanager
def notebook_style() -> Iterator[None]:
    """Draw small figures for a notebook, whatever the user's own style is: ink stands for the page's color of text."""
    from cycler import cycler
    from matplotlib import style

    cycle = cycler(color=LINES) + cycler(linestyle=DASHES)
    with style.context(["default", _NOTEBOOK | {"axes.prop_cycle": cycle}]):
        yield


def share_colors() -> "Colormap":
    """Return the colors from 0, clear, to 1, throughtime's blue; NaN is gray."""
    return _colormap([(BLUE, shade / SHADES) for shade in range(SHADES + 1)], (GRAY, 0.35))


def signed_colors() -> "Colormap":
    """Return the colors from -1, red, through 0, clear, to 1, blue; NaN is gray."""
    below = [(RED, shade / SHADES) for shade in range(SHADES, 0, -1)]
    return _colormap([*below, *((BLUE, shade / SHADES) for shade in range(SHADES + 1))], (GRAY, 1.0))


def _colormap(colors: list[tuple[str, float]], bad: tuple[str, float]) -> "Colormap":
    from matplotlib.colors import ListedColormap, to_rgba

    return ListedColormap([to_rgba(*color) for color in colors]).with_extremes(bad=to_rgba(*bad))


def css_colors() -> str:
    """Return the colors as variables of a page, ``--ink`` and so on, light or dark as the reader's system is."""

    def variables(colors: Mapping[str, str]) -> str:
        return " ".join(f"--{name}: {color};" for name, color in colors.items())

    dark = f"@media (prefers-color-scheme: dark) {{ :root {{ {variables(DARK)} }} }}"
    return f":root {{ color-scheme: light dark; {variables(LIGHT)} }}\n{dark}"
