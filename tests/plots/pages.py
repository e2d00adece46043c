"""Parts of a display: the HTML as a strict parser sees it, curves and images as numbers."""

import base64
import io
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable

import matplotlib.image
import numpy as np
from matplotlib.figure import Figure

from throughtime.plots.notebook import Block, Picture
from throughtime.plots.theme import LINES

SIZE = 330, 176

SVG, XLINK = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}"


class Shown:
    """A display, well-formed or else an error.

    Attributes:
        root: the element that holds everything.
        tables: rows of words.
        captions: of the pictures.
        items: of the list.
    """

    def __init__(self, page: str):
        self.root = ET.fromstring(page)  # refuses what is not closed or not escaped
        self.tables = [[[words(cell) for cell in row] for row in table.iter("tr")] for table in self.root.iter("table")]
        self.captions = [words(caption) for caption in self.root.iter("figcaption")]
        self.items = [words(item) for item in self.root.iter("li")]
        self.title = words(self.root[0])

    def table(self, first: str) -> dict[str, list[str]]:
        """Return the table that begins with this word, by the first words of its rows."""
        (found,) = (table for table in self.tables if table[0][0] == first)
        return {row[0]: row[1:] for row in found}

    def figure(self, caption: str) -> ET.Element:
        """Return the picture whose caption begins like this."""
        (found,) = (figure for figure in self.root.iter("figure") if words(figure[0]).startswith(caption))
        return found


def drawn(draw: Callable[[Figure], None], size: tuple[int, int] = SIZE) -> ET.Element:
    """Return the picture that a function draws."""
    return Shown(Block("title", pictures=[Picture("picture", "name", draw, size)]).html()).figure("picture")


def words(element: ET.Element) -> str:
    return "".join(element.itertext())


def svg(figure: ET.Element, tag: str) -> list[ET.Element]:
    return list(figure.iter(SVG + tag))


def name(figure: ET.Element) -> str:
    """Return the description for screen readers."""
    return svg(figure, "svg")[0].get("aria-label")


def texts(figure: ET.Element) -> list[str]:
    return [words(text) for text in svg(figure, "text")]


def style(element: ET.Element) -> dict[str, str]:
    return dict(part.split(":", 1) for part in element.get("style", "").split(";") if part)


def curves(figure: ET.Element) -> list[ET.Element]:
    """Return the curves of the data: in the colors of lines or in full ink, cut off at the axes."""
    colors = {color.lower() for color in LINES} | {"currentColor"}
    clipped = [path for path in svg(figure, "path") if path.get("clip-path") and style(path).get("fill") == "none"]
    return [path for path in clipped if style(path)["stroke"] in colors and "stroke-opacity" not in style(path)]


def bands(figure: ET.Element) -> list[ET.Element]:
    """Return the areas between two curves."""
    return [area for area in svg(figure, "use") if "fill-opacity" in style(area)]


def points(path: ET.Element) -> np.ndarray:
    """Return the places (K, 2) that a path passes, in pixels."""
    pairs = re.findall(r"[ML] (-?[\d.]+) (-?[\d.]+)", path.get("d", ""))
    return np.array(pairs, float).reshape(-1, 2)


def images(figure: ET.Element) -> list[np.ndarray]:
    """Return the red, green, blue and opacity (H, W, 4), up to 255, of each image as it is seen."""
    return [pixels(image) for image in svg(figure, "image")]


def pixels(image: ET.Element) -> np.ndarray:
    data = base64.b64decode(image.get(XLINK + "href").removeprefix("data:image/png;base64,"))
    values = np.round(matplotlib.image.imread(io.BytesIO(data), format="png") * 255).astype(int)
    _, _, _, down, _, _ = map(float, re.findall(r"-?[\d.]+(?:e-?\d+)?", image.get("transform").removeprefix("matrix")))
    return values if down > 0 else values[::-1]
