"""The command line: parse, call, print. One file a command."""

import os
import sys
from io import TextIOWrapper
from typing import Annotated

import typer
from typer.core import TyperCommand

from throughtime import __version__
from throughtime.cli.answer import tell_error
from throughtime.cli.backtest import backtest
from throughtime.cli.demo import demo
from throughtime.cli.forecast import forecast
from throughtime.cli.gradients import gradients
from throughtime.cli.lab import lab
from throughtime.cli.tune import tune

app = typer.Typer(
    help="Recurrent neural networks for time series, from the cell up.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _print_version(wanted: bool) -> bool:
    if wanted:
        print(f"throughtime {__version__}")
        raise typer.Exit
    return wanted


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    """Recurrent neural networks for time series, from the cell up."""


class _Command(TyperCommand):
    """A command whose context is what Typer's annotation says, which it is not by itself."""

    context_class = typer.Context


for command in (demo, forecast, backtest, tune, gradients, lab):
    app.command(cls=_Command)(command)


def main() -> None:
    """Parse the arguments of this process, run the command, and leave with its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # a name that the terminal cannot write is no reason to stop
    try:
        code = app(prog_name="throughtime", standalone_mode=False) or 0
        sys.stdout.flush()
    except Exception as error:
        code = tell_error(error, "--json" in sys.argv)
    try:
        sys.stdout.flush()
    except OSError:  # told already; Python would do so again on leaving
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)
