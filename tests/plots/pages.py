"""What a display holds: the HTML as a strict parser sees it, and images as numbers."""

import base64
import struct
import xml.etree.ElementTree as ET
import zlib

import numpy as np


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
        """The table whose first word this is, by the first words of its rows."""
        (found,) = (table for table in self.tables if table[0][0] == first)
        return {row[0]: row[1:] for row in found}

    def figure(self, caption: str) -> ET.Element:
        """The picture whose caption begins like this."""
        (found,) = (figure for figure in self.root.iter("figure") if words(figure[0]).startswith(caption))
        return found


def words(element: ET.Element) -> str:
    return "".join(element.itertext())


def svg(figure: ET.Element, tag: str) -> list[ET.Element]:
    return list(figure.iter("{http://www.w3.org/2000/svg}" + tag))


def pixels(address: str) -> np.ndarray:
    """The red, green, blue and opacity (H, W, 4) of a PNG with a palette, every checksum checked."""
    data = base64.b64decode(address.removeprefix("data:image/png;base64,"))
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    chunks, place = {}, 8
    while place < len(data):
        (size,) = struct.unpack(">I", data[place : place + 4])
        kind, body = data[place + 4 : place + 8], data[place + 8 : place + 8 + size]
        assert struct.unpack(">I", data[place + 8 + size : place + 12 + size])[0] == zlib.crc32(kind + body)
        chunks[kind] = body
        place += 12 + size
    width, height, *rest = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
    assert rest == [8, 3, 0, 0, 0]
    rows = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(height, width + 1)
    assert (rows[:, 0] == 0).all()
    colors = np.frombuffer(chunks[b"PLTE"], np.uint8).reshape(-1, 3)
    palette = np.column_stack([colors, np.frombuffer(chunks[b"tRNS"], np.uint8)])
    return palette[rows[:, 1:]]
