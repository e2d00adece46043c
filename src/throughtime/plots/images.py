"""Matrices as tiny images: clear where nothing is, so that they stand on a light page and on a dark one."""

import base64
import html
import struct
import zlib
from collections.abc import Sequence

import numpy as np

from throughtime.plots.theme import BLUE, GRAY, RED

SIDE = 64  # rows and columns of an image: of a larger matrix, the number of the largest size in each block
LEVELS = 24  # shades from nothing to the largest
_OUTLINE = "outline:1px solid rgba(128,128,128,.45)"
PIXELS = 112  # the longer side on the page, about


def data_uri(shades: np.ndarray, palette: np.ndarray) -> str:
    """A PNG as an address.

    Args:
        shades: (H, W) places in the palette.
        palette: (N, 4) red, green, blue and opacity, up to 255.
    """
    height, width = shades.shape
    rows = np.pad(shades.astype(np.uint8), ((0, 0), (1, 0)))  # each row begins with the filter, none
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
        (b"PLTE", palette[:, :3].astype(np.uint8).tobytes()),
        (b"tRNS", palette[:, 3].astype(np.uint8).tobytes()),
        (b"IDAT", zlib.compress(rows.tobytes(), 6)),
        (b"IEND", b""),
    ]
    packed = b"\x89PNG\r\n\x1a\n"
    for kind, data in chunks:
        packed += struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    return "data:image/png;base64," + base64.b64encode(packed).decode()


def signed_uri(matrix: np.ndarray, largest: float) -> str:
    """Red below zero, blue above, clear at zero; gray where it is not finite.

    Args:
        matrix: (R, C).
        largest: the size that has the full color.
    """
    matrix = shrunk(matrix)
    share = np.clip(np.nan_to_num(matrix / (largest or 1.0)), -1, 1)
    shades = np.where(np.isfinite(matrix), np.round(LEVELS * share) + LEVELS, 2 * LEVELS + 1)
    sizes = np.abs(np.arange(-LEVELS, LEVELS + 1)) / LEVELS
    colors = [*[_rgb(RED)] * LEVELS, *[_rgb(BLUE)] * (LEVELS + 1), _rgb(GRAY)]
    return data_uri(shades, np.column_stack([colors, np.round(255 * np.append(sizes, 1))]))


def scale_uri(shares: np.ndarray) -> str:
    """Clear at 0, blue at 1; gray where there is no number."""
    shares = np.asarray(shares, float)
    shades = np.where(np.isnan(shares), LEVELS + 1, np.round(LEVELS * np.clip(np.nan_to_num(shares), 0, 1)))
    colors = [*[_rgb(BLUE)] * (LEVELS + 1), _rgb(GRAY)]
    opacity = np.append(np.arange(LEVELS + 1) / LEVELS, 0.35)
    return data_uri(shades, np.column_stack([colors, np.round(255 * opacity)]))


def matrix_images(matrices: Sequence[tuple[str, np.ndarray]]) -> str:
    """Matrices side by side on one scale, each below its name where there are several."""
    largest = max(float(np.max(np.abs(matrix[np.isfinite(matrix)]), initial=0)) for _, matrix in matrices)
    images = []
    for name, matrix in matrices:
        rows, columns = matrix.shape
        scale = min(PIXELS / max(rows, columns), 10)
        size = f"width:{max(round(columns * scale), 8)}px;height:{max(round(rows * scale), 8)}px"
        style = f"display:block;{size};max-width:none;margin:0;image-rendering:pixelated;{_OUTLINE}"
        words = html.escape(name)
        image = f'<img src="{signed_uri(matrix, largest)}" alt="weights of {words}" style="{style}"/>'
        label = f"<div>{words}</div>" if len(matrices) > 1 else ""
        images.append(f'<div style="font-size:11px">{label}{image}</div>')
    return f'<div style="display:flex;flex-wrap:wrap;gap:6px 10px;padding:1px">{"".join(images)}</div>'


def shrunk(matrix: np.ndarray) -> np.ndarray:
    """A matrix of at most SIDE rows and columns: the number of the largest size in each block."""
    for axis in (0, 1):
        count = matrix.shape[axis]
        if count <= SIDE:
            continue
        starts = np.linspace(0, count, SIDE, endpoint=False).astype(int)
        high, low = (reduce.reduceat(matrix, starts, axis=axis) for reduce in (np.maximum, np.minimum))
        matrix = np.where(high >= -low, high, low)
    return matrix


def _rgb(color: str) -> list[int]:
    return [int(color[place : place + 2], 16) for place in (1, 3, 5)]
