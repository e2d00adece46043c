"""``throughtime lab``."""

import json
import threading
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from throughtime._errors import not_installed
from throughtime.cli.options import ANY_RUN, ANY_SERIES, Process, RunOptions, SeriesOptions, default
from throughtime.cli.runtime import running


def lab(
    *,
    data: Path | None = None,
    model: Path | None = None,
    columns: SeriesOptions = ANY_SERIES,
    port: Annotated[
        int | None, Parameter(validator=Number(gte=0, lte=65535)), default("the same each time, if it is free")
    ] = None,
    browser: bool = True,
    options: RunOptions = ANY_RUN,
    interrupts: Process,
) -> None:
    """Watch networks learn, in a page that this machine serves to itself alone. Ctrl-C ends it.

    Args:
        data: CSV or Parquet: your own series, to learn.
        model: A trained model's folder: to go on with, or to look into.
        port: The port of this machine; 0 for any.
        browser: Open the page in a browser.
    """
    with running("lab", options, interrupts) as runtime:
        interrupts.kept = lambda: "The laboratory has stopped."
        try:
            import webbrowser

            import websockets  # noqa: F401  # uvicorn imports it late

            from throughtime.lab import read_input, serve
        except ModuleNotFoundError as missing:
            raise not_installed("the laboratory", missing, "lab") from None

        def ready(address: str) -> None:
            if options.json:
                print(json.dumps({"address": address}), flush=True)
            runtime.say(f"The laboratory: {address}\nCtrl-C ends it.")
            if browser:  # in a thread: a browser in the terminal would wait for the server, and the server for it
                threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()

        given = read_input(data, model, columns.names())
        serve(given, runtime.out.open(), port=port, ready=ready)
