"""Matplotlib's figures as SVG within an HTML page that may be light or dark."""

import hashlib
import io
import re
from typing import TYPE_CHECKING
from xml.dom.minidom import Element, parseString

from throughtime.plots.theme import FONT, INK

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_METADATA = dict.fromkeys(("Creator", "Date", "Format", "Type"))
_REFERENCE = re.compile(r"(?<=#)\w+(?=\)|$)")  # url(#id) or #id


def inline_svg(figure: "Figure", name: str) -> str:
    """Return a figure as an ``svg`` element: what is ink has the page's color of text, the background is clear.

    The element has no style sheet, and its ids contain a digest of its content: nothing else on the page is touched.

    Args:
        figure: drawn in :func:`throughtime.plots.theme.notebook_style`; one of its points is a pixel of the page.
        name: a description for screen readers.
    """
    file = io.StringIO()
    figure.savefig(file, format="svg", metadata=_METADATA)
    root = parseString(file.getvalue()).documentElement
    assert root is not None
    for definitions in root.getElementsByTagName("defs"):
        if definitions.getElementsByTagName("style"):  # it would be the whole page's
            root.removeChild(definitions)
    _set_look(root, name)
    for element in root.getElementsByTagName("*"):
        _shorten(element)
    _name_ids(root, hashlib.sha256(root.toxml().encode()).hexdigest()[:8])
    return re.sub(r">\s+<", "><", root.toxml())


def _set_look(root: Element, name: str) -> None:
    """Give the outer element its size and its name."""
    width = root.getAttribute("width").removesuffix("pt")
    for attribute in ("width", "height", "version"):
        root.removeAttribute(attribute)
    size = f"width:{width}px;max-width:100%;height:auto"
    root.setAttribute("role", "img")
    root.setAttribute("aria-label", name)
    root.setAttribute("style", f"display:block;{size};color:inherit;stroke-linejoin:round")


def _shorten(element: Element) -> None:
    """Take the page's color and font, and numbers to a tenth of a pixel."""
    if style := element.getAttribute("style"):
        style = style.replace(INK, "currentColor").replace(f"'{FONT}'", "system-ui, sans-serif")
        element.setAttribute("style", style.replace("; ", ";").replace(": ", ":"))
    if path := element.getAttribute("d"):
        element.setAttribute("d", re.sub(r"-?\d+\.\d+", lambda number: f"{float(number[0]):.1f}", path).strip())


def _name_ids(root: Element, digest: str) -> None:
    """Name the ids that something refers to after a digest, and drop the others."""
    elements = root.getElementsByTagName("*")
    links = ("clip-path", "xlink:href")
    used = {name for element in elements for link in links for name in _REFERENCE.findall(element.getAttribute(link))}
    names = {name: f"tt-{digest}-{number}" for number, name in enumerate(sorted(used), start=1)}
    for element in elements:
        if (old := element.getAttribute("id")) in names:
            element.setAttribute("id", names[old])
        elif old:
            element.removeAttribute("id")
        for link in links:
            if target := element.getAttribute(link):
                element.setAttribute(link, _REFERENCE.sub(lambda found: names[found[0]], target))
