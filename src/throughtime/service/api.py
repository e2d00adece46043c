"""The server's application: four paths, one model, and answers in the words of the command line."""

import secrets
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.exceptions import HTTPException
from starlette.middleware.trustedhost import TrustedHostMiddleware

from throughtime import __version__
from throughtime._errors import InputError
from throughtime.service.limits import Counted, Limited, Numbers
from throughtime.service.messages import (
    Answer,
    ForecastRequest,
    Forecasts,
    Health,
    Problem,
    Updated,
    UpdateRequest,
    input_problem,
    problem,
)
from throughtime.service.served import Served

PATHS = ("/forecast", "/update", "/health", "/metrics")
LOCAL_NAMES = ("127.0.0.1", "localhost", "[::1]")  # the names by which only this machine reaches a server
REFUSED: dict[int | str, dict[str, Any]] = {
    400: {"model": Problem, "description": "The body cannot be read."},
    413: {"model": Problem, "description": "The body is too large."},
    422: {"model": Problem, "description": "The input cannot be used."},
}
PLAIN: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/plain": {}}, "description": "The numbers, for Prometheus."}
}
UNKNOWN: dict[int | str, dict[str, Any]] = {401: {"model": Problem, "description": "The token is missing or wrong."}}


def service_app(served: Served, most_bytes: int, token: str | None) -> FastAPI:
    """Return the application.

    Args:
        served: the model.
        most_bytes: of the body of a request.
        token: that requests must bear; None for a server that is reached by one of ``LOCAL_NAMES`` alone.
    """
    app = FastAPI(
        title="throughtime",
        version=__version__,
        description="Forecasts of time series by a fitted model.",
        docs_url=None,  # its page loads scripts from elsewhere
        redoc_url=None,
        default_response_class=Answer,
    )
    numbers = Numbers(lambda: len(served.fitted.panel))
    asked = [] if token is None else [Depends(_require_token(token))]
    app.include_router(_model_paths(served, numbers), dependencies=asked, responses={} if token is None else UNKNOWN)
    app.include_router(_open_paths(served))
    app.add_exception_handler(InputError, _unusable)
    app.add_exception_handler(RequestValidationError, _not_understood)
    app.add_exception_handler(HTTPException, _other)
    app.add_middleware(Limited, most=most_bytes)
    if token is None:  # a page in a browser on this machine may not reach it by another name
        app.add_middleware(TrustedHostMiddleware, allowed_hosts=LOCAL_NAMES)
    app.add_middleware(Counted, numbers=numbers, paths=PATHS)
    return app


def _model_paths(served: Served, numbers: Numbers) -> APIRouter:
    """Return the paths that a token guards."""
    router = APIRouter()

    @router.post("/forecast", response_model=Forecasts, responses=REFUSED)
    def forecast(request: ForecastRequest) -> Response:
        """Forecast the model's series, or those of the rows of the request."""
        found = served.forecast(request.series, request.rows, request.horizon, request.level, request.future)
        return Answer({"forecasts": found})

    @router.post("/update", response_model=Updated, responses=REFUSED)
    def update(request: UpdateRequest) -> Response:
        """Append rows to the model's series, all or none of them."""
        grown = served.update(request.rows)
        numbers.rows.inc(len(request.rows))
        return Answer({"series": grown})

    @router.get("/metrics", response_class=Response, responses=PLAIN)
    def metrics() -> Response:
        """Return the server's numbers."""
        return Response(generate_latest(numbers.registry), media_type=CONTENT_TYPE_LATEST)

    return router


def _open_paths(served: Served) -> APIRouter:
    """Return the path that needs no token."""
    router = APIRouter()

    @router.get("/health", response_model=Health)
    def health() -> Response:
        """Say what is served."""
        panel, horizon = served.fitted.panel, served.fitted.plan.design.horizon
        frequency = panel.frequency.describe()
        content = {"status": "ok", "series": len(panel), "horizon": horizon, "frequency": frequency}
        return Answer({**content, "throughtime": __version__})

    return router


def _require_token(token: str) -> Any:
    bearer = HTTPBearer(auto_error=False)

    def require(found: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]) -> None:
        if found is None or not secrets.compare_digest(found.credentials.encode(), token.encode()):
            raise HTTPException(401, "expected the server's token: Authorization: Bearer TOKEN")

    return require


def _unusable(request: Request, error: Exception) -> Response:
    assert isinstance(error, InputError)
    return input_problem(error)


def _not_understood(request: Request, error: Exception) -> Response:
    """Answer a body of another form: with the place of the first difference."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    place = ".".join(map(str, first["loc"]))
    return problem(f"{place}: {first['msg']}", 422, "bad-request", column=place)


def _other(request: Request, error: Exception) -> Response:
    """Answer as HTTP does: no such path, another method, a missing token, no JSON."""
    assert isinstance(error, HTTPException)
    headers = dict(error.headers or {}) | ({"WWW-Authenticate": "Bearer"} if error.status_code == 401 else {})
    return problem(str(error.detail), error.status_code, f"http-{error.status_code}", headers)
