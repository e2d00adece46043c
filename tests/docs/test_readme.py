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
RUNNER = """
import os, runpy, sys, traceback

failed = False
for script in sys.argv[1:]:
    os.chdir(os.path.dirname(script))
    try:
        runpy.run_path(script)
    except BaseException:
        failed = True
        traceback.print_exc()
sys.exit(failed)
"""
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


def write_program(page: Path, folder: Path) -> Path:
    """The page's program in a folder of its own, with the examples beside it as a reader of the README has them."""
    folder.mkdir()
    (folder / "examples").symlink_to(CHECKOUT / "examples")
    (folder / "page.py").write_text(program(page.read_text()))
    return folder / "page.py"


def run(scripts: list[Path]) -> subprocess.CompletedProcess:
    """All scripts in one fresh process, each where it lies: what one compiled, the next need not."""
    command = [sys.executable, "-c", RUNNER, *map(str, scripts)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


QUICKLY = """
import runpy
from throughtime.forecasting import config

runpy.run_path({settings!r})
config.STEPS = (60, 60, 60)  # of training with nothing said of it
"""


def test_python_runs(tmp_path):
    pages = [page for page in PAGES if program(page.read_text()).strip()]
    assert CHECKOUT / "docs" / "cells.md" in pages
    quickly = tmp_path / "quickly.py"
    quickly.write_text(QUICKLY.format(settings=str(CHECKOUT / "tests" / "quickly.py")))
    programs = [write_program(page, tmp_path / named(page).replace("/", "-")) for page in pages]
    finished = run([quickly, *programs])
    assert finished.returncode == 0, f"folders are pages, line numbers the page's:\n{finished.stderr}"


def test_a_page_that_fails_is_named(tmp_path):
    page = tmp_path / "wrong.md"
    page.write_text("text\n```python\nfine = 1\nwrong = 1 / 0\n```\n")
    finished = run([write_program(page, tmp_path / name) for name in ("first", "second")])
    assert finished.returncode == 1
    for name in ("first", "second"):
        assert f'{name}/page.py", line 4' in finished.stderr
    assert "ZeroDivisionError" in finished.stderr


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_links_exist(page):
    missing = [target for target in targets(page.read_text()) if not (page.parent / target).exists()]
    assert missing == []
