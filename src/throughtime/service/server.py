"""The server of a model: it answers when nothing is left to compile, and finishes what it accepted."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from throughtime._errors import InputError
from throughtime._serving import listen, serve_until_stopped
from throughtime._token import kept_token, token_file
from throughtime.forecasting import Fitted
from throughtime.service.api import LOCAL_NAMES, service_app
from throughtime.service.forecasts import warm_up
from throughtime.service.served import Served

TOKEN_NAME = "serve-token"
LONGEST_END = 30  # seconds for the requests in hand when the server is told to end


class Address(NamedTuple):
    """The address of a server.

    Attributes:
        url: of the server.
        token: the file of the token that requests must bear; None if they need none.
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
        fitted: the model.
        limits: of requests.
        host: the address of this machine at which it listens.
        port: 0 for one that is free.
        ready: called with the address once the server answers.

    Raises:
        InputError: if the address or the port cannot be used, or the token that requests must bear cannot be kept.
    """
    name = f"[{host}]" if ":" in host else host
    with listen(port, host) as listener:
        token = None if name in LOCAL_NAMES else _readable_token()
        warm_up(fitted)
        file = None if token is None else token_file(TOKEN_NAME)
        address = Address(f"http://{name}:{listener.getsockname()[1]}", file)
        app = service_app(Served(fitted, limits.series), int(limits.megabytes * 2**20), token)
        serve_until_stopped(
            app, listener, lambda: ready(address), log_level="warning", timeout_graceful_shutdown=LONGEST_END
        )


def _readable_token() -> str:
    """Return the token that clients find in its file."""
    token = kept_token(TOKEN_NAME)
    if kept_token(TOKEN_NAME) != token:  # a new one each time
        file = token_file(TOKEN_NAME)
        raise InputError(
            f"{file} cannot be written, and clients would not find the token that they must bear: make its folder "
            f"writable, or listen at {LOCAL_NAMES[0]}, which needs no token",
            code="no-token-file",
            file=file,
        )
    return token
