"""``throughtime lab``."""

import json
import threading
import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from throughtime._errors import not_installed
from throughtime.cli.answer import answering
from throughtime.cli.options import Json, Quiet, out_option
from throughtime.cli.outputs import output_folder


def lab(
    data: Annotated[Path | None, typer.Option(help="CSV or Parquet: your own series, to learn.")] = None,
    model: Annotated[
        Path | None, typer.Option(help="A trained model's folder: to go on with, or to look into.")
    ] = None,
    port: Annotated[
        int, typer.Option(help="Of this machine; by default one that is free.", min=0, max=65535, show_default=False)
    ] = 0,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the page in a browser.")] = True,
    out: Annotated[Path, out_option("lab")] = Path("out/lab"),
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Watch networks learn, in a page that this machine serves to itself alone. Ctrl-C ends it."""
    with answering(as_json, quiet, lambda: "The laboratory has stopped.") as answer:
        try:
            import websockets  # noqa: F401  # what serves the page imports it late

            from throughtime.lab import serve
        except ModuleNotFoundError as missing:
            raise not_installed("the laboratory", missing, "lab") from None
        from throughtime.lab import read_given

        def ready(address: str) -> None:
            if as_json:
                print(json.dumps({"address": address}), flush=True)
            answer.console.print(f"The laboratory: {address}\nCtrl-C ends it.")
            if browser:  # in a thread: a browser in the terminal would wait for the server, and the server for it
                threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()

        given = read_given(data, model)
        serve(given, output_folder(out), port=port, ready=ready)
