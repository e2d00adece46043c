"""A server of one process: its port, and its run until it is told to end."""

import os
import socket
from collections.abc import Callable
from typing import Any

from throughtime._errors import InputError

LOOPBACK = "127.0.0.1"
BACKLOG = 1024  # clients that wait to be accepted


def listen(port: int, host: str = LOOPBACK) -> socket.socket:
    """Return a listener; from now on no other program can have the port.

    Args:
        port: of this machine; 0 for one that is free.
        host: the address of this machine at which it listens.

    Raises:
        InputError: if the port or the address cannot be used.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named because asyncio sends at once only from sockets that name it; else answers wait for 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    if os.name == "posix":  # on Windows this option lets another program take the port as well
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(BACKLOG)  # at once: until then another server could take the port as well
    except OSError as error:
        listener.close()
        raise InputError(
            f"port {port} of {host} cannot be used ({error.strerror}): choose another with --port",
            code="port-in-use",
            found=port,
        ) from error
    return listener


def serve_until_stopped(app: Any, listener: socket.socket, ready: Callable[[], Any], **settings: Any) -> None:
    """Serve an application until SIGINT or SIGTERM, and finish what was accepted.

    Args:
        app: of ASGI.
        listener: see :func:`listen`.
        ready: called once the server answers.
        settings: of ``uvicorn.Config``.
    """
    import uvicorn  # of an extra

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            ready()

    Server(uvicorn.Config(app, **settings)).run(sockets=[listener])
