"""A picture as text to put into a page."""

import warnings
from io import StringIO

from matplotlib.figure import Figure


def svg_text(figure: Figure) -> str:
    """The picture alone: without the XML declaration, which a page must not repeat."""
    out = StringIO()
    with warnings.catch_warnings():
        # The text stays text: whoever opens the page draws it, with fonts of their own.
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from font")
        figure.savefig(out, format="svg", metadata={"Date": None})
    text = out.getvalue()
    return text[text.index("<svg") :]
