"""The hooks of MkDocs: lessons become pages, and figures of cells and benchmarks are inserted.

A page of the checkout has a line such as ``<!-- lesson: by_hand -->``, which is replaced here. So the page is
readable in the checkout too, and contains no computed results. ``THROUGHTIME_DOCS=quick`` does not run the lessons.
"""

import os
import re
import sys
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

sys.path.insert(0, str(Path(__file__).parent))

import lessons
import remember
import results

RUN = os.environ.get("THROUGHTIME_DOCS") != "quick"
LESSON = re.compile(r"<!-- lesson: (\w+) -->")
TABLE = re.compile(r"<!-- table: ([\w/-]+): (.+?) -->")
FIGURES = re.compile(r"<!-- figures: (\w+) -->")
DRAWN = re.compile(r'(?:<p>)?<img alt="[^"]*" src="[^"]*pictures/(cells|benchmarks|scale)/(\w+)\.svg"[^>]*>(?:</p>)?')
STYLE = re.compile(r"<style>.*?</style>\n", re.DOTALL)
PICTURES = Path(__file__).parents[1] / "pictures"

LEGEND = (
    "One time step. Blue: the state that is the output. Green: a memory behind it. Orange: the input. "
    "Boxes: a product with weights, or a gate and its function; circles: arithmetic, unit by unit."
)

_pages: dict[str, lessons.Page] = {}


def on_files(files: Files, config: Any) -> Files:
    """Run the lessons; their pictures and notebooks join the site, and the look of the page about memory."""
    for path in sorted(lessons.LESSONS.glob("*.py")):
        page = _pages[path.stem] = lessons.lesson_page(path.stem) if RUN else lessons.plain_page(path.stem)
        for name, content in page.files.items():
            files.append(File.generated(config, f"lessons/{name}", content=content))
    for name, text in remember.look().items():
        files.append(File.generated(config, f"remember/{name}", content=text))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Replace the page's markers."""
    markdown = LESSON.sub(lambda match: _pages[match[1]].markdown, markdown)
    markdown = TABLE.sub(lambda match: results.results_table(match[1], match[2]), markdown)
    markdown = FIGURES.sub(lambda match: results.cell_figures(match[1]), markdown)
    return markdown.replace("<!-- figures -->", results.cells_table())


def on_page_content(html: str, **_: Any) -> str:
    """Make drawings part of the page, in its colors, so that they change with it from light to dark."""

    def inline(match: re.Match[str]) -> str:
        svg = STYLE.sub("", (PICTURES / match[1] / f"{match[2]}.svg").read_text())
        caption = f"<figcaption>{LEGEND}</figcaption>" if match[1] == "cells" else ""
        return f'<figure class="tt">{svg}{caption}</figure>'

    return DRAWN.sub(inline, html)
