"""Limits of requests, and their numbers, around the application."""

import time
from collections.abc import Callable, Iterable
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from throughtime.service.messages import problem

OTHER = "other"  # in place of paths that there are not, of which there could be any number


class Numbers:
    """The numbers of a server, in a registry of its own."""

    def __init__(self, series: Callable[[], float]):
        """Begin at zero.

        Args:
            series: returns how many series the model has.
        """
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        named: Any = {"registry": self.registry, "namespace": "throughtime"}
        self.requests = Counter("requests", "Requests that were answered.", ["path", "status"], **named)
        self.seconds = Histogram("request_seconds", "Time from a request's head to its answer.", ["path"], **named)
        self.rows = Counter("rows", "Rows that were appended.", **named)
        Gauge("series", "Series of the model.", **named).set_function(series)


class Counted:
    """An application whose requests are counted and timed."""

    def __init__(self, app: ASGIApp, numbers: Numbers, paths: Iterable[str]):
        """Count the requests of these paths, and the others together."""
        self._app, self._numbers, self._paths = app, numbers, frozenset(paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        path, began, status = scope["path"] if scope["path"] in self._paths else OTHER, time.perf_counter(), 500

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            self._numbers.requests.labels(path, status).inc()
            self._numbers.seconds.labels(path).observe(time.perf_counter() - began)


class Limited:
    """An application that gets no body of more than some bytes."""

    def __init__(self, app: ASGIApp, most: int):
        """Answer requests with more than ``most`` bytes with 413."""
        self._app, self._most = app, most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read the body, and pass the request on."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        body, more = bytearray(), True
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        while more and len(body) <= self._most and not (declared.isdigit() and int(declared) > self._most):
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            body += message.get("body", b"")
            more = message.get("more_body", False)
        if more or len(body) > self._most:
            message_text = f"a body of more than {self._most} bytes: send fewer rows at a time"
            return await problem(message_text, 413, "large-body", expected=self._most)(scope, receive, send)
        waiting: list[Message] = [{"type": "http.request", "body": bytes(body), "more_body": False}]

        async def read() -> Message:
            return waiting.pop() if waiting else await receive()

        return await self._app(scope, read, send)
