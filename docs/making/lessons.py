"""The lessons as pages: marimo runs a notebook and exports it to Jupyter's format, which this module turns to Markdown.

A lesson's output is cached in ``.cache/lessons`` under a hash of everything that it depends on. So a page
never shows the output of an older version, and a second build takes seconds.
"""

import base64
import hashlib
import importlib.metadata
import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any, NamedTuple

CHECKOUT = Path(__file__).parents[2]
LESSONS = CHECKOUT / "docs" / "lessons"
FOLDED = '??? abstract "Set-up: imports and constants"\n\n'
CACHE = CHECKOUT / ".cache" / "lessons"


class Page(NamedTuple):
    """A lesson's Markdown and its other files: pictures, and the Jupyter notebook."""

    markdown: str
    files: dict[str, str | bytes]


def plain_page(name: str) -> Page:
    """Return the lesson's source alone, for a build in seconds."""
    return Page(f"``` {{ .python }}\n{(LESSONS / f'{name}.py').read_text()}\n```\n", {})


def lesson_page(name: str) -> Page:
    """Return the page of docs/lessons/NAME.py, with its output and pictures."""
    notebook = exported(name)
    pictures: dict[str, bytes] = {}
    parts = [f"[:material-notebook: With all outputs, for Jupyter]({name}.ipynb){{ .md-button }}"]
    for cell in reading_order(json.loads(notebook)["cells"]):
        text = "".join(cell["source"]).strip()
        if cell["cell_type"] == "markdown":
            parts.append(text)
            continue
        parts += [code(text, "remove-input" in cell["metadata"].get("tags", []))]
        parts += [said for output in cell["outputs"] if (said := shown(output, name, pictures))]
    return Page("\n\n".join(parts) + "\n", pictures | {f"{name}.ipynb": notebook})


def code(text: str, hidden: bool) -> str:
    """Return the code of a cell: folded if it is hidden and sets up the lesson, and nothing of another hidden one."""
    block = f"``` {{ .python }}\n{text}\n```"
    if not hidden:
        return block
    return FOLDED + textwrap.indent(block, "    ") if text.startswith(("import ", "from ")) else ""


def reading_order(cells: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Move the set-up behind the introduction, whose heading is removed because the page has it."""
    first = next(place for place, cell in enumerate(cells) if cell["cell_type"] == "markdown")
    lines = "".join(cells[first]["source"]).splitlines()
    introduction = cells[first] | {"source": ["\n".join(lines[1:] if lines[0].startswith("# ") else lines)]}
    return [introduction, *cells[:first], *cells[first + 1 :]]


def shown(output: dict[str, Any], name: str, pictures: dict[str, bytes]) -> str:
    """Return an output as Markdown; a picture is added to ``pictures``."""
    data = output.get("data", {})
    if output["output_type"] == "stream":
        text = "".join(output["text"]).strip("\n")
        return f"``` {{ .text .output .no-copy }}\n{text}\n```" if text else ""
    if "image/png" in data:
        file = f"{name}-{len(pictures) + 1}.png"
        pictures[file] = base64.b64decode(data["image/png"])
        return f"![What the code above draws]({file}){{ .drawn }}"
    if output["output_type"] == "error":
        raise RuntimeError(f"lesson {name} failed: {output['ename']}: {output['evalue']}")
    text = "".join(data.get("text/plain", ""))
    return f"``` {{ .text .output .no-copy }}\n{text}\n```" if text else ""


def exported(name: str) -> str:
    """Run the lesson and return it as a Jupyter notebook."""
    kept = CACHE / f"{name}-{state()}.ipynb"
    if kept.exists():
        return kept.read_text()
    options = ["--sort", "top-down", "--include-outputs"]
    command = [sys.executable, "-m", "marimo", "export", "ipynb", f"{name}.py", *options]
    # Tests compile without optimization; a reader's process does not.
    plain = {key: value for key, value in os.environ.items() if key != "XLA_FLAGS"}
    finished = subprocess.run(command, cwd=LESSONS, env=plain, capture_output=True, text=True, check=False)
    if finished.returncode:
        raise RuntimeError(
            f"lesson {name} could not be exported:\n{finished.stdout[-2000:]}\n{finished.stderr[-2000:]}"
        )
    CACHE.mkdir(parents=True, exist_ok=True)
    for old in CACHE.glob(f"{name}-*.ipynb"):
        old.unlink()
    kept.write_text(finished.stdout)
    return finished.stdout


def state() -> str:
    """Return a hash of a lesson's dependencies: all lessons, the library, the examples, and the environment."""
    digest = hashlib.sha256()
    for version in ("jax", "numpy", "matplotlib", "marimo"):
        digest.update(importlib.metadata.version(version).encode())
    sources = [*LESSONS.glob("*.py"), *(CHECKOUT / "examples").glob("*.csv"), Path(__file__)]
    sources += [*(CHECKOUT / "src").rglob("*.py"), *(CHECKOUT / "native").rglob("*.*")]
    sources += (CHECKOUT / "src").rglob("*.safetensors")  # of the pretrained network
    for path in sorted(sources):
        digest.update(str(path.relative_to(CHECKOUT)).encode() + path.read_bytes())
    return digest.hexdigest()[:16]
