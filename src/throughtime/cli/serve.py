"""``throughtime serve``."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from throughtime._errors import not_installed
from throughtime.cli.options import ANY_RUN, ANY_SERIES, Process, RunOptions, SeriesOptions
from throughtime.cli.runtime import running

if TYPE_CHECKING:
    from throughtime.service import Address


def serve(
    model: Path,
    /,
    *,
    host: str = "127.0.0.1",
    port: Annotated[int, Parameter(validator=Number(gte=0, lte=65535))] = 8468,
    max_megabytes: Annotated[float, Parameter(validator=Number(gt=0))] = 16.0,
    max_series: Annotated[int, Parameter(validator=Number(gte=1))] = 100_000,
    columns: SeriesOptions = ANY_SERIES,
    options: RunOptions = ANY_RUN,
    interrupts: Process,
) -> None:
    """Forecast and take rows over HTTP: /forecast, /update, /health, /metrics. Ctrl-C or SIGTERM ends it.

    Example: throughtime serve out/forecast/model

    Args:
        model: The folder of a saved forecaster; it is only read.
        host: The address to listen at. If others than this machine can reach it, requests must bear a token.
        port: The port; 0 for any.
        max_megabytes: The largest body of a request.
        max_series: The most series that the model may have.
    """
    with running("serve", options, interrupts) as runtime, interrupts.terminable():
        interrupts.kept = lambda: "The server has stopped."
        try:
            from throughtime.service import ServerLimits, load_model, serve_model
        except ModuleNotFoundError as missing:
            raise not_installed("the server", missing, "serve") from None

        def ready(address: "Address") -> None:
            token = None if address.token is None else str(address.token)
            if options.json:
                print(json.dumps({"address": address.url, "token_file": token}), flush=True)
            runtime.say(f"Serving {model}: {address.url}\nCtrl-C ends it.")
            if token is not None:
                runtime.say(f"Requests must bear the token in {token}")

        fitted = load_model(model, columns.names())
        serve_model(fitted, ServerLimits(max_megabytes, max_series), host=host, port=port, ready=ready)
