"""One look for every picture."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
from cycler import cycler

# Okabe & Ito 2008: told apart by people with any colour vision.
INK, BLUE, ORANGE, GREEN, RED, SKY = "#222222", "#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9"

_STYLE: Any = {  # matplotlib's stubs want each key as a literal
    "axes.edgecolor": "#888888",
    "axes.grid": True,
    "axes.labelcolor": INK,
    "axes.prop_cycle": cycler(color=[BLUE, ORANGE, GREEN, RED, SKY, INK]),
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
    with mpl.rc_context(_STYLE):
        yield
