"""The command line: parse, call, report. One file a command."""

import os
import sys
from collections.abc import Callable, Sequence
from io import TextIOWrapper

from cyclopts import App, CycloptsError, Parameter

from throughtime import __version__
from throughtime.cli.backtest import backtest
from throughtime.cli.cluster import leave_others
from throughtime.cli.convert import convert
from throughtime.cli.demo import demo
from throughtime.cli.forecast import forecast
from throughtime.cli.gradients import gradients
from throughtime.cli.interrupts import Interrupts
from throughtime.cli.lab import lab
from throughtime.cli.predict import predict
from throughtime.cli.pretrain import pretrain
from throughtime.cli.runtime import UNUSABLE, report_error
from throughtime.cli.serve import serve
from throughtime.cli.stream import stream
from throughtime.cli.tune import tune

app = App(
    name="throughtime",
    help="Recurrent neural networks for time series, from the cell up.",
    help_format="plaintext",
    version=f"throughtime {__version__}",
    default_parameter=Parameter(negative_iterable=()),  # no --empty-level
)
COMMANDS: tuple[Callable[..., int | None], ...] = (
    demo,
    forecast,
    predict,
    stream,
    serve,
    backtest,
    tune,
    gradients,
    lab,
    convert,
    pretrain,
)
for place, command in enumerate(COMMANDS):  # in the order of the help
    app.command(command, sort_key=place)


def run(arguments: Sequence[str], interrupts: Interrupts | None = None) -> int:
    """Run the command that ``arguments`` name, and return the exit code.

    Args:
        arguments: the words behind ``throughtime``.
        interrupts: the process's handling of Ctrl-C; one that does not listen if None.
    """
    interrupts = interrupts or Interrupts()
    try:
        code = _call(list(arguments), interrupts) or 0
        sys.stdout.flush()
    except Exception as error:
        interrupts.finish()
        code = report_error(error, as_json="--json" in arguments)
    return code


def _call(arguments: list[str], interrupts: Interrupts) -> int | None:
    command, bound, injected = app.parse_args(arguments, exit_on_error=False, print_error=False)
    process = dict.fromkeys(injected, interrupts)
    code: int | None = command(*bound.args, **bound.kwargs, **process)
    if not arguments:  # the help was printed
        raise CycloptsError(msg="expected a command")
    return code


def main(interrupts: Interrupts) -> None:
    """Run the command of this process's arguments, and leave with its exit code."""
    for output in (sys.stdout, sys.stderr):
        if isinstance(output, TextIOWrapper):
            output.reconfigure(errors="replace")  # a name that the terminal cannot write is no reason to stop
    code = run(sys.argv[1:], interrupts)
    try:
        sys.stdout.flush()
    except OSError:  # reported already; Python would do so again on leaving
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if code == UNUSABLE:
        leave_others(code)
    sys.exit(code)
