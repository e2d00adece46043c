"""The server of a model: it listens when nothing is left to compile, and finishes what it accepted."""

import ipaddress
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from throughtime._serving import listen, serve_until_stopped
from throughtime._token import kept_token, token_file
from throughtime.forecasting import Fitted
from throughtime.service.api import service_app
from throughtime.service.forecasts import warm_up
from throughtime.service.served import Served

TOKEN_NAME = "serve-token"
LONGEST_END = 30  # seconds for the requests in hand when the server is told to end


class Address(NamedTuple):
    """Where a server can be reached.

    Attributes:
        url: of the server.
        token: the file of the token that requests must bear; None if only this machine can reach it.
    """

    url: str
    token: Path | None


class ServerLimits(NamedTuple):
    """The limits of requests.

    Attributes:
        megabytes: of the body of a request.
        series: of the model.
    """

    megabytes: float
    series: int


def serve_model(fitted: Fitted, limits: ServerLimits, *, host: str, port: int, ready: Callable[[Address], Any]) -> None:
    """Serve until SIGINT or SIGTERM.

    Args:
        fitted: the model, without covariates.
        limits: of requests.
        host: the address of this machine at which it listens.
        port: 0 for one that is free.
        ready: called with the address once the server answers.

    Raises:
        InputError: if the address or the port cannot be used.
    """
    listener = listen(port, host)
    warm_up(fitted)
    token = None if _is_loopback(host) else kept_token(TOKEN_NAME)
    name = f"[{host}]" if ":" in host else host
    address = Address(f"http://{name}:{listener.getsockname()[1]}", None if token is None else token_file(TOKEN_NAME))
    app = service_app(Served(fitted, limits.series), int(limits.megabytes * 2**20), token)
    serve_until_stopped(
        app, listener, lambda: ready(address), log_level="warning", timeout_graceful_shutdown=LONGEST_END
    )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
