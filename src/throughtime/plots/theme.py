"""One look for pictures, pages and notebooks: colors, and how matplotlib draws. docs/visual_language.md says it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

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
DASHES = ("", "6 3", "2 3", "10 3 2 3", "12 4", "4 2")
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


@contextmanager
def house_style() -> Iterator[None]:
    """Pictures drawn inside look alike; the user's own settings are as before afterwards."""
    import matplotlib as mpl
    from cycler import cycler

    with mpl.rc_context(_STYLE | {"axes.prop_cycle": cycler(color=[BLUE, ORANGE, GREEN, RED, SKY, INK])}):
        yield


def css_colors() -> str:
    """The colors as variables of a page, ``--ink`` and so on, light or dark as the reader's system is."""

    def variables(colors: Mapping[str, str]) -> str:
        return " ".join(f"--{name}: {color};" for name, color in colors.items())

    dark = f"@media (prefers-color-scheme: dark) {{ :root {{ {variables(DARK)} }} }}"
    return f":root {{ color-scheme: light dark; {variables(LIGHT)} }}\n{dark}"
