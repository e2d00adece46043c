"""What the README and the documentation show works: their Python runs, and their links lead somewhere.

A block is left out where the line before it is ``<!-- no-run -->``.
"""

import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
PAGES = sorted([*CHECKOUT.glob("*.md"), *(CHECKOUT / "docs").rglob("*.md")])
SKIP = "<!-- no-run -->"
FENCE = re.compile(
    r"^(?P<indent> *)(?P<ticks>`{3,})(?P<language>[\w-]*).*?\n(?P<body>.*?)^ *(?P=ticks) *$", re.M | re.S
)
LINK = re.compile(r"\]\(\s*<?([^)\s>]+)[^)]*\)|(?:src|href)=\"([^\"]+)\"")


def named(page: Path) -> str:
    return str(page.relative_to(CHECKOUT))


def program(text: str) -> str:
    """The page's Python blocks as one program, each line at its number in the page, for the traceback's sake."""
    lines = [""] * (text.count("\n") + 1)
    for fence in FENCE.finditer(text):
        before = text[: fence.start()].rstrip().rpartition("\n")[2].strip()
        if fence["language"] in ("python", "py") and before != SKIP:
            first = text.count("\n", 0, fence.start("body"))
            block = textwrap.dedent(fence["body"]).splitlines()
            lines[first : first + len(block)] = block
    return "\n".join(lines)


def targets(text: str) -> list[str]:
    """The files that a page's links and pictures name, relative to the page; what stands in code is none."""
    prose = re.sub(r"`[^`\n]*`", "", FENCE.sub("", text))
    found = [markdown or html for markdown, html in LINK.findall(prose)]
    return [target.partition("#")[0] for target in found if not re.match(r"[a-z]+:|#", target)]


def test_the_program_of_a_page():
    page = (
        "a\n```python\nx = 1\n```\n<!-- no-run -->\n\n```python\nx = 2\n```\n```sh\nls\n```\n  ```py\n  x += 2\n  ```\n"
    )
    assert program(page).splitlines()[2] == "x = 1"
    assert program(page).split() == ["x", "=", "1", "x", "+=", "2"]


def test_the_links_of_a_page():
    page = (
        'a [b](c.md#d), ![e](f/g.png "h") and `[i](j)`\n```\n[k](l)\n```\n'
        '<img src="m.svg"> [n](https://o.org) [p](#q) [r](mailto:s@t)'
    )
    assert targets(page) == ["c.md", "f/g.png", "m.svg"]


@pytest.mark.parametrize("page", [page for page in PAGES if program(page.read_text()).strip()], ids=named)
def test_python_runs(page, tmp_path):
    """In a folder of its own, with the examples beside it as a reader of the README has them."""
    (tmp_path / "examples").symlink_to(CHECKOUT / "examples")
    script = tmp_path / f"{page.stem}.py"
    script.write_text(program(page.read_text()))
    finished = subprocess.run([sys.executable, script.name], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, f"{named(page)}, the line numbers are the page's:\n{finished.stderr}"


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_links_exist(page):
    missing = [target for target in targets(page.read_text()) if not (page.parent / target).exists()]
    assert missing == []
