"""The picture of the remedies: a panel for each chapter, on one scale."""

from typing import TYPE_CHECKING

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from throughtime.plots.gradients import CEILING, FLOOR, memory_curves
from throughtime.plots.theme import BLUE, GREEN, RED, house_style

if TYPE_CHECKING:
    from throughtime.gradients import ClippedGradient, Remedies


def remedies_picture(remedies: "Remedies") -> Figure:
    """Five panels of curves by lag, and one of a gradient before and after clipping."""
    with house_style():
        figure = Figure(figsize=(14, 9), dpi=95)
        panels = figure.subplots(2, 3)
        for axes, chapter in zip(panels.flat, remedies.chapters, strict=False):
            memory_curves(axes, remedies.flows_of(chapter), list(chapter.cases))
            axes.set_ylim(FLOOR, 1e2)
            axes.set_title(chapter.title)
            axes.set_xlabel("lag: steps back in time")
            axes.legend(loc="lower left", fontsize=8.5)
        panels[0, 0].legend(loc=(0.66, 0.29), fontsize=8.5)  # the sigmoid's curve is where the others' legends are
        for axes in panels[:, 0]:
            axes.set_ylabel("what is left of a gradient")
        _clipping(panels[1, 2], remedies.clipped)
        figure.suptitle("Why gradients vanish, and what helps", x=0.01, ha="left", fontsize=13)
        return figure


def _clipping(axes: Axes, clipped: "dict[str, ClippedGradient]") -> None:
    norms = [min(each.norm, CEILING**2) for each in clipped.values()]
    bars = axes.barh(list(clipped), norms, color=[RED, BLUE, GREEN], height=0.55)
    axes.set_xscale("log")
    axes.set_xlim(min(norms) / 30, max(norms) * 1e11)
    for bar, each in zip(bars, clipped.values(), strict=True):
        words = f" norm {each.norm:.2g}\n cosine with the first {each.cosine:.2f}"
        axes.annotate(words, (bar.get_width(), bar.get_y() + bar.get_height() / 2), va="center", fontsize=8.5)
    axes.invert_yaxis()
    axes.grid(visible=False)
    axes.set_xlabel("global norm of the gradient")
    axes.set_title("6. Clipping what explodes")
