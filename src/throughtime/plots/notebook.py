"""Displays of objects: HTML for Jupyter and marimo, plain text for a terminal.

The colors of text and background are the notebook's own, light or dark; every style is inline, so that no other output
of the notebook is touched.
"""

import html
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from throughtime.plots.svg import inline_svg
from throughtime.plots.theme import notebook_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_ROOT = "max-width:100%;overflow-x:auto;font:13px/1.45 system-ui,sans-serif;font-variant-numeric:tabular-nums"
_TITLE = "font-size:15px;font-weight:600;margin:2px 0 4px"
_TEXT = "margin:0 0 6px;max-width:46rem;overflow-wrap:anywhere"
_LIST = "margin:0 0 6px;padding-left:1.2em;max-width:46rem;overflow-wrap:anywhere"
_TABLE = "border-collapse:collapse;margin:4px 0 8px;font-size:12px;border:0"
_CELL = "border:0;border-bottom:1px solid rgba(128,128,128,.3);vertical-align:top;background:none"
_FIRST = f"{_CELL};padding:2px 16px 2px 0;text-align:left;font-weight:400;max-width:24rem;overflow-wrap:anywhere"
_OTHER = f"{_CELL};padding:2px 0 2px 16px;text-align:right;white-space:nowrap"
_FACT = f"{_CELL};padding:2px 0;text-align:left;max-width:34rem;overflow-wrap:anywhere"
_SOFT = "opacity:.72"
_PICTURES = "display:flex;flex-wrap:wrap;gap:10px 28px;margin:6px 0"
_TABLES = "display:flex;flex-wrap:wrap;align-items:flex-start;gap:0 32px"
_FIGURE = "margin:0;max-width:100%"
_CAPTION = "font-size:12px;margin:0 0 2px"


class Table(NamedTuple):
    """A table of text: the first column left-aligned, the others, which hold numbers, right-aligned.

    Attributes:
        header: the columns' names; empty for a table of names and values.
        rows: the cells.
    """

    header: Sequence[str]
    rows: Sequence[Sequence[str]]


class Picture(NamedTuple):
    """A small picture, drawn by matplotlib when a notebook shows it.

    Attributes:
        caption: a line above it.
        name: a description for screen readers.
        draw: a function that draws on an empty figure.
        size: the width and height in pixels.
    """

    caption: str
    name: str
    draw: "Callable[[Figure], None]"
    size: tuple[int, int] = (330, 176)

    def html(self) -> str:
        """Return the caption and the picture as SVG."""
        from matplotlib.figure import Figure

        caption = f'<figcaption style="{_CAPTION}">{html.escape(self.caption)}</figcaption>'
        with notebook_style():
            width, height = self.size
            figure = Figure(figsize=(width / 72, height / 72))
            self.draw(figure)
            return f'<figure style="{_FIGURE}">{caption}{inline_svg(figure, self.name)}</figure>'


@dataclass(frozen=True)
class Block:
    """The display of one object, in this order.

    Attributes:
        title: the kind of object and its size.
        sentences: the most important message.
        facts: names and values.
        pictures: not for a terminal.
        tables: numbers.
        notes: sentences as a list.
    """

    title: str
    sentences: Sequence[str] = ()
    facts: Sequence[tuple[str, str]] = ()
    pictures: Sequence[Picture] = ()
    tables: Sequence[Table] = ()
    notes: Sequence[str] = ()

    def html(self) -> str:
        """Return the display for a notebook; all text is escaped."""
        parts = [f'<div style="{_TITLE}">{html.escape(self.title)}</div>']
        parts += [f'<p style="{_TEXT}">{html.escape(sentence)}</p>' for sentence in self.sentences]
        if self.facts:
            parts.append(_html_table(Table((), self.facts)))
        if self.pictures:
            parts.append(f'<div style="{_PICTURES}">{"".join(picture.html() for picture in self.pictures)}</div>')
        if self.tables:
            parts.append(f'<div style="{_TABLES}">{"".join(map(_html_table, self.tables))}</div>')
        if self.notes:
            items = "".join(f"<li>{html.escape(note)}</li>" for note in self.notes)
            parts.append(f'<ul style="{_LIST}">{items}</ul>')
        return f'<div style="{_ROOT}">{"".join(parts)}</div>'

    def text(self) -> str:
        """Return the display for a terminal, without pictures: matplotlib is not needed."""
        parts = [self.title, *self.sentences]
        parts += [_text_table(table) for table in (Table((), self.facts), *self.tables) if table.rows]
        return "\n".join([*parts, *(f"- {note}" for note in self.notes)])


def listed(items: Sequence[str], most: int) -> list[str]:
    """Return the first ``most`` sentences, and a last one with the number of those left out."""
    return [*items[:most], *([f"... and {len(items) - most} more"] if len(items) > most else [])]


def _html_table(table: Table) -> str:
    def row(cells: Sequence[str], tag: str, soft: str = "") -> str:
        first, *others = cells
        other = _OTHER if table.header else _FACT
        texts = [f'<{tag} scope="{"col" if soft else "row"}" style="{_FIRST}{soft}">{html.escape(first)}</{tag}>']
        inner = "th" if soft else "td"
        texts += [f'<{inner} style="{other}{soft};font-weight:400">{html.escape(text)}</{inner}>' for text in others]
        return f'<tr style="background:none">{"".join(texts)}</tr>'

    head = f"<thead>{row(table.header, 'th', f';{_SOFT}')}</thead>" if table.header else ""
    body = "".join(row(cells, "th") for cells in table.rows)
    return f'<table style="{_TABLE}">{head}<tbody>{body}</tbody></table>'


def _text_table(table: Table) -> str:
    rows = [list(cells) for cells in ([table.header] if table.header else []) + list(table.rows)]
    widths = [max(len(cells[place]) for cells in rows) for place in range(len(rows[0]))]

    def line(cells: list[str]) -> str:
        first = cells[0].ljust(widths[0])
        if not table.header:
            return f"  {first}  {cells[1]}"
        others = (text.rjust(width) for text, width in zip(cells[1:], widths[1:], strict=True))
        return "  ".join(["  " + first, *others])

    return "\n".join(line(cells).rstrip() for cells in rows)
