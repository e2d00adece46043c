"""The shared files of the page docs/remember: the report's style and charts, and the stage of the laboratory's page.

    python docs/making/remember.py

puts the page alone into ``site/remember`` and serves it, to this machine only.
"""

import contextlib
import functools
import http.server
import shutil
from importlib.resources import files
from pathlib import Path
from typing import ClassVar

from throughtime.plots import css_colors
from throughtime.report import template

CHECKOUT = Path(__file__).parents[2]
PAGE = CHECKOUT / "docs" / "remember"
PORT = 8468
SCRIPTS = ("chart_look.js", "chart_axes.js", "chart_reading.js", "chart.js")


def look() -> dict[str, str]:
    """Return the files by their names in the page's folder."""
    templates = files("throughtime.report") / "templates"
    scripts = {f"look/{name}": (templates / name).read_text() for name in SCRIPTS}
    stage = {f"shared/{file.name}": file.read_text() for file in (files("throughtime.lab") / "shared").iterdir()}
    return {"look/base.css": template("base.css").render(colors=css_colors()), **scripts, **stage}


def put(folder: Path) -> None:
    """Write the whole page into a folder."""
    shutil.copytree(PAGE, folder, dirs_exist_ok=True)
    for name, text in look().items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)


def server(folder: Path, port: int = 0) -> http.server.ThreadingHTTPServer:
    """Return a server of a folder at a port of this machine, any free one for 0; it starts with ``serve_forever``."""
    return http.server.ThreadingHTTPServer(("127.0.0.1", port), functools.partial(Quiet, directory=folder))


class Quiet(http.server.SimpleHTTPRequestHandler):
    """A handler that knows the types of modules, whatever the system says, and logs nothing."""

    extensions_map: ClassVar = {
        ".html": "text/html",
        ".css": "text/css",
        ".js": "text/javascript",
        ".wasm": "application/wasm",
    }

    def log_message(self, *_: object) -> None:
        """Say nothing."""


if __name__ == "__main__":
    site = CHECKOUT / "site" / "remember"
    put(site)
    with server(site, PORT) as page:
        print(f"http://127.0.0.1:{PORT}/  (Ctrl-C ends it)", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            page.serve_forever()
