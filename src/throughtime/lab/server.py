"""The server of the laboratory's page, for this machine alone; the page loads nothing from elsewhere."""

import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jinja2 import PackageLoader
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket

from throughtime._errors import InputError
from throughtime._serving import LOOPBACK, listen, serve_until_stopped
from throughtime._token import kept_token
from throughtime.cells import CELLS, INITIALIZERS, takes
from throughtime.lab.compiled import CompiledSettings
from throughtime.lab.curves import cut_of
from throughtime.lab.experiment import longest_window
from throughtime.lab.inputs import LabInput
from throughtime.lab.session import Laboratory, Session
from throughtime.lab.settings import CHOICES, LIMITS, OWN, Course, Learner
from throughtime.plots import css_colors
from throughtime.report import template

USUAL_PORT = 8467
HERE = Path(__file__).parent
MOST_NAMES = 1000  # series that the page offers
# The page loads nothing from other servers, sends nothing to them, and runs no script but the files served here.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def lab_app(lab_input: LabInput, out: Path, token: str) -> Starlette:
    """Return the application; all of its addresses begin with the token.

    Args:
        lab_input: the user's file and model.
        out: the folder that the page saves to.
        token: the secret part of the addresses.
    """
    page, laboratory = _page(lab_input), Laboratory(lab_input, out, CompiledSettings())

    def show(request: Request) -> Response:
        return HTMLResponse(page, headers={"Content-Security-Policy": POLICY, "Cache-Control": "no-store"})

    async def live(websocket: WebSocket) -> None:
        await websocket.accept()
        await Session(websocket, laboratory).serve()

    routes = [
        Route("/", show),
        WebSocketRoute("/live", live),
        Mount("/look", StaticFiles(directory=HERE.parent / "report" / "templates")),
        Mount("/page", StaticFiles(directory=HERE / "page")),
        Mount("/shared", StaticFiles(directory=HERE / "shared")),
    ]
    return Starlette(
        routes=[Mount(f"/{token}", routes=routes)],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=[LOOPBACK, "localhost"])],
        exception_handlers={404: _not_found},
    )


def serve(lab_input: LabInput, out: Path, *, port: int | None, ready: Callable[[str], Any]) -> None:
    """Serve until Ctrl-C, at the same address each time unless the port is taken, so that bookmarks stay good.

    Args:
        lab_input: the user's file and model.
        out: the folder that the page saves to.
        port: a port of this machine; 0 for one that is free; None for the usual one, or one that is free.
        ready: called with the address once the server answers.

    Raises:
        InputError: if the port cannot be used.
    """
    listener, token = _usual_listener() if port is None else listen(port), kept_token("lab-token")
    address = f"http://{LOOPBACK}:{listener.getsockname()[1]}/{token}/"
    serve_until_stopped(
        lab_app(lab_input, out, token),
        listener,
        lambda: ready(address),
        log_level="critical",
        timeout_graceful_shutdown=2,
        ws="websockets-sansio",
        ws_per_message_deflate=False,  # compressing gains nothing on one machine
    )


def _usual_listener() -> socket.socket:
    """Return the listener at the usual port, or at one that is free."""
    try:
        return listen(USUAL_PORT)
    except InputError:
        return listen(0)


def _not_found(request: Request, error: Exception) -> Response:
    text = "Nothing here: throughtime lab has printed the laboratory's address, with its token.\n"
    return PlainTextResponse(text, 404)


def _usual_window(lab_input: LabInput) -> int:
    """Return the steps of a window to begin with: fewer if the shortest series of the file asks for it."""
    usual = Course().window
    if lab_input.panel is None:
        return usual
    return max(min(usual, longest_window(cut_of(int(lab_input.panel.lengths.min())))), int(LIMITS["window"][0]))


def _page(lab_input: LabInput) -> str:
    known = {
        "course": Course(window=_usual_window(lab_input))._asdict(),
        "learner": Learner()._asdict(),
        "limits": LIMITS,
        "choices": CHOICES,
        "cells": {name: kind.__name__ for name, kind in CELLS.items()},
        "inits": {name: [OWN, *(each for each in INITIALIZERS if takes(kind, each))] for name, kind in CELLS.items()},
        "series": [] if lab_input.panel is None else [str(name) for name in lab_input.panel.ids[:MOST_NAMES]],
        "file": None if lab_input.file is None else lab_input.file.name,
        "network": None if lab_input.network is None else str(lab_input.folder),
        "forecaster": None if lab_input.forecaster is None else str(lab_input.folder),
    }
    page = template("index.html", PackageLoader("throughtime.lab", "page"))
    return page.render(colors=css_colors(), known=known, known_json=json.dumps(known))
