"""The ways of large data as pictures: ``python docs/making/scale_pictures.py`` writes docs/pictures/scale/.

Blue is the one forecaster, orange the partitions; boxes with dashes are read a little at a time.
"""

from pathlib import Path

from svg import Picture, write

FOLDER = Path(__file__).parents[1] / "pictures" / "scale"
ROWS = (70, 130, 210)  # of the first two partitions and the last one
NAMES = ("part-0", "part-1", "part-99")
MODEL, PARTITION = "model", "1"


def partitions() -> Picture:
    title = "Each partition is read, forecast and written by itself; they share one forecaster and nothing else"
    picture = Picture(740, 400, title)
    for x, words in ((85, "folder of Parquet"), (370, "workers"), (655, "out/forecasts")):
        picture.text(x, 22, words, size=15, weight="600")
    for y, name in zip(ROWS, NAMES, strict=True):
        _box(picture, 85, y, name, PARTITION)
        _arrow(picture, (146, y), (300, y))
        _box(picture, 370, y, "forecast", MODEL, width=140)
        _arrow(picture, (440, y), (592, y))
        _box(picture, 655, y, name, PARTITION)
    for x in (85, 370, 655):
        picture.text(x, 170, "⋮", size=18, color="soft")
    picture.text(223, 56, "its rows alone", size=12.5, color="soft")
    picture.text(516, 56, "in one step", size=12.5, color="soft")
    _arrow(picture, (85, 232), (85, 286))
    picture.text(96, 259, "values, once", size=12.5, color="soft", anchor="start")
    _box(picture, 85, 310, "arrays on disk", PARTITION, dash="5 4")
    _arrow(picture, (146, 310), (260, 310))
    picture.text(203, 296, "samples in turn", size=12.5, color="soft")
    _box(picture, 370, 310, "one fit, in a limit of memory", MODEL, width=220)
    _arrow(picture, (370, 286), (370, 232), color=MODEL)
    picture.text(381, 259, "one saved model", size=12.5, color="soft", anchor="start")
    words = "The preset “instant” needs no fit: the pretrained network is the model."
    picture.text(370, 368, words, size=13, color="soft")
    return picture


def _box(picture: Picture, x: float, y: float, words: str, color: str, *, width: float = 122, dash: str = "") -> None:
    """Draw a named box around its middle."""
    picture.rectangle(x - width / 2, y - 22, width, 44, stroke=color, radius=6, dash=dash)
    picture.text(x, y, words, size=13.5)


def _arrow(picture: Picture, start: tuple[float, float], end: tuple[float, float], *, color: str = "soft") -> None:
    """Draw a straight arrow."""
    picture.line([start, end], color=color, width=1.6)
    picture.head(end, start, color=color)


PICTURES = (partitions,)


if __name__ == "__main__":
    write(FOLDER, PICTURES)
